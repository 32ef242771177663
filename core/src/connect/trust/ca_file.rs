//! The authorities that the caller names, in PEM form.

use std::{fs::File, io::Read};

use rustls::RootCertStore;

use crate::{
    connect::trust::pem,
    error::{Error, Status},
};

/// More than any bundle of authorities.
pub const MAX_PEM: usize = 16 * 1024 * 1024;

pub fn from_file(path: &str) -> Result<RootCertStore, Error> {
    let name = format!("the CA file \"{path}\"");
    let unreadable = |error: std::io::Error| wrong(&name, &format!("cannot be read: {error}"));
    // A pipe or a device could make this wait, or go on, for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(wrong(&name, "is not a regular file"));
    }
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PEM as u64 + 1).read_to_end(&mut text))
        .map_err(unreadable)?;
    if text.len() > MAX_PEM {
        return Err(wrong(&name, &format!("is larger than {MAX_PEM} bytes")));
    }
    from_text(&text, &name)
}

/// Reads certificates in PEM form. `name` is what messages call the text. Every
/// certificate has to be usable: the caller chose each.
pub fn from_text(text: &[u8], name: &str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for block in pem::blocks(text) {
        let refused = |why: &str| {
            let (number, line) = (block.number, block.line());
            let what = format!("holds certificates; number {number}, at line {line}, {why}");
            wrong(name, &what)
        };
        let der = block.decode().map_err(refused)?;
        roots
            .add(der.into())
            .map_err(|error| refused(&format!("cannot be used: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong(name, "holds no certificate in PEM form"));
    }
    Ok(roots)
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(Status::InvalidConfig, format!("{name} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_used_is_named_by_its_number_and_line() {
        let text = b"# ours\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let error = from_text(text, "the CA text").unwrap_err();
        assert_eq!(error.status, Status::InvalidConfig);
        assert!(
            error.message.contains("number 1, at line 2"),
            "{}",
            error.message
        );
    }

    #[test]
    fn a_text_without_a_certificate_is_refused() {
        let error = from_text(b"nothing", "the CA text").unwrap_err();
        assert_eq!(
            error.message,
            "the CA text holds no certificate in PEM form"
        );
    }
}
