//! Certificates and handshakes, good and bad.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use common::{TlsWire, create_request, eventually, http, https, named, sandbox, sandbox_with, tcp};
use rustls::{AlertDescription, CertificateError, Error};
use zelf_sandbox::{Fault, FaultKind, Sandbox, Stage, WrongCertificate};

/// Returns why a client that checks everything refuses.
fn refusal(sandbox: &Sandbox) -> Error {
    let mut wire = https(sandbox);
    let error = wire
        .try_send(create_request(&named("a")))
        .expect_err("a wrong certificate");
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => panic!("not about TLS: {error}"),
    }
}

fn wrong(wrong: WrongCertificate) -> FaultKind {
    FaultKind::Certificate {
        wrong,
        hang_up: false,
    }
}

#[test]
fn the_pin_is_the_hash_of_the_leafs_public_key() {
    let sandbox = sandbox();
    let mut wire: TlsWire = https(&sandbox);
    wire.create(named("a"));
    let leaf = &wire.stream.conn.peer_certificates().unwrap()[0];
    let spki = rustls::server::ParsedCertificate::try_from(leaf).unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, &spki.subject_public_key_info());
    let pin = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    assert_eq!(pin, sandbox.spki_sha256());
}

#[test]
fn every_start_has_a_ca_of_its_own() {
    let (first, second) = (sandbox(), sandbox());
    let pem = |sandbox: &Sandbox| std::fs::read_to_string(sandbox.ca_file()).unwrap();
    assert_ne!(pem(&first), pem(&second));
    assert_ne!(first.spki_sha256(), second.spki_sha256());
}

#[test]
fn the_ca_file_can_be_put_somewhere_and_stays_there() {
    let home = sandbox();
    let path = home.ca_file().with_file_name("chosen.pem");
    let other = sandbox_with(|options| options.ca_file = Some(path.clone()));
    assert_eq!(other.ca_file(), path);
    assert_eq!(https(&other).create(named("a")).status, 200);
    drop(other);
    assert!(path.exists());
}

#[test]
fn an_expired_certificate_is_expired() {
    let sandbox = sandbox();
    sandbox.inject(wrong(WrongCertificate::Expired));
    let error = refusal(&sandbox);
    let expired = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        )
    );
    assert!(expired, "{error}");
}

#[test]
fn a_certificate_of_tomorrow_is_not_valid_yet() {
    let sandbox = sandbox();
    sandbox.inject(wrong(WrongCertificate::NotYetValid));
    let error = refusal(&sandbox);
    let early = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
        )
    );
    assert!(early, "{error}");
}

#[test]
fn a_certificate_of_another_host_is_not_for_localhost() {
    let sandbox = sandbox();
    sandbox.inject(wrong(WrongCertificate::OtherHost));
    let error = refusal(&sandbox);
    let other = matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    );
    assert!(other, "{error}");
}

#[test]
fn a_certificate_of_an_unknown_ca_has_no_trusted_issuer() {
    let sandbox = sandbox();
    sandbox.inject(wrong(WrongCertificate::UnknownCa));
    let error = refusal(&sandbox);
    // Its issuer has the name of the known authority, so that the signature decides.
    let unknown = matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)
    );
    assert!(unknown, "{error}");
}

#[test]
fn a_wrong_certificate_can_be_for_the_next_handshake_only() {
    let sandbox = sandbox();
    sandbox.inject(Fault::from(wrong(WrongCertificate::Expired)).times(1));
    refusal(&sandbox);
    assert_eq!(https(&sandbox).create(named("a")).status, 200);
}

#[test]
fn the_plain_listener_knows_nothing_of_tls_faults() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Reset { stage: Stage::Tls });
    assert_eq!(http(&sandbox).create(named("a")).status, 200);
    assert!(
        https(&sandbox)
            .try_send(create_request(&named("a")))
            .is_err()
    );
}

