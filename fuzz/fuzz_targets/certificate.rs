//! Compares the fields of a certificate with those of webpki.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, UnixTime},
};
use zelf_core::connect::trust::{fields::Fields, x509};

fuzz_target!(|der: &[u8]| {
    let found = x509::names(der);
    // The first bytes of a certificate need more bytes, or have the same subject.
    for length in [der.len() / 2, der.len().saturating_sub(1)] {
        match (x509::names(&der[..length]), &found) {
            (Ok(part), Ok(whole)) => assert_eq!(part.subject, whole.subject),
            (Ok(_), Err(_)) => {
                panic!("the first bytes have a subject that the whole does not have")
            }
            (Err(needed), _) => assert!(needed > length),
        }
    }
    if let Some(certificate) = x509::trusted_for_servers(der) {
        assert!(der.starts_with(certificate));
    }
    let _ = x509::name_servers(der);
    if let Some(fields) = Fields::of(der) {
        assert!(fields.is_issuer_of(&fields) == fields.is_self_issued());
        let _ = (fields.is_for_servers(), fields.has_alternative_host());
        let _ = fields.check_time(UnixTime::since_unix_epoch(std::time::Duration::MAX));
        assert!(
            fields
                .common_name()
                .is_none_or(|name| name.len() < der.len())
        );
        assert!(fields.rsa_bits().is_none_or(|bits| bits <= der.len() * 8));
    }
    let mut store = RootCertStore::empty();
    if store.add(CertificateDer::from(der)).is_ok() {
        let found = found.expect("webpki reads it").subject;
        assert_eq!(der.get(found), Some(&store.roots[0].subject[..]));
    }
});
