//! Peers that speak TLS differently, or not at all.

use std::sync::Arc;

use rustls::{
    ClientConnection, Error as TlsError, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    server::WebPkiClientVerifier,
    version::TLS12,
};

use crate::{
    certificates::{Identity, authority, server},
    handshake::{VERSIONS, server_config, shake, shows, trust, words},
};

fn refusal(own: &Identity, server: ServerConfig) -> String {
    words(&shake(&trust(&own.pem()), "localhost", server).unwrap_err())
}

fn shown(own: &Identity) -> Arc<dyn rustls::server::ResolvesServerCert> {
    shows(vec![own.der.clone()], &own.key)
}

/// Returns the client's error for bytes that answer its first message.
fn answered(bytes: &[u8]) -> String {
    let own = Identity::self_signed(server());
    let client = trust(&own.pem()).for_server();
    let client = client.unwrap_or_else(|error| panic!("{error}"));
    let name = "localhost".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    client.write_tls(&mut Vec::new()).unwrap();
    let mut rest = bytes;
    let mut outcome: Result<(), TlsError> = Ok(());
    while !rest.is_empty() && outcome.is_ok() {
        client.read_tls(&mut rest).unwrap();
        outcome = client.process_new_packets().map(drop);
    }
    words(&outcome.unwrap_err())
}

#[test]
fn a_peer_that_does_not_speak_tls_is_told() {
    for bytes in [
        &b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"[..],
        b"<html><h1>Bad Request</h1></html>",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"220 mail.test ESMTP\r\n",
        b"\x05\xff\0\0\0\0\0\0",
        b"-ERR unknown command\r\n",
        &[0; 64],
        &[0xff; 64],
    ] {
        assert_eq!(
            answered(bytes),
            "cannot open a secure connection to localhost:443 (it does not speak TLS); check the \
             scheme and the port"
        );
    }
}

#[test]
fn an_alert_is_told_by_its_meaning() {
    for (alert, expected) in [
        (
            40,
            "none of the ciphers and signatures offered, or requires a client certificate",
        ),
        (42, "requires a client certificate"),
        (70, "TLS versions before 1.2"),
        (80, "an internal error"),
        (112, "does not know this host name"),
        (116, "requires a client certificate"),
        (120, "does not speak HTTP/1.1"),
        (199, "unknown alert"),
    ] {
        let text = answered(&[21, 3, 1, 0, 2, 2, alert]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_server_of_tls_1_0_is_told_to_be_old() {
    // The start of a ServerHello of TLS 1.0, with RC4 and without extensions.
    let mut hello = vec![22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 5, 0]);
    let text = answered(&hello);
    assert!(text.contains("TLS versions before 1.2"), "{text}");
}

#[test]
fn a_server_that_wants_a_client_certificate_is_told() {
    let own = Identity::self_signed(server());
    let mut roots = RootCertStore::empty();
    roots
        .add(Identity::self_signed(authority("Clients")).der)
        .unwrap();
    let provider = Arc::new(ring::default_provider());
    let wanted =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    for version in VERSIONS {
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(wanted.clone())
            .with_cert_resolver(shown(&own));
        assert!(refusal(&own, server).contains("requires a client certificate"));
    }
}

#[test]
fn a_server_of_http_2_alone_is_told() {
    let own = Identity::self_signed(server());
    for version in VERSIONS {
        let mut server = server_config(version, shown(&own));
        server.alpn_protocols = vec![b"h2".to_vec()];
        let text = refusal(&own, server);
        assert!(text.contains("does not speak HTTP/1.1"), "{text}");
    }
}

#[test]
fn a_server_with_no_cipher_in_common_is_told() {
    let own = Identity::self_signed(server());
    let provider = ring::default_provider();
    let rsa_only: Vec<_> = provider
        .cipher_suites
        .iter()
        .copied()
        .filter(|suite| format!("{:?}", suite.suite()).contains("_RSA_"))
        .collect();
    let provider = CryptoProvider {
        cipher_suites: rsa_only,
        ..provider
    };
    let server = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(shown(&own));
    let text = refusal(&own, server);
    assert!(text.contains("none of the ciphers"), "{text}");
}
