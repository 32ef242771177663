//! The certificates in the caller's CA file or PEM text.

use std::{
    fs::File,
    io::{self, Read},
};

use crate::{
    connect::trust::{given_roots::GivenRoots, not_pem, pem},
    error::{Error, Status},
    host::{descriptors::StandardStreams, refusals},
};

/// Larger than any bundle of certificates.
pub const MAX_PEM: usize = 16 * 1024 * 1024;

pub fn from_file(path: &str) -> Result<GivenRoots, Error> {
    let name = format!("the CA file \"{path}\"");
    let unreadable = |error: io::Error| match refusals::is_refusal_of_files(&error) {
        true => refusals::FILE.refused(&format!("cannot read {name}"), &error),
        false => wrong(&name, &format!("cannot be read: {error}")),
    };
    // Reading a pipe or a device could block or never end.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(wrong(&name, "is a directory; set a file in it"));
    }
    if !metadata.is_file() {
        return Err(wrong(&name, "is not a regular file; set one"));
    }
    let mut text = Vec::new();
    let _occupied = StandardStreams::occupy().map_err(unreadable)?;
    File::open(path)
        .and_then(|file| file.take(MAX_PEM as u64 + 1).read_to_end(&mut text))
        .map_err(unreadable)?;
    if text.len() > MAX_PEM {
        return Err(wrong(
            &name,
            &format!("is larger than {MAX_PEM} bytes; set a smaller one"),
        ));
    }
    from_text(&text, &name)
}

/// Reads certificates in PEM form. `name` is the name of the text in messages. Each certificate has
/// to be usable, because the caller has chosen it.
pub fn from_text(text: &[u8], name: &str) -> Result<GivenRoots, Error> {
    let mut roots = GivenRoots::empty();
    for block in pem::blocks(text) {
        let der = block.decode();
        der.and_then(|der| roots.add(der).map_err(|_| pem::NOT_X509))
            .map_err(|why| wrong(name, &format!("cannot be used: {} {why}", block.name())))?;
    }
    if roots.count() == 0 {
        return Err(wrong(name, not_pem::description(text)));
    }
    Ok(roots)
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(Status::InvalidConfig, format!("{name} {what}"))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    fn refusal(text: impl AsRef<[u8]>) -> String {
        let error = from_text(text.as_ref(), "the CA text").err().unwrap();
        assert_eq!(error.status, Status::InvalidConfig);
        error.message
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_named_by_its_number_and_line() {
        let sound = certificate();
        let line = 1 + sound.lines().count();
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        for (body, why) in [
            ("AAAA\n", pem::NOT_X509),
            ("MAA=\n", pem::NOT_X509),
            ("AA?A\n", "is not valid base64"),
            ("", pem::NOT_X509),
        ] {
            assert_eq!(
                refusal(format!("{sound}{begin}{body}{end}{sound}")),
                format!("the CA text cannot be used: the 2nd certificate, line {line}, {why}"),
            );
        }
        let cut = &sound[..sound.len() / 2];
        let message = refusal(format!("# ours\n{cut}"));
        assert!(message.contains("the 1st certificate, line 2, has no END"));
        let damaged = sound.replacen("MII", "MIJ", 1);
        assert!(refusal(damaged).ends_with(pem::NOT_X509));
    }

    #[test]
    fn a_text_without_a_certificate_is_told_by_what_it_is() {
        assert_eq!(
            refusal("nothing"),
            "the CA text contains no certificate in PEM form"
        );
        assert_eq!(refusal(""), "the CA text is empty");
        let der = pem::blocks(certificate().as_bytes())
            .next()
            .unwrap()
            .decode();
        assert!(refusal(der.unwrap()).contains("is DER, not PEM"));
        let utf_16: Vec<u8> = certificate()
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(
            refusal(utf_16),
            "the CA text is in UTF-16; save it as UTF-8"
        );
        let key = KeyPair::generate().unwrap().serialize_pem();
        assert!(refusal(key).contains("contains a key"));
        let behind = certificate().replace("-----BEGIN", "ca: -----BEGIN");
        assert!(refusal(behind).contains("must be at the start of a line"));
    }

    #[test]
    fn every_certificate_of_a_text_is_trusted_however_it_is_laid_out() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let (one, two) = (certificate(), certificate());
        for text in [
            format!("{}{}", one.trim_end(), two.trim_end()),
            format!("\u{feff}{one}\u{feff}{two}"),
            format!("{}{}{two}", one.trim_end(), key.trim_end()),
            format!("{one}{two}").replace('\n', "\r\n"),
            format!("{one}{two}").replace('\n', "\r"),
            format!("{one}{two}").replace(" CERT", " X509 CERT"),
            format!("{one}{two}").replace(" CERT", " TRUSTED CERT"),
            format!("subject=CN = one\n{one}issuer=CN = two\n\n{two}the end"),
        ] {
            let roots = from_text(text.as_bytes(), "the CA text");
            assert_eq!(roots.unwrap_or_else(|error| panic!("{error}")).count(), 2);
        }
    }

    #[test]
    fn a_file_that_is_none_is_told_by_what_it_is() {
        let refusal = |path: &str| {
            let error = from_file(path).err().unwrap();
            assert_eq!(error.status, Status::InvalidConfig);
            error.message
        };
        assert_eq!(
            refusal("/"),
            "the CA file \"/\" is a directory; set a file in it"
        );
        assert!(refusal("/dev/null").contains("is not a regular file"));
        assert!(refusal("/nowhere/ca.pem").contains("cannot be read: No such file"));
    }
}
