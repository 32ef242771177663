//! Exchanges over TLS whose answer arrives together with other records.

use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, crypto::ring,
    pki_types::PrivateKeyDer,
};
use zelf_core::{
    connect::{
        failure::Failure,
        transfer::{Outgoing, Progress, advance},
        wire::{Broken, Wire},
    },
    http::{
        exchange::{Close, Exchange, Rules},
        head::Method,
    },
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";

/// Both ends of TLS, and the bytes between them.
struct Peers {
    wire: Wire,
    server: ServerConnection,
    config: Arc<ClientConfig>,
    server_config: Arc<ServerConfig>,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

/// The client's socket.
struct Socket<'a> {
    out: &'a mut Vec<u8>,
    incoming: &'a mut Vec<u8>,
}

impl Read for Socket<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.incoming.len().min(bytes.len());
        bytes[..count].copy_from_slice(&self.incoming[..count]);
        self.incoming.drain(..count);
        Ok(count)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn secured(wire: Wire, config: &Arc<ClientConfig>) -> Wire {
    let name = "a.test".try_into().unwrap();
    wire.secured(Arc::clone(config), name).unwrap()
}

impl Peers {
    /// Returns two peers that have done the handshake.
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(client);
        let server_config = Arc::new(server);
        let mut peers = Self {
            wire: secured(Wire::default(), &config),
            config,
            server: ServerConnection::new(Arc::clone(&server_config)).unwrap(),
            server_config,
            to_server: Vec::new(),
            to_client: Vec::new(),
        };
        while peers.wire.is_handshaking() || peers.server.is_handshaking() {
            peers.client_turn();
            peers.server_turn();
        }
        peers.client_turn();
        peers
    }

    fn client_turn(&mut self) {
        let socket = &mut Socket {
            out: &mut self.to_server,
            incoming: &mut self.to_client,
        };
        self.wire.write_to(socket).unwrap();
        while !socket.incoming.is_empty() {
            self.wire.read_from(socket).unwrap();
        }
        self.wire.write_to(socket).unwrap();
    }

    fn server_turn(&mut self) {
        let mut bytes = &self.to_server[..];
        while !bytes.is_empty() {
            self.server.read_tls(&mut bytes).unwrap();
            self.server.process_new_packets().unwrap();
        }
        self.to_server.clear();
        self.server_writes();
    }

    fn server_writes(&mut self) {
        while self.server.wants_write() {
            self.server.write_tls(&mut self.to_client).unwrap();
        }
    }

    /// Sends the messages of a server behind the proxy, and bytes behind them.
    fn tunnels(&mut self, inner: &mut ServerConnection, rest: &[u8]) {
        let mut bytes = Vec::new();
        while inner.wants_write() {
            inner.write_tls(&mut bytes).unwrap();
        }
        bytes.extend_from_slice(rest);
        self.server.writer().write_all(&bytes).unwrap();
        self.server_writes();
    }

    fn answers(&mut self) {
        self.server.writer().write_all(ANSWER).unwrap();
        self.server_writes();
    }

    /// Runs one exchange with the bytes on their way to the client.
    fn exchange(&mut self) -> (Result<Progress, Failure>, Exchange) {
        let mut exchange = Exchange::new(Rules {
            method: Method::Usual,
            max_body: 1000,
            error_body_time: Some(Duration::ZERO),
            is_whole: |_| false,
        });
        self.wire.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let socket = &mut Socket {
            out: &mut self.to_server,
            incoming: &mut self.to_client,
        };
        let nothing = &mut Outgoing::default();
        let outcome = advance(&mut self.wire, socket, nothing, &mut exchange, || {
            Duration::ZERO
        });
        (outcome, exchange)
    }
}

#[test]
fn an_answer_leaves_the_connection_for_the_next() {
    let mut peers = Peers::new();
    peers.answers();
    let (outcome, exchange) = peers.exchange();
    assert_eq!(outcome.unwrap(), Progress::Done);
    assert!(exchange.may_be_followed() && !peers.wire.has_ended());
}

#[test]
fn after_a_goodbye_the_connection_is_not_for_the_next() {
    let mut peers = Peers::new();
    peers.answers();
    peers.server.send_close_notify();
    peers.server_writes();
    let (outcome, exchange) = peers.exchange();
    assert_eq!(outcome.unwrap(), Progress::Done);
    assert_eq!(exchange.answer().body, b"ab");
    assert!(peers.wire.has_ended());
}

