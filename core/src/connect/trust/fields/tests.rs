use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue,
    ExtendedKeyUsagePurpose as Use, IsCa, KeyPair, SanType,
};
use rustls::{
    pki_types::{CertificateDer, pem::PemObject},
    server::ParsedCertificate,
};

use super::*;

const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

fn params() -> CertificateParams {
    CertificateParams::new(vec!["localhost".into()]).unwrap()
}

fn made(params: &CertificateParams) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds.try_into().unwrap()))
}

#[test]
fn finds_the_key_that_webpki_finds_in_each_authority_of_the_system() {
    let mut count = 0;
    for der in CertificateDer::pem_file_iter(BUNDLE).unwrap() {
        let der = der.unwrap();
        let fields = Fields::of(&der).unwrap();
        if let Ok(parsed) = ParsedCertificate::try_from(&der) {
            assert!(fields.is_version_3);
            assert_eq!(fields.public_key, &*parsed.subject_public_key_info());
            count += 1;
        }
        assert!(fields.is_self_issued());
        assert!(fields.not_before < fields.not_after);
        assert!(
            fields
                .rsa_bits()
                .is_none_or(|bits| bits == 2048 || bits == 4096)
        );
    }
    assert!(count > 50, "only {count}");
}

#[test]
fn reads_the_time_that_the_certificate_was_made_for() {
    for (from, to) in [(1950, 2049), (1970, 2050), (2000, 9999), (2024, 2025)] {
        let mut params = params();
        params.not_before = rcgen::date_time_ymd(from, 2, 28);
        params.not_after = rcgen::date_time_ymd(to, 12, 31);
        let der = made(&params);
        let fields = Fields::of(&der).unwrap();
        assert_eq!(fields.not_before, params.not_before.unix_timestamp());
        assert_eq!(fields.not_after, params.not_after.unix_timestamp());
    }
}

#[test]
fn a_certificate_is_valid_from_its_first_second_to_its_last() {
    let mut params = params();
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2025, 1, 1);
    let der = made(&params);
    let fields = Fields::of(&der).unwrap();
    let (first, last) = (fields.not_before, fields.not_after);
    assert_eq!(fields.check_time(at(first)), Ok(()));
    assert_eq!(fields.check_time(at(last)), Ok(()));
    let early = fields.check_time(at(first - 1));
    assert_eq!(early, Err(CertificateError::NotValidYet));
    let late = fields.check_time(at(last + 1));
    assert_eq!(late, Err(CertificateError::Expired));
}

#[test]
fn a_time_that_is_no_time_is_none() {
    let read = |tag, text: &str| {
        let element = [&[tag, text.len() as u8], text.as_bytes()].concat();
        time(&Elements(&element).next().unwrap())
    };
    assert_eq!(read(UTC_TIME, "700101000001Z"), Some(1));
    assert_eq!(read(GENERALIZED_TIME, "19700101000001Z"), Some(1));
    for text in ["", "Z", "7001010000Z", "700101000001", "700101000001+0100"] {
        assert_eq!(read(UTC_TIME, text), None, "{text}");
    }
    for text in [
        "700001000001Z",
        "701301000001Z",
        "70010100000xZ",
        "7001010000011Z",
    ] {
        assert_eq!(read(UTC_TIME, text), None, "{text}");
    }
    assert_eq!(read(0x0c, "700101000001Z"), None);
}

#[test]
fn a_certificate_without_uses_is_for_servers_and_one_with_others_is_not() {
    for (uses, expected) in [
        (vec![], true),
        (vec![Use::ServerAuth], true),
        (vec![Use::ClientAuth, Use::ServerAuth], true),
        (vec![Use::Any], true),
        (vec![Use::ClientAuth], false),
        (vec![Use::EmailProtection, Use::CodeSigning], false),
    ] {
        let mut params = params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = uses;
        let der = made(&params);
        assert_eq!(Fields::of(&der).unwrap().is_for_servers(), expected);
    }
    let mut broken = params();
    let uses = CustomExtension::from_oid_content(&[2, 5, 29, 37], vec![0x30, 0x7f]);
    broken.custom_extensions.push(uses);
    assert!(!Fields::of(&made(&broken)).unwrap().is_for_servers());
}

#[test]
fn an_alternative_name_is_a_host_or_an_address() {
    let mail = SanType::Rfc822Name("a@b.test".try_into().unwrap());
    let address = SanType::IpAddress([127, 0, 0, 1].into());
    for (names, expected) in [
        (vec![], false),
        (vec![mail.clone()], false),
        (vec![mail, address.clone()], true),
        (vec![address], true),
        (params().subject_alt_names, true),
    ] {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let der = made(&params);
        assert_eq!(Fields::of(&der).unwrap().has_alternative_host(), expected);
    }
}

#[test]
fn the_common_name_is_read_in_any_kind_of_string() {
    for value in [
        DnValue::Utf8String("api.test".into()),
        DnValue::PrintableString("api.test".try_into().unwrap()),
        DnValue::Ia5String("api.test".try_into().unwrap()),
    ] {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Ours");
        params.distinguished_name.push(DnType::CommonName, value);
        let der = made(&params);
        assert_eq!(Fields::of(&der).unwrap().common_name(), Some("api.test"));
    }
    let mut nameless = CertificateParams::default();
    nameless.distinguished_name = rcgen::DistinguishedName::new();
    assert_eq!(Fields::of(&made(&nameless)).unwrap().common_name(), None);
}

#[test]
fn no_beginning_of_a_certificate_is_one_or_a_crash() {
    let der = made(&params());
    for length in 0..der.len() {
        assert!(Fields::of(&der[..length]).is_none());
    }
    for place in 0..der.len() {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut damaged = der.to_vec();
            damaged[place] = value;
            if let Some(fields) = Fields::of(&damaged) {
                let _ = (fields.is_for_servers(), fields.has_alternative_host());
                let _ = (fields.common_name(), fields.rsa_bits());
            }
        }
    }
}
