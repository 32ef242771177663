//! Verifies a server whose own certificate is one of the trusted ones. It needs no issuer. As in
//! OpenSSL, it must be within its time, be for servers, and contain the host.

use rustls::{
    CertificateError, Error as TlsError,
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use crate::connect::trust::fields::Fields;

#[cold]
pub fn verify(
    certificate: &CertificateDer<'_>,
    host: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), TlsError> {
    let fields = Fields::of(certificate).ok_or(CertificateError::BadEncoding)?;
    fields.check_time(now)?;
    if !fields.is_for_servers() {
        return Err(CertificateError::InvalidPurpose.into());
    }
    let named = match ParsedCertificate::try_from(certificate) {
        Ok(parsed) => verify_server_name(&parsed, host),
        // webpki cannot read the certificate, and the unread parts may restrict its use.
        Err(error) if fields.is_version_3 => return Err(error),
        // Before version 3 there is no subjectAltName.
        Err(_) => Err(CertificateError::NotValidForName.into()),
    };
    named.or_else(|error| {
        let common_name = fields.common_name();
        match common_name.filter(|_| !fields.has_alternative_host()) {
            Some(name) if is_name_of(name, host) => Ok(()),
            Some(_) => Err(CertificateError::NotValidForName.into()),
            None => Err(error),
        }
    })
}

/// Returns whether a common name is that of a host. `*.` matches one label, and must be followed by
/// at least two labels.
fn is_name_of(name: &str, host: &ServerName<'_>) -> bool {
    let text = host.to_str();
    if name.eq_ignore_ascii_case(&text) {
        return true;
    }
    let wildcard = name.strip_prefix("*.").filter(|rest| rest.contains('.'));
    match (wildcard, host, text.split_once('.')) {
        (Some(rest), ServerName::DnsName(_), Some((_, parent))) => {
            parent.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, host: &str) -> bool {
        is_name_of(name, &ServerName::try_from(host).unwrap())
    }

    #[test]
    fn a_common_name_names_one_host() {
        assert!(names("localhost", "localhost"));
        assert!(names("API.Test", "api.test"));
        assert!(names("127.0.0.1", "127.0.0.1"));
        assert!(names("::1", "0:0:0:0:0:0:0:1"));
        assert!(!names("api.test", "other.api.test"));
        assert!(!names("test", "api.test"));
        assert!(!names("127.0.0.1", "127.0.0.2"));
        assert!(!names("localhost", "127.0.0.1"));
        assert!(!names("", "localhost"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(names("*.api.test", "a.API.test"));
        assert!(!names("*.api.test", "api.test"));
        assert!(!names("*.api.test", "a.b.api.test"));
        assert!(!names("*.test", "api.test"));
        assert!(!names("*", "localhost"));
        assert!(!names("*.0.0.1", "127.0.0.1"));
    }
}
