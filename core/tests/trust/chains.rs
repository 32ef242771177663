//! Chains of certificates, and the errors for those that a client refuses.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    NameConstraints,
};

use rustls::{
    Error as TlsError, RootCertStore,
    client::danger::ServerCertVerifier,
    crypto::{WebPkiSupportedAlgorithms, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use zelf_core::connect::trust::verifier::{Roots, Shown, Verifier};

use crate::{
    certificates::{Identity, authority, dated, named, pem_of, rare, rsa_key, server},
    handshake::{self, outcome, outcome_of, trust},
};

/// Returns the key of a server whose certificate is refused before its key is used.
fn any_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn refusal(roots: &[&Identity], chain: &[&Identity]) -> String {
    let text: String = roots.iter().map(|root| root.pem()).collect();
    let words = outcome(&trust(&text), "localhost", chain).unwrap_err();
    assert!(
        words.starts_with("the certificate of localhost:443 "),
        "{words}"
    );
    words
}

#[test]
fn an_intermediate_certificate_in_the_ca_file_is_enough() {
    let root = Identity::self_signed(authority("Root"));
    let middle = root.issues(authority("Middle"));
    let own = middle.issues(server());
    let trust = trust(&middle.pem());
    for chain in [&[&own][..], &[&own, &middle], &[&own, &middle, &root]] {
        assert_eq!(outcome(&trust, "localhost", chain), Ok(()));
    }
}

#[test]
fn an_expired_intermediate_certificate_is_told_from_an_expired_servers() {
    let root = Identity::self_signed(authority("Root"));
    let old = root.issues(dated(authority("Old"), 2000, 2001));
    let early = root.issues(dated(authority("Early"), 2100, 2101));
    let under_old = old.issues(server());
    let under_early = early.issues(server());
    assert_eq!(
        refusal(&[&root], &[&under_old, &old]),
        "the certificate of localhost:443 has an expired \
         intermediate certificate above it; ask the server's operator to send a current one, or \
         check this device's date"
    );
    let words = refusal(&[&root], &[&under_early, &early]);
    assert!(words.contains("an intermediate certificate above it that is not valid yet"));
    let expired = root.issues(dated(server(), 2000, 2001));
    assert_eq!(
        refusal(&[&root], &[&expired]),
        "the certificate of localhost:443 has expired; check this device's date first"
    );
    let both = old.issues(dated(server(), 2000, 2001));
    assert!(refusal(&[&root], &[&both, &old]).contains("443 has expired"));
}

#[test]
fn an_intermediate_certificate_that_is_not_sent_is_named_as_a_cause() {
    let root = Identity::self_signed(authority("Root"));
    let middle = root.issues(authority("Middle"));
    let own = middle.issues(server());
    let unrelated = Identity::self_signed(authority("Unrelated"));
    for chain in [&[&own][..], &[&own, &root], &[&own, &unrelated]] {
        let words = refusal(&[&root], chain);
        assert!(words.contains("neither trusted here nor sent by the server"));
        assert!(words.contains("send the intermediate certificates"));
    }
    // Here no certificate is missing.
    let words = refusal(&[&unrelated], &[&own, &middle, &root]);
    assert!(words.contains("not signed by an authority that is trusted here"));
    assert!(refusal(&[&unrelated], &[&own, &middle]).contains("trusted here"));
}

#[test]
fn an_authority_that_was_made_anew_under_its_name_is_told() {
    let [old, new] = [(); 2].map(|()| Identity::self_signed(authority("Root")));
    let own = new.issues(server());
    let words = refusal(&[&old], &[&own]);
    assert!(words.contains("signed by another key than its issuer's"));
    assert!(words.contains("set the right CA file"));
}

#[test]
fn a_critical_extension_that_is_not_supported_is_told() {
    let root = Identity::self_signed(authority("Root"));
    let with = |mut params: rcgen::CertificateParams, id: &[u64]| {
        let value = vec![0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03];
        let mut extension = CustomExtension::from_oid_content(id, value);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
        params
    };
    for id in [
        &[2, 5, 29, 32][..],
        &[2, 5, 29, 36],
        &[2, 5, 29, 54],
        &[1, 2, 3, 4],
    ] {
        let own = root.issues(with(server(), id));
        let words = refusal(&[&root], &[&own]);
        assert!(words.contains("a critical extension that is not supported"));
        let middle = root.issues(with(authority("Middle"), id));
        let own = middle.issues(server());
        let words = refusal(&[&root], &[&own, &middle]);
        assert!(words.contains("a critical extension that is not supported"));
        // In the CA file it does not matter.
        let under = Identity::self_signed(with(authority("Root"), id));
        let own = under.issues(server());
        assert_eq!(outcome(&trust(&under.pem()), "localhost", &[&own]), Ok(()));
    }
}

#[test]
fn a_certificate_of_a_known_authority_needs_a_subject_alt_name() {
    let root = Identity::self_signed(authority("Root"));
    let own = root.issues(named("localhost"));
    assert_eq!(
        refusal(&[&root], &[&own]),
        "the certificate of localhost:443 names no host (it has no subjectAltName); ask its \
         authority to issue it with the host's name"
    );
}

#[test]
fn a_breach_of_an_issuers_limits_is_told() {
    let mut constrained = authority("Constrained");
    constrained.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: vec![],
    });
    let constrained = Identity::self_signed(constrained);
    let own = constrained.issues(server());
    assert!(refusal(&[&constrained], &[&own]).contains("(name constraints)"));

    let root = Identity::self_signed(authority("Root"));
    let mut last = authority("Last");
    last.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let last = root.issues(last);
    let below = last.issues(authority("Below"));
    let own = below.issues(server());
    assert!(refusal(&[&root], &[&own, &below, &last]).contains("(path length)"));

    let no_authority = root.issues(server());
    let own = no_authority.issues(server());
    assert!(refusal(&[&root], &[&own, &no_authority]).contains("(CA:FALSE)"));

    let mut mail = server();
    mail.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let own = root.issues(mail);
    assert!(refusal(&[&root], &[&own]).contains("(extended key usage)"));

    let own = root.issues(authority("localhost"));
    assert!(refusal(&[&root], &[&own]).contains("(CA:TRUE)"));
}