#[test]
fn a_server_can_send_its_whole_flight_and_then_be_gone() {
    let sandbox = sandbox();
    let wrong = WrongCertificate::UnknownCa;
    sandbox.inject(FaultKind::Certificate {
        wrong,
        hang_up: true,
    });
    let error = refusal(&sandbox);
    assert!(
        matches!(error, Error::InvalidCertificate(_)),
        "the flight was whole: {error}"
    );

    // The same again, slowly: the end comes after the server's first messages, and the RST after
    // the end.
    let mut hello = Vec::new();
    let mut wire = https(&sandbox);
    wire.stream.conn.write_tls(&mut hello).unwrap();
    let mut socket = tcp(sandbox.https_url());
    socket.write_all(&hello).unwrap();
    let mut flight = Vec::new();
    let _ = socket.read_to_end(&mut flight);
    assert_eq!(flight[0], 0x16, "a handshake record");
    eventually("writing fails", || socket.write_all(b"x").is_err());
}

#[test]
fn a_handshake_can_stall_reset_close_and_be_answered_with_garbage() {
    let hello_at = |stage_fault: FaultKind| {
        let sandbox = sandbox();
        sandbox.inject(stage_fault.clone());
        let mut wire = https(&sandbox);
        if matches!(stage_fault, FaultKind::Stall { .. }) {
            let short = Some(Duration::from_millis(100));
            wire.stream.sock.set_read_timeout(short).unwrap();
        }
        wire.try_send(create_request(&named("a"))).unwrap_err()
    };
    let stage = Stage::Tls;
    let stalled = hello_at(FaultKind::Stall { stage });
    assert!(
        matches!(stalled.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{stalled}"
    );
    assert_eq!(
        hello_at(FaultKind::Reset { stage }).kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(
        hello_at(FaultKind::Close { stage }).kind(),
        ErrorKind::UnexpectedEof
    );
    let text = Some("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned());
    let garbage = hello_at(FaultKind::Garbage {
        stage,
        text,
        base64: None,
    });
    assert_eq!(garbage.kind(), ErrorKind::InvalidData);
}

#[test]
fn a_handshake_can_be_late() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Delay {
        ms: 50,
        stage: Stage::Tls,
    });
    let start = Instant::now();
    assert_eq!(https(&sandbox).create(named("a")).status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_request_over_tls_can_be_reset_and_closed_without_a_word() {
    let end = |fault: FaultKind| {
        let sandbox = sandbox();
        sandbox.inject(fault);
        let mut wire = https(&sandbox);
        wire.send(create_request(&named("a")));
        wire.try_rest().unwrap_err().kind()
    };
    assert_eq!(
        end(FaultKind::Reset {
            stage: Stage::Request
        }),
        ErrorKind::ConnectionReset
    );
    // This is a FIN without close_notify. A client that checks for truncation sees it.
    assert_eq!(
        end(FaultKind::Close { stage: Stage::Body }),
        ErrorKind::UnexpectedEof
    );
}

#[test]
fn an_idle_end_over_tls_is_a_clean_one() {
    let sandbox = sandbox_with(|options| options.idle_close = Duration::from_millis(20));
    let mut wire = https(&sandbox);
    wire.create(named("a"));
    assert_eq!(wire.rest(), b"", "close_notify came before the FIN");
}

#[test]
fn a_client_that_wants_tls_1_2_gets_it() {
    let sandbox = sandbox();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let ca = std::fs::read(sandbox.ca_file()).unwrap();
    let ca = rustls::pki_types::pem::PemObject::from_pem_slice(&ca).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = rustls::ClientConnection::new(config.into(), "127.0.0.1".try_into().unwrap());
    let stream = rustls::StreamOwned::new(tls.unwrap(), tcp(sandbox.https_url()));
    assert_eq!(TlsWire::new(stream).create(named("a")).status, 200);
}

#[test]
fn plain_http_on_the_tls_port_is_refused_with_an_alert() {
    let sandbox = sandbox();
    let mut socket = tcp(sandbox.https_url());
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    let fatal_alert = [0x15, 3, 3, 0, 2, 2];
    assert!(answer.starts_with(&fatal_alert), "{answer:?}");
    let codes = [
        AlertDescription::DecodeError,
        AlertDescription::UnexpectedMessage,
    ];
    assert!(codes.map(u8::from).contains(&answer[6]), "{answer:?}");
}
