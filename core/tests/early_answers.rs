//! A server that answers before it has read the request, directly after the handshake.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::ring,
    pki_types::PrivateKeyDer,
    version::{TLS12, TLS13},
};
use zelf_core::{
    client::Client,
    config::{Config, Pem},
    error::{Error, Status},
    session_options::SessionOptions,
    text::Text,
};
use zelf_sandbox::{Options, Sandbox};

const ANSWER: &[u8] = b"HTTP/1.1 403 X\r\nContent-Length: 20\r\n\r\n{\"error\":\"rejected\"}";

/// Does the handshake, answers, and reads until the client closes the connection.
fn serve(config: Arc<ServerConfig>, mut socket: TcpStream) {
    let mut tls = ServerConnection::new(config).unwrap();
    loop {
        tls.read_tls(&mut socket).unwrap();
        let state = tls.process_new_packets().unwrap();
        // In TLS 1.3 this is before the client's last handshake message, in TLS 1.2 after it.
        if !tls.is_handshaking()
            || state.tls_bytes_to_write() > 0
                && tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
        {
            break;
        }
        while tls.wants_write() {
            tls.write_tls(&mut socket).unwrap();
        }
    }
    tls.writer().write_all(ANSWER).unwrap();
    let mut flight = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut flight).unwrap();
    }
    socket.write_all(&flight).unwrap();
    let _ = socket.read_to_end(&mut Vec::new());
}

/// Returns the errors of a blocking and an asynchronous call. They use a proxy if one is given.
fn errors(
    version: &'static SupportedProtocolVersion,
    proxy: Option<&str>,
    proxy_ca: &str,
) -> [Error; 2] {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    server.send_half_rtt_data = true;
    let server = Arc::new(server);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    thread::spawn(move || {
        for socket in listener.incoming() {
            let server = Arc::clone(&server);
            thread::spawn(move || serve(server, socket.unwrap()));
        }
    });

    let config = Config {
        base_url: Text::new(Some(url.as_bytes())),
        ca_pem: Some(Pem::Text((cert.pem() + proxy_ca).into_bytes())),
        proxy: Text::new(proxy.map(str::as_bytes)),
        timeout_ms: 2000,
        max_attempts: 1,
        ..Config::default()
    };
    let client = Client::new(&config).unwrap();
    let blocking = client.create_session(&SessionOptions::default());
    let (sender, receiver) = mpsc::channel();
    let (_call, unsent) = client.begin(&SessionOptions::default()).unwrap();
    unsent.submit(Box::new(move |outcome| sender.send(outcome).unwrap()));
    let asynchronous = receiver.recv().unwrap();
    [blocking.unwrap_err(), asynchronous.unwrap_err()]
}

#[test]
fn an_answer_that_comes_with_the_end_of_a_handshake_is_heard_on_every_way() {
    let sandbox = Sandbox::start(Options {
        log: false,
        ..Options::default()
    })
    .unwrap();
    let ca = fs::read_to_string(sandbox.ca_file()).unwrap();
    let (over_tcp, over_tls) = (sandbox.http_url(), sandbox.https_url());
    for version in [&TLS12, &TLS13] {
        for proxy in [None, Some(over_tcp), Some(over_tls)] {
            for error in errors(version, proxy, &ca) {
                assert_eq!(error.status, Status::RejectedOrigin, "{}", error.message);
                assert_eq!(error.server_message.as_deref(), Some("rejected"));
            }
        }
    }
}

/// A proxy that lets bytes of the server follow its answer to a CONNECT: the first ones of a TLS
/// server that does not wait for its client.
fn hasty_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03\x00\x04\x02\x00\x00");
            let _ = socket.read_to_end(&mut Vec::new());
        }
    });
    url
}

#[test]
fn a_server_that_sends_before_the_client_is_refused() {
    for error in errors(&TLS13, Some(&hasty_proxy()), "") {
        assert_eq!(error.status, Status::Tls, "{}", error.message);
    }
}