#[test]
fn a_chain_that_is_too_long_is_told() {
    let root = Identity::self_signed(authority("Root"));
    let mut chain = vec![root.issues(authority("1"))];
    for number in 2..12 {
        let next = chain.last().unwrap().issues(authority(&number.to_string()));
        chain.push(next);
    }
    let own = chain.last().unwrap().issues(server());
    let mut sent = vec![&own];
    sent.extend(chain.iter().rev());
    assert!(refusal(&[&root], &sent).contains("a chain above it that is too long"));
}

#[test]
fn a_certificate_of_version_1_from_an_authority_is_told() {
    let root = Identity::self_signed(authority("Root"));
    let own = root.issues(named("localhost")).in_version_1();
    assert!(refusal(&[&root], &[&own]).contains("an X.509 version before 3"));
}

#[test]
fn a_signature_of_a_kind_that_is_not_supported_is_told() {
    for (root, server) in [("root", "sha1"), ("p521", "under_p521"), ("rsa", "pss")] {
        let trust = trust(&pem_of(&rare(root)));
        let words = outcome_of(&trust, "localhost", vec![rare(server)], &any_key());
        assert_eq!(
            words.unwrap_err(),
            "the certificate of localhost:443 or of its issuer is signed in a way that is not \
             supported, such as SHA-1 or ECDSA with P-521; ask its authority to sign it with \
             SHA-256 and RSA or P-256"
        );
    }
}

#[test]
fn a_short_rsa_key_of_an_issuer_is_told() {
    let chain = vec![rare("under_weak"), rare("weak")];
    let trust = trust(&pem_of(&rare("root")));
    let words = outcome_of(&trust, "localhost", chain.clone(), &any_key()).unwrap_err();
    assert!(
        words.contains("has an RSA key that is too short"),
        "{words}"
    );
    // In the CA file the result is the same.
    let trust = handshake::trust(&pem_of(&chain[1]));
    let words = outcome_of(&trust, "localhost", chain, &any_key()).unwrap_err();
    assert!(words.contains("RSA key that is too short"), "{words}");
}

#[test]
fn a_short_rsa_key_of_the_server_is_told() {
    let trust = trust(&pem_of(&rare("root")));
    let words = outcome_of(&trust, "localhost", vec![rare("weak_leaf")], &rsa_key());
    assert_eq!(
        words.unwrap_err(),
        "the certificate of localhost:443 or of its issuer has an RSA key that is too short; \
         ask its authority to issue it for a key of 2048 bits or more"
    );
}

#[test]
fn places_that_could_not_be_read_are_named_with_an_unknown_authority() {
    /// System certificates, of which one is unusable.
    struct Places(RootCertStore, Vec<String>);
    impl Roots for Places {
        fn verify(
            &self,
            shown: &Shown<'_>,
            algorithms: &WebPkiSupportedAlgorithms,
        ) -> Result<(), TlsError> {
            shown.verify(&self.0, algorithms)
        }
        fn holds(&self, _: &CertificateDer<'_>) -> bool {
            false
        }
        fn unusable(&self) -> &[String] {
            &self.1
        }
    }
    let root = Identity::self_signed(authority("Root"));
    let own = root.issues(server());
    let words = |known: &Identity, shown: &Identity, place: &str| {
        let mut store = RootCertStore::empty();
        store.add(known.der.clone()).unwrap();
        let verifier = Verifier {
            roots: Arc::new(Places(store, vec![place.to_owned()])),
            algorithms: ring::default_provider().signature_verification_algorithms,
        };
        let host = ServerName::try_from("localhost").unwrap();
        let outcome = verifier.verify_server_cert(&shown.der, &[], &host, &[], UnixTime::now());
        outcome.map(drop).map_err(|error| handshake::words(&error))
    };
    let place = "\"/x\", which SSL_CERT_DIR names, holds no certificate that can be used";
    let other = Identity::self_signed(authority("Other"));
    let namesake = Identity::self_signed(authority("Root"));
    let [leaf, anchor] = [server(), authority("localhost")].map(Identity::self_signed);
    for (known, shown, why) in [
        (&other, &own, "has an issuer that is neither trusted here"),
        (
            &namesake,
            &own,
            "is signed by another key than its issuer's",
        ),
        (&other, &leaf, "is self-signed and not trusted here"),
        (&other, &anchor, "is self-signed and not trusted here"),
    ] {
        let words = words(known, shown, place).unwrap_err();
        let beginning = format!("the certificate of localhost:443 {why}");
        assert!(words.starts_with(&beginning), "{words}");
        assert!(words.ends_with(&format!(" ({place})")), "{words}");
    }
    assert_eq!(words(&root, &own, place), Ok(()));
    let expired = root.issues(dated(server(), 2000, 2001));
    assert!(
        words(&root, &expired, place)
            .unwrap_err()
            .contains("has expired")
    );
}

#[test]
fn a_certificate_that_is_none_is_told() {
    let root = Identity::self_signed(authority("Root"));
    let own = root.issues(server());
    let mut damaged = own.der.to_vec();
    damaged.truncate(100);
    let trust = trust(&root.pem());
    let words = outcome_of(&trust, "localhost", vec![damaged.into()], &own.key);
    assert!(words.unwrap_err().contains("is not an X.509 certificate"));
}
