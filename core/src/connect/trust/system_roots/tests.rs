use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, NameConstraints,
};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, ServerName, TrustAnchor, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};

use super::*;
use crate::connect::trust::verifier::Verifier;

static BUNDLE: LazyLock<String> = LazyLock::new(|| {
    std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").expect("a bundle")
});

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn roots_of(text: &str) -> SystemRoots {
    SystemRoots {
        trust: TrustTexts {
            texts: vec![text.as_bytes().to_vec()],
            unusable: Vec::new(),
        },
    }
}

fn verify(
    roots: &SystemRoots,
    server: &CertificateDer<'_>,
    chain: &[CertificateDer<'_>],
) -> Outcome {
    let shown = Shown {
        certificate: server,
        intermediates: chain,
        ocsp_response: &[],
        host: &ServerName::try_from("localhost").unwrap(),
        now: now(),
    };
    roots.verify(&shown, &provider().signature_verification_algorithms)
}

/// Returns the authorities as rustls reads them.
fn full_store(text: &str) -> RootCertStore {
    let mut store = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
    store.add_parsable_certificates(certificates.filter_map(Result::ok));
    store
}

#[test]
fn each_authority_of_the_system_is_found_by_its_name() {
    let roots = roots_of(&BUNDLE);
    let all = full_store(&BUNDLE).roots;
    assert!(all.len() > 50, "only {}", all.len());
    for authority in &all {
        let found = roots.authorities(&[&authority.subject]).roots;
        assert!(found.contains(authority), "{authority:?}");
        assert!(found.iter().all(|found| found.subject == authority.subject));
    }
}

#[test]
fn all_names_find_what_a_full_store_holds() {
    let all = full_store(&BUNDLE).roots;
    let names: Vec<&[u8]> = all.iter().map(|authority| &*authority.subject).collect();
    let found = roots_of(&BUNDLE).authorities(&names).roots;
    assert!(found == all, "{} of {}", found.len(), all.len());
}

#[test]
fn the_bundle_holds_the_authorities_that_the_platform_verifier_finds_in_it() {
    let bundle = "/etc/ssl/certs/ca-certificates.crt".as_ref();
    let native = rustls_native_certs::load_certs_from_paths(Some(bundle), None);
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(native.certs);
    let names: Vec<&[u8]> = store.roots.iter().map(|root| &*root.subject).collect();
    let found = roots_of(&BUNDLE).authorities(&names).roots;
    let set = |roots: Vec<TrustAnchor<'static>>| roots.into_iter().collect::<HashSet<_>>();
    assert!(set(found) == set(store.roots));
}

#[test]
fn a_name_of_no_authority_finds_none() {
    let roots = roots_of(&BUNDLE);
    assert!(roots.authorities(&[]).is_empty());
    assert!(roots.authorities(&[b"", b"nobody"]).is_empty());
    let subject = &full_store(&BUNDLE).roots[0].subject.to_vec();
    let mut other = subject.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(roots.authorities(&[&other, &subject[1..]]).is_empty());
}

#[test]
fn lines_of_any_length_find_the_same_authorities() {
    let all = full_store(&BUNDLE).roots;
    let names: Vec<&[u8]> = all.iter().map(|authority| &*authority.subject).collect();
    for width in [1, 37, 75, 76, 10_000] {
        let certificates = CertificateDer::pem_slice_iter(BUNDLE.as_bytes());
        let text: String = certificates.map(|der| pem(&der.unwrap(), width)).collect();
        let found = roots_of(&text).authorities(&names).roots;
        assert!(found == all, "{width}");
    }
}

fn pem(der: &[u8], width: usize) -> String {
    let text = STANDARD.encode(der).into_bytes();
    let lines: Vec<_> = text
        .chunks(width)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    let body = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

struct Authority {
    pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    fn root(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn under(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn server(&self, params: CertificateParams) -> CertificateDer<'static> {
        self.under(params).der
    }
}

fn server_params() -> CertificateParams {
    CertificateParams::new(vec!["localhost".into()]).unwrap()
}

fn dated(from: i32, to: i32) -> CertificateParams {
    let mut params = server_params();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    params
}

/// A date at which the certificates of `server_params` are valid.
fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

type Outcome = Result<(), TlsError>;

/// A bundle as `SystemRoots` and as a full store, which must have the same results.
struct Bundle {
    ours: SystemRoots,
    full: Arc<WebPkiServerVerifier>,
}

impl Bundle {
    /// Inserts authorities into the middle of the system's bundle.
    fn with(authorities: &[&Authority]) -> Self {
        let middle = BUNDLE.len() / 2;
        let middle = middle + BUNDLE[middle..].find("-----BEGIN").unwrap();
        let pems: String = authorities
            .iter()
            .map(|authority| &*authority.pem)
            .collect();
        let text = format!("{}{pems}{}", &BUNDLE[..middle], &BUNDLE[middle..]);
        let full = Arc::new(full_store(&text));
        let full = WebPkiServerVerifier::builder_with_provider(full, Arc::new(provider()));
        Self {
            ours: roots_of(&text),
            full: full.build().unwrap(),
        }
    }

    fn verify(&self, server: &CertificateDer<'_>, chain: &[&CertificateDer<'_>]) -> Outcome {
        let chain: Vec<_> = chain.iter().map(|&der| der.clone()).collect();
        let outcome = verify(&self.ours, server, &chain);
        let name = ServerName::try_from("localhost").unwrap();
        let expected = self
            .full
            .verify_server_cert(server, &chain, &name, &[], now());
        let expected = expected.map(drop);
        // Compare the texts: an error of webpki that rustls wraps is not equal to itself.
        assert_eq!(format!("{outcome:?}"), format!("{expected:?}"));
        outcome
    }
}

fn certificate_error(outcome: Outcome) -> CertificateError {
    match outcome {
        Err(TlsError::InvalidCertificate(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chain_to_an_authority_in_the_middle_of_the_bundle_is_accepted() {
    let root = Authority::root(authority_params("Root"));
    let middle = root.under(authority_params("Middle"));
    let lower = middle.under(authority_params("Lower"));
    let bundle = Bundle::with(&[&root]);
    assert_eq!(bundle.verify(&root.server(server_params()), &[]), Ok(()));
    assert_eq!(
        bundle.verify(&middle.server(server_params()), &[&middle.der]),
        Ok(())
    );
    let server = lower.server(server_params());
    assert_eq!(bundle.verify(&server, &[&lower.der, &middle.der]), Ok(()));
    // Servers send chains in the wrong order, with the root or with unrelated certificates.
    let unrelated = Authority::root(authority_params("Unrelated"));
    let chain = [&root.der, &unrelated.der, &middle.der, &lower.der];
    assert_eq!(bundle.verify(&server, &chain), Ok(()));
    assert!(bundle.verify(&server, &[&lower.der]).is_err());
}

#[test]
fn an_authority_that_is_not_in_the_bundle_is_unknown() {
    let root = Authority::root(authority_params("Root"));
    let middle = root.under(authority_params("Middle"));
    let server = middle.server(server_params());
    let bundle = Bundle::with(&[&Authority::root(authority_params("Other"))]);
    for chain in [&[][..], &[&middle.der], &[&middle.der, &root.der]] {
        let error = certificate_error(bundle.verify(&server, chain));
        assert_eq!(error, CertificateError::UnknownIssuer);
    }
}

#[test]
fn an_authority_in_the_chain_that_the_bundle_holds_is_enough() {
    let root = Authority::root(authority_params("Root"));
    let middle = root.under(authority_params("Middle"));
    let server = middle.server(server_params());
    assert_eq!(
        Bundle::with(&[&middle]).verify(&server, &[&middle.der]),
        Ok(())
    );
}

#[test]
fn authorities_with_the_same_name_are_all_tried() {
    let [first, second, third] = [(); 3].map(|()| Authority::root(authority_params("Root")));
    let bundle = Bundle::with(&[&first, &second]);
    assert_eq!(bundle.verify(&first.server(server_params()), &[]), Ok(()));
    assert_eq!(bundle.verify(&second.server(server_params()), &[]), Ok(()));
    let error = certificate_error(bundle.verify(&third.server(server_params()), &[]));
    assert_eq!(error, CertificateError::BadSignature);
}

#[test]
fn every_other_refusal_is_that_of_a_full_store() {
    let root = Authority::root(authority_params("Root"));
    let middle = root.under(authority_params("Middle"));
    let unknown = Authority::root(authority_params("Unknown"));
    let mut constrained = authority_params("Constrained");
    constrained.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
        excluded_subtrees: vec![],
    });
    let constrained = Authority::root(constrained);
    let mut old = dated(2000, 2001);
    old.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let old = root.under(old);
    let bundle = Bundle::with(&[&root, &constrained]);

    let mut elsewhere = server_params();
    elsewhere.subject_alt_names = vec![rcgen::SanType::DnsName("example.com".try_into().unwrap())];
    let mut mail = server_params();
    mail.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let all = [
        server_params(),
        dated(2000, 2001),
        dated(2100, 2101),
        elsewhere,
        mail,
        authority_params("Server"),
    ];
    let mut refused = HashSet::new();
    for issuer in [&root, &middle, &unknown, &constrained, &old] {
        for params in &all {
            let mut server = issuer.server(params.clone()).to_vec();
            for is_altered in [false, true] {
                if is_altered {
                    *server.last_mut().unwrap() ^= 1;
                }
                let server = CertificateDer::from(&server[..]);
                let garbage = CertificateDer::from(&b"\x30\x82\xff"[..]);
                for chain in [&[][..], &[&issuer.der], &[&garbage, &issuer.der, &root.der]] {
                    if let Err(error) = bundle.verify(&server, chain) {
                        refused.insert(format!("{error:?}").split(" {").next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    assert!(refused.len() >= 7, "{refused:#?}");
}

#[test]
fn a_server_certificate_that_is_none_is_refused_as_by_a_full_store() {
    let root = Authority::root(authority_params("Root"));
    let server = root.server(server_params());
    let bundle = Bundle::with(&[&root]);
    for der in [
        &b""[..],
        b"\x30\x00",
        &server[..server.len() - 1],
        &[0xff; 40],
    ] {
        assert!(bundle.verify(&CertificateDer::from(der), &[]).is_err());
    }
    let trailing = [&server[..], b"\0"].concat();
    assert!(bundle.verify(&CertificateDer::from(trailing), &[]).is_err());
}

#[test]
fn an_unusable_certificate_does_not_hide_the_others() {
    let root = Authority::root(authority_params("Root"));
    let server = root.server(server_params());
    let broken = [
        root.pem.replacen("MII", "MIJ", 1),
        root.pem.replace("-----END", "?-----END"),
        root.pem.replace("-----END CERTIFICATE-----", ""),
    ];
    for broken in broken {
        assert!(check(broken.as_bytes(), true).is_err());
        let roots = roots_of(&format!("{broken}{}{broken}", root.pem));
        let outcome = verify(&roots, &server, &[]);
        assert!(outcome.is_ok(), "{outcome:?} {broken}");
    }
}

#[test]
fn a_trusted_certificate_is_an_authority() {
    let root = Authority::root(authority_params("Root"));
    let server = root.server(server_params());
    let roots = roots_of(&root.pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"));
    assert!(verify(&roots, &server, &[]).is_ok());
}

#[test]
fn a_text_without_a_usable_certificate_says_what_it_holds() {
    let root = Authority::root(authority_params("Root")).pem;
    assert_eq!(check(root.as_bytes(), true), Ok(()));
    let reason = |text: &str| check(text.as_bytes(), true).unwrap_err();
    assert_eq!(reason("some text"), "contains no certificate in PEM form");
    assert_eq!(reason(" \n"), "is empty");
    let broken = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n";
    assert_eq!(
        reason(&format!("\n{broken}{broken}")),
        "contains no usable certificate \
         (the 1st certificate, line 2, is not valid base64)"
    );
    let no_certificate = broken.replace('?', "MAA=");
    assert_eq!(
        reason(&no_certificate),
        "contains no usable certificate \
         (the 1st certificate, line 1, is damaged, or is not an X.509 certificate)"
    );
    assert_eq!(check(broken.as_bytes(), false), Ok(()));
}

#[test]
fn a_certificate_is_held_if_it_is_in_the_bundle_byte_by_byte() {
    let root = Authority::root(authority_params("Root"));
    let namesake = Authority::root(authority_params("Root"));
    let bundle = Bundle::with(&[&root]).ours;
    assert!(bundle.holds(&root.der));
    assert!(!bundle.holds(&namesake.der));
    for der in [&b""[..], b"\x30", &root.der[..root.der.len() - 1]] {
        assert!(!bundle.holds(&CertificateDer::from(der)));
    }
}

#[test]
fn a_handshake_of_either_version_of_tls_succeeds() {
    let root = Authority::root(authority_params("Root"));
    let key = KeyPair::generate().unwrap();
    let server = server_params().signed_by(&key, &root.issuer).unwrap();
    let roots: Arc<dyn ServerCertVerifier> = Arc::new(Verifier {
        roots: Arc::new(Bundle::with(&[&root]).ours),
        algorithms: provider().signature_verification_algorithms,
    });
    for version in [&TLS12, &TLS13] {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        handshake(version, Arc::clone(&roots), server.der().clone(), key);
    }
}

fn handshake(
    version: &'static SupportedProtocolVersion,
    roots: Arc<dyn ServerCertVerifier>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) {
    let provider = Arc::new(provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut sent = Vec::new();
        client.write_tls(&mut sent).unwrap();
        server.read_tls(&mut &sent[..]).unwrap();
        server.process_new_packets().unwrap();
        sent.clear();
        server.write_tls(&mut sent).unwrap();
        client.read_tls(&mut &sent[..]).unwrap();
        client.process_new_packets().unwrap();
    }
    assert_eq!(client.protocol_version(), Some(version.version));
}

#[test]
fn a_damaged_bundle_gives_all_that_the_parser_of_rustls_still_reads() {
    let sound: String = BUNDLE
        .split_inclusive("-----END CERTIFICATE-----\n")
        .take(4)
        .collect();
    let names = full_store(&sound).roots;
    let names: Vec<&[u8]> = names.iter().map(|root| &*root.subject).collect();
    let pieces = [
        "",
        "-",
        "-----",
        "\n",
        "\r",
        " ",
        "=",
        "A",
        "\n-----BEGIN ",
        "\n-----END ",
        "\0",
    ];
    let mut random = 1_u64;
    let mut below = |limit: usize| {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) as usize % limit
    };
    let mut lost = 0;
    for _ in 0..ROUNDS {
        let mut text = sound.clone();
        for _ in 0..1 + below(4) {
            let marker = text
                .match_indices("-----")
                .nth(below(16))
                .map_or(0, |found| found.0);
            let at = match below(2) {
                0 => (marker + below(40)).saturating_sub(8).min(text.len() - 9),
                _ => below(text.len() - 9),
            };
            text.replace_range(at..at + below(3), pieces[below(pieces.len())]);
        }
        // Unlike OpenSSL, that parser accepts a BEGIN with spaces in its dashes.
        if text.contains("- -") {
            continue;
        }
        let found = roots_of(&text).authorities(&names).roots;
        let expected = full_store(&text).roots;
        lost += usize::from(expected.len() < 4);
        for root in expected
            .iter()
            .filter(|root| names.contains(&&*root.subject))
        {
            assert!(found.contains(root), "{text}");
        }
    }
    assert!(lost > ROUNDS / 4, "only {lost}");
}

const ROUNDS: usize = 300;
