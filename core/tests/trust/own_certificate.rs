//! A server whose own certificate is in the CA file.

use rcgen::{ExtendedKeyUsagePurpose, IsCa, SanType};
use zelf_core::connect::{
    tls_failure,
    trust::{pins::Pin, policy::Trust},
};

use crate::{
    certificates::{Identity, authority, dated, named, server},
    handshake::{
        VERSIONS, outcome, outcome_of, server_config, shake, shows, trust, trust_with_pins,
    },
};

/// Returns what `openssl req -x509` makes: an authority that names a host.
fn openssl_req() -> rcgen::CertificateParams {
    let mut params = authority("localhost");
    params.subject_alt_names = server().subject_alt_names;
    params
}

fn own(params: rcgen::CertificateParams) -> (Trust, Identity) {
    let identity = Identity::self_signed(params);
    (trust(&identity.pem()), identity)
}

fn refusal(trust: &Trust, host: &str, chain: &[&Identity]) -> String {
    outcome(trust, host, chain).unwrap_err()
}

#[test]
fn a_self_signed_certificate_of_any_kind_is_trusted() {
    let mut explicit = server();
    explicit.is_ca = IsCa::ExplicitNoCa;
    for params in [openssl_req(), server(), explicit] {
        let (trust, own) = own(params);
        assert_eq!(outcome(&trust, "localhost", &[&own]), Ok(()));
    }
}

#[test]
fn a_certificate_without_a_subject_alt_name_is_trusted_for_its_common_name() {
    for params in [authority("localhost"), named("localhost")] {
        let (trust, own) = own(params);
        assert_eq!(outcome(&trust, "localhost", &[&own]), Ok(()));
        assert!(refusal(&trust, "other.test", &[&own]).contains("is for another host"));
    }
    let (trust, own) = own(authority("127.0.0.1"));
    assert_eq!(outcome(&trust, "127.0.0.1", &[&own]), Ok(()));
}

#[test]
fn a_certificate_of_version_1_is_trusted_for_its_common_name() {
    let own = Identity::self_signed(named("localhost")).in_version_1();
    let trust = trust(&own.pem());
    assert_eq!(outcome(&trust, "localhost", &[&own]), Ok(()));
    assert!(refusal(&trust, "other.test", &[&own]).contains("is for another host"));
    let old = Identity::self_signed(dated(named("localhost"), 2000, 2001)).in_version_1();
    let trust = crate::handshake::trust(&old.pem());
    assert!(refusal(&trust, "localhost", &[&old]).contains("has expired"));
}

#[test]
fn the_names_of_a_subject_alt_name_are_the_only_ones() {
    let mut params = authority("other.test");
    params.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into().unwrap()),
        SanType::IpAddress([127, 0, 0, 1].into()),
    ];
    let (trust, own) = own(params);
    assert_eq!(outcome(&trust, "localhost", &[&own]), Ok(()));
    assert_eq!(outcome(&trust, "127.0.0.1", &[&own]), Ok(()));
    assert!(refusal(&trust, "other.test", &[&own]).contains("is for another host"));
    assert!(refusal(&trust, "127.0.0.2", &[&own]).contains("is not for this address"));
}

#[test]
fn it_is_trusted_in_its_time_only() {
    for params in [openssl_req(), server()] {
        let (trust, old) = own(dated(params.clone(), 2000, 2001));
        assert!(refusal(&trust, "localhost", &[&old]).contains("has expired"));
        let (trust, new) = own(dated(params, 2100, 2101));
        assert!(refusal(&trust, "localhost", &[&new]).contains("is not valid yet"));
    }
}

#[test]
fn it_is_not_trusted_for_another_use() {
    let mut params = openssl_req();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (trust, own) = own(params);
    assert!(refusal(&trust, "localhost", &[&own]).contains("extended key usage"));
}

#[test]
fn one_that_an_unknown_authority_issued_is_trusted() {
    let unknown = Identity::self_signed(authority("Unknown"));
    let own = unknown.issues(server());
    let trust = trust(&own.pem());
    assert_eq!(outcome(&trust, "localhost", &[&own]), Ok(()));
    assert_eq!(outcome(&trust, "localhost", &[&own, &unknown]), Ok(()));
    // Other certificates of its authority remain unknown.
    let other = unknown.issues(server());
    assert!(outcome(&trust, "localhost", &[&other, &unknown]).is_err());
}

#[test]
fn it_vouches_for_no_other_certificate_of_its_name() {
    for params in [openssl_req(), server()] {
        let (trust, own) = own(params.clone());
        let other = Identity::self_signed(params);
        let expected = "the certificate of localhost:443 is self-signed and not trusted here; \
                        add it to the CA file, or check for interception";
        assert_eq!(refusal(&trust, "localhost", &[&other]), expected);
        assert_eq!(refusal(&trust, "localhost", &[&other, &own]), expected);
    }
    let own = Identity::self_signed(named("localhost")).in_version_1();
    let other = Identity::self_signed(named("localhost")).in_version_1();
    assert!(refusal(&trust(&own.pem()), "localhost", &[&other]).contains("is self-signed"));
}

#[test]
fn a_peer_that_shows_it_without_its_key_is_refused() {
    let thief = Identity::self_signed(server());
    let version_1 = Identity::self_signed(named("localhost")).in_version_1();
    let others = [openssl_req(), server()].map(Identity::self_signed);
    for own in others.iter().chain([&version_1]) {
        let trust = trust(&own.pem());
        let chain = vec![own.der.clone()];
        let refusal = outcome_of(&trust, "localhost", chain, &thief.key).unwrap_err();
        assert!(refusal.contains("signed by another key"), "{refusal}");
    }
}

#[test]
fn it_stands_among_others() {
    let [one, two] = [openssl_req(), server()].map(Identity::self_signed);
    let root = Identity::self_signed(authority("Root"));
    let trust = trust(&format!("{}{}{}", one.pem(), root.pem(), two.pem()));
    let issued = root.issues(server());
    for server in [&one, &two, &issued] {
        assert_eq!(outcome(&trust, "localhost", &[server]), Ok(()));
    }
}

#[test]
fn its_key_can_be_pinned() {
    let version_1 = Identity::self_signed(named("localhost")).in_version_1();
    for own in [Identity::self_signed(openssl_req()), version_1] {
        let hash = ring::digest::digest(&ring::digest::SHA256, &spki(&own));
        let pins = [base64_of(hash.as_ref()), base64_of(&[7; 32])];
        let [outcome, mismatch] = pins.map(|pin| {
            let trust = trust_with_pins(&own.pem(), vec![Pin::parse(&pin).unwrap()]);
            let shown = shows(vec![own.der.clone()], &own.key);
            shake(&trust, "localhost", server_config(VERSIONS[1], shown))
        });
        assert_eq!(outcome, Ok(()));
        let mismatch = mismatch.unwrap_err();
        assert!(tls_failure::is_pin_mismatch(&mismatch));
    }
}

fn spki(identity: &Identity) -> Vec<u8> {
    use rcgen::PublicKeyData;
    identity.key.subject_public_key_info()
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}
