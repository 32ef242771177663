//! Finds the fields of a certificate's DER that are needed to choose an authority. It skips all
//! others, so it accepts more than a parser. webpki parses the chosen certificates.

use std::ops::Range;

const VERSION: u8 = 0xa0;
const SEQUENCE: u8 = 0x30;
const REJECTED_USES: u8 = 0xa0;

/// id-kp-serverAuth and anyExtendedKeyUsage.
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const ANY_USE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// The positions of the names, without the header of their SEQUENCE. webpki compares these bytes.
pub struct Names {
    pub issuer: Range<usize>,
    pub subject: Range<usize>,
}

/// Finds the names in the first bytes of a certificate. The subject may end behind these bytes. The
/// error is the number of bytes that the next step needs.
pub fn names(der: &[u8]) -> Result<Names, usize> {
    let certificate = contents(der, 0)?;
    let mut at = contents(der, certificate.start)?.start;
    // A certificate of version 1 has no version field.
    if byte(der, at)? == VERSION {
        at = contents(der, at)?.end;
    }
    let serial_number = contents(der, at)?;
    let signature = contents(der, serial_number.end)?;
    let issuer = contents(der, signature.end)?;
    let validity = contents(der, issuer.end)?;
    let subject = contents(der, validity.end)?;
    Ok(Names { issuer, subject })
}

/// Returns the certificate of OpenSSL's "TRUSTED CERTIFICATE", if its trust settings allow servers.
/// A bundle lists distrusted authorities with such settings.
pub fn trusted_for_servers(der: &[u8]) -> Option<&[u8]> {
    let (certificate, settings) = der.split_at_checked(contents(der, 0).ok()?.end)?;
    (settings.is_empty() || allow_servers(settings)?).then_some(certificate)
}

fn allow_servers(settings: &[u8]) -> Option<bool> {
    let mut rest = settings.get(contents(settings, 0).ok()?)?;
    while let Some(&tag) = rest.first() {
        let field = contents(rest, 0).ok()?;
        let uses = rest.get(field.clone())?;
        if tag == SEQUENCE && !name_servers(uses)? || tag == REJECTED_USES && name_servers(uses)? {
            return Some(false);
        }
        rest = &rest[field.end..];
    }
    Some(true)
}

/// Returns whether a list of uses includes servers.
pub fn name_servers(mut uses: &[u8]) -> Option<bool> {
    while !uses.is_empty() {
        let object = contents(uses, 0).ok()?;
        if [SERVER_AUTH, ANY_USE].contains(&uses.get(object.clone())?) {
            return Some(true);
        }
        uses = &uses[object.end..];
    }
    Some(false)
}

/// Returns the position of the contents of the element at `at`. They may end behind `der`.
pub fn contents(der: &[u8], at: usize) -> Result<Range<usize>, usize> {
    let length = |index| byte(der, at + index).map(usize::from);
    let (header, length) = match length(1)? {
        short @ ..=0x7f => (2, short),
        0x81 => (3, length(2)?),
        0x82 => (4, length(2)? << 8 | length(3)?),
        // webpki refuses longer elements.
        _ => return Err(usize::MAX),
    };
    Ok(at + header..at + header + length)
}

fn byte(der: &[u8], at: usize) -> Result<u8, usize> {
    der.get(at).copied().ok_or(at + 1)
}

#[cfg(test)]
mod tests {
    use rustls::{
        RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };

    use super::*;

    fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
        let contents = contents.concat();
        let length = match contents.len() {
            length @ ..=0x7f => vec![length as u8],
            length @ ..=0xff => vec![0x81, length as u8],
            length => vec![0x82, (length >> 8) as u8, length as u8],
        };
        [vec![tag], length, contents].concat()
    }

    /// Returns a certificate, of version 1 or 3, that webpki accepts as an authority.
    fn certificate(version: &[u8], subject: &[u8]) -> Vec<u8> {
        let algorithm = element(SEQUENCE, &[&[0x06, 0x01, 0x2a]]);
        let signed = element(
            SEQUENCE,
            &[
                version,
                &[0x02, 0x01, 0x07],
                &algorithm,
                &element(SEQUENCE, &[b"issuer"]),
                &element(SEQUENCE, &[b"validity"]),
                &element(SEQUENCE, &[subject]),
                &element(SEQUENCE, &[b"key"]),
            ],
        );
        let signature = element(0x03, &[&[0, 1, 2, 3]]);
        element(SEQUENCE, &[&signed, &algorithm, &signature])
    }

    fn subject_for_webpki(der: &[u8]) -> Vec<u8> {
        let mut store = RootCertStore::empty();
        store.add(CertificateDer::from(der)).unwrap();
        store.roots[0].subject.to_vec()
    }

    #[test]
    fn finds_the_subject_that_webpki_finds_in_each_authority_of_the_system() {
        let bundle = "/etc/ssl/certs/ca-certificates.crt";
        let mut count = 0;
        for der in CertificateDer::pem_file_iter(bundle).unwrap() {
            let der = der.unwrap();
            let found = names(&der).unwrap().subject;
            assert_eq!(der[found], subject_for_webpki(&der));
            count += 1;
        }
        assert!(count > 50, "only {count}");
    }

    #[test]
    fn finds_the_names_in_a_certificate_of_version_1() {
        let der = certificate(&[], b"subject");
        let found = names(&der).unwrap();
        assert_eq!(&der[found.issuer], b"issuer");
        assert_eq!(&der[found.subject], b"subject");
        assert_eq!(subject_for_webpki(&der), b"subject");
    }

    #[test]
    fn finds_a_subject_of_any_length_that_webpki_reads() {
        for length in [0, 1, 127, 128, 255, 256, 5000, 60_000] {
            let der = certificate(&[0xa0, 3, 2, 1, 2], &vec![b'x'; length]);
            let found = names(&der).unwrap().subject;
            assert_eq!(der[found], subject_for_webpki(&der));
        }
    }

    #[test]
    fn asks_for_more_of_a_beginning_until_it_finds_the_names() {
        let der = certificate(&[0xa0, 3, 2, 1, 2], &[b'x'; 300]);
        let whole = names(&der).unwrap();
        for length in 0..der.len() {
            match names(&der[..length]) {
                Ok(found) => {
                    assert_eq!(found.issuer, whole.issuer);
                    assert_eq!(found.subject, whole.subject);
                }
                Err(needed) => assert!(needed > length && needed <= whole.subject.start),
            }
        }
    }

    #[test]
    fn finds_no_names_where_webpki_finds_no_certificate() {
        for der in [
            &b""[..],
            b"\x30",
            b"\x30\x80",
            b"\x30\x83\x01\x00\x00",
            &[0xff; 50],
        ] {
            assert!(names(der).is_err(), "{der:?}");
        }
    }

    const SERVERS: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    const MAIL: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04";
    const ANY: &[u8] = b"\x06\x04\x55\x1d\x25\x00";

    fn is_trusted(settings: &[&[u8]]) -> bool {
        let certificate = element(SEQUENCE, &[b"certificate"]);
        let der = [&certificate[..], &element(SEQUENCE, settings)].concat();
        let found = trusted_for_servers(&der);
        assert!(found.is_none_or(|found| found == certificate));
        found.is_some()
    }

    #[test]
    fn trusts_an_authority_without_settings_or_with_settings_for_servers() {
        let certificate = element(SEQUENCE, &[b"certificate"]);
        assert_eq!(trusted_for_servers(&certificate), Some(&certificate[..]));
        assert!(is_trusted(&[]));
        assert!(is_trusted(&[&element(0x0c, &[b"an alias"])]));
        assert!(is_trusted(&[&element(SEQUENCE, &[MAIL, SERVERS])]));
        assert!(is_trusted(&[&element(SEQUENCE, &[ANY])]));
        assert!(is_trusted(&[&element(REJECTED_USES, &[MAIL])]));
    }

    #[test]
    fn does_not_trust_an_authority_whose_settings_exclude_servers() {
        assert!(!is_trusted(&[&element(SEQUENCE, &[MAIL])]));
        assert!(!is_trusted(&[&element(SEQUENCE, &[])]));
        assert!(!is_trusted(&[&element(REJECTED_USES, &[MAIL, SERVERS])]));
        assert!(!is_trusted(&[&element(REJECTED_USES, &[ANY])]));
        let both = [
            &element(SEQUENCE, &[SERVERS])[..],
            &element(REJECTED_USES, &[SERVERS]),
        ];
        assert!(!is_trusted(&both));
    }

    #[test]
    fn does_not_trust_an_authority_with_settings_it_cannot_read() {
        assert!(!is_trusted(&[b"\x30\x7f"]));
        assert!(!is_trusted(&[&element(SEQUENCE, &[b"\x06\x7f"])]));
        assert_eq!(trusted_for_servers(b""), None);
        assert_eq!(trusted_for_servers(b"\x30\x05\x00"), None);
    }
}