#[test]
fn an_answer_counts_whatever_noise_follows_it() {
    let mut peers = Peers::new();
    peers.answers();
    peers.to_client.extend_from_slice(b"\x17\x03\x03\x00\x20");
    peers.to_client.extend_from_slice(&[7; 32]);
    let (outcome, exchange) = peers.exchange();
    assert_eq!(outcome.unwrap(), Progress::Done);
    assert_eq!(exchange.answer().body, b"ab");
    assert!(peers.wire.has_ended());
}

#[test]
fn noise_alone_is_no_answer() {
    let mut peers = Peers::new();
    peers.to_client.extend_from_slice(b"\x17\x03\x03\x00\x20");
    peers.to_client.extend_from_slice(&[7; 32]);
    let (outcome, exchange) = peers.exchange();
    assert!(matches!(outcome, Err(Failure::Lost(Broken::Tls(_)))));
    assert!(!exchange.has_heard());
}

/// A server that has reset the connection: received bytes can be read, and nothing can be written.
struct Reset<'a> {
    written: &'a mut Vec<u8>,
    room: usize,
    incoming: &'a mut Vec<u8>,
}

impl Read for Reset<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut socket = Socket {
            out: self.written,
            incoming: self.incoming,
        };
        socket.read(bytes)
    }
}

impl Write for Reset<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.written.len() < self.room {
            true => self.written.write(bytes),
            false => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_request_that_was_sent_stays_sent_whatever_tls_has_to_say_later() {
    let mut peers = Peers::new();
    peers.to_client.extend_from_slice(b"\x17\x03\x03\x00\x20");
    peers.to_client.extend_from_slice(&[7; 32]);
    let mut exchange = Exchange::new(Rules {
        method: Method::Usual,
        max_body: 1000,
        error_body_time: None,
        is_whole: |_| false,
    });
    let mut outgoing = Outgoing::new(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", b"");
    assert!(!outgoing.is_sent());
    // There is room for the request, but not for the alert about the noise.
    let socket = &mut Reset {
        written: &mut peers.to_server,
        room: 1,
        incoming: &mut peers.to_client,
    };
    let now = || Duration::ZERO;
    let outcome = advance(&mut peers.wire, socket, &mut outgoing, &mut exchange, now);
    assert!(matches!(outcome, Err(Failure::Lost(_))));
    assert!(peers.wire.wants_write() && outgoing.is_sent());
}

/// Returns a tunnel through a proxy over TLS. The other peer is the proxy.
fn tunnel() -> Peers {
    let mut peers = Peers::new();
    peers.wire = secured(peers.wire, &peers.config);
    peers
}

#[test]
fn noise_on_the_way_to_a_proxy_is_told_from_noise_behind_it() {
    let mut peers = tunnel();
    peers.to_client.extend_from_slice(b"\x17\x03\x03\x00\x20");
    peers.to_client.extend_from_slice(&[7; 32]);
    let (outcome, _) = peers.exchange();
    assert!(matches!(outcome, Err(Failure::Lost(Broken::TlsBelow(_)))));

    let mut peers = tunnel();
    peers
        .server
        .writer()
        .write_all(b"HTTP/1.1 400 No\r\n\r\n")
        .unwrap();
    peers.server_writes();
    let (outcome, _) = peers.exchange();
    assert!(matches!(outcome, Err(Failure::Lost(Broken::Tls(_)))));
}

#[test]
fn bytes_behind_a_goodbye_inside_a_tunnel_end_the_read() {
    let mut peers = tunnel();
    let mut inner = ServerConnection::new(Arc::clone(&peers.server_config)).unwrap();
    while peers.wire.is_handshaking() || inner.is_handshaking() {
        peers.client_turn();
        peers.server_turn();
        let mut text = Vec::new();
        let _ = peers.server.reader().read_to_end(&mut text);
        let mut bytes = &text[..];
        while !bytes.is_empty() {
            inner.read_tls(&mut bytes).unwrap();
            inner.process_new_packets().unwrap();
        }
        peers.tunnels(&mut inner, b"");
    }
    inner.send_close_notify();
    peers.tunnels(&mut inner, &[7; 12_000]);
    let socket = &mut Socket {
        out: &mut peers.to_server,
        incoming: &mut peers.to_client,
    };
    while !socket.incoming.is_empty() {
        peers.wire.read_from(socket).unwrap();
    }
    let end = peers.wire.take(|_| Ok::<(), ()>(()));
    assert!(matches!(end, Ok(Some(Close::Clean))));
}
