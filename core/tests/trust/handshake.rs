//! A handshake between the client's TLS and a server, without a network.

use std::sync::Arc;

use rustls::{
    ClientConnection, Error as TlsError, ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use zelf_core::connect::{
    tls_failure,
    trust::{ca_file, pins::Pin, policy::Trust},
};

use crate::certificates::Identity;

pub const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Presents one certificate, whatever it is and whether or not the key belongs to it.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

pub fn shows(
    chain: Vec<CertificateDer<'static>>,
    key: &rcgen::KeyPair,
) -> Arc<dyn ResolvesServerCert> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = ring::sign::any_supported_type(&key).unwrap();
    Arc::new(Shows(Arc::new(CertifiedKey::new(chain, key))))
}

pub fn server_config(
    version: &'static SupportedProtocolVersion,
    shown: Arc<dyn ResolvesServerCert>,
) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(shown)
}

pub fn trust(ca_text: &str) -> Trust {
    trust_with_pins(ca_text, Vec::new())
}

pub fn trust_with_pins(ca_text: &str, pins: Vec<Pin>) -> Trust {
    let roots = ca_file::from_text(ca_text.as_bytes(), "the CA text");
    let roots = roots.unwrap_or_else(|error| panic!("{error}"));
    Trust::new(Some(roots), pins).unwrap_or_else(|error| panic!("{error}"))
}

/// Does a handshake. Returns the client's error if it does not trust the server.
pub fn shake(trust: &Trust, host: &str, server: ServerConfig) -> Result<(), TlsError> {
    let client = trust.for_server().unwrap_or_else(|error| panic!("{error}"));
    let name = host.to_owned().try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            // Deliver the server's alert to the client.
            let _ = server.process_new_packets();
        }
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
        if !client.is_handshaking() && !server.is_handshaking() && !client.wants_write() {
            return Ok(());
        }
    }
    panic!("the handshake does not end");
}

/// Returns the outcome with both versions of TLS, with the error as text.
pub fn outcome(trust: &Trust, host: &str, chain: &[&Identity]) -> Result<(), String> {
    let ders = chain.iter().map(|identity| identity.der.clone()).collect();
    outcome_of(trust, host, ders, &chain[0].key)
}

pub fn outcome_of(
    trust: &Trust,
    host: &str,
    chain: Vec<CertificateDer<'static>>,
    key: &rcgen::KeyPair,
) -> Result<(), String> {
    let [older, newer] = VERSIONS.map(|version| {
        let server = server_config(version, shows(chain.clone(), key));
        shake(trust, host, server).map_err(|error| words(&error))
    });
    assert_eq!(older, newer);
    newer
}

pub fn words(error: &TlsError) -> String {
    tls_failure::sentence(error, "localhost:443")
}
