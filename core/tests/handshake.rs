//! TLS handshakes over real sockets, with a verifier that runs on the calling thread, and with one
//! that runs on a separate thread because it may wait.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    pin::pin,
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle, ThreadId},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, ServerConfig,
    ServerConnection, SignatureScheme, StreamOwned, SupportedProtocolVersion,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    version::{TLS12, TLS13},
};
use tokio::{runtime, sync::Notify};
use zelf_core::{
    connect::{
        failure::{Failure, Peer},
        handshake::Handshake,
        wire::{Broken, Wire},
    },
    error::Status,
};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];
const WAYS: [bool; 2] = [false, true];

type Verdict = dyn Fn() -> Result<(), TlsError> + Send + Sync;

/// Asks a test for its verdict about each certificate.
struct Asks(Box<Verdict>);

impl std::fmt::Debug for Asks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asks")
    }
}

impl ServerCertVerifier for Asks {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        self.0().map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// A server whose certificate takes more than one read. It sends "hello" after the handshake, and
/// reads until the end. Returns the error that it got.
struct Server {
    port: u16,
    thread: JoinHandle<Option<String>>,
}

impl Server {
    fn start(version: &'static SupportedProtocolVersion) -> Self {
        let names: Vec<_> = (0..600)
            .map(|number| format!("host-{number}.test"))
            .collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        assert!(cert.der().len() > 8192);
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        Self::start_with(move |socket| {
            let tls = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(tls, socket);
            let outcome = stream
                .write_all(b"hello")
                .and_then(|()| stream.read_to_end(&mut Vec::new()));
            outcome.err().map(|why| why.to_string())
        })
    }

    fn start_with(serve: impl FnOnce(TcpStream) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = thread::spawn(move || serve(listener.accept().unwrap().0));
        Self { port, thread }
    }

    /// Performs a handshake. Returns the text that the server has sent after it.
    async fn greeting(
        &self,
        verifier_waits: bool,
        verdict: impl Fn() -> Result<(), TlsError> + Send + Sync + 'static,
    ) -> Result<Vec<u8>, Failure> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Asks(Box::new(verdict))))
            .with_no_client_auth();
        let handshake = Handshake {
            config: Arc::new(config),
            name: "host-0.test".try_into().unwrap(),
            peer: Peer::Server,
            verifier_waits,
        };
        let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port))
            .await
            .unwrap();
        let mut wire = handshake.perform(&mut socket, Wire::default()).await?;
        let mut socket = socket.into_std().unwrap();
        socket.set_nonblocking(false).unwrap();
        wire.write_to(&mut socket).unwrap();
        let mut text = Vec::new();
        while text.len() < 5 {
            wire.take(|bytes| {
                text.extend_from_slice(bytes);
                Ok::<(), ()>(())
            })
            .unwrap();
            if text.is_empty() {
                wire.read_from(&mut socket).unwrap();
            }
        }
        Ok(text)
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let builder = &mut runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_trusted_server_is_heard_in_both_ways() {
    for version in VERSIONS {
        for waits in WAYS {
            let server = Server::start(version);
            let text = run(server.greeting(waits, || Ok(())));
            assert_eq!(text.unwrap(), b"hello");
            server.thread.join().unwrap();
        }
    }
}

/// Forwards a connection to the server, and returns the port. The server's bytes arrive one by one.
fn slowly(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        client.set_nodelay(true).unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let (mut requests, mut sink) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut requests, &mut sink));
        let mut byte = [0];
        while server.read(&mut byte).is_ok_and(|count| count == 1)
            && client.write_all(&byte).is_ok()
        {}
    });
    port
}

#[test]
fn a_server_whose_bytes_arrive_one_by_one_is_heard_in_both_ways() {
    for version in VERSIONS {
        for waits in WAYS {
            let mut server = Server::start(version);
            server.port = slowly(server.port);
            let text = run(server.greeting(waits, || Ok(())));
            assert_eq!(text.unwrap(), b"hello");
        }
    }
}

#[test]
fn a_verifier_that_may_wait_runs_on_another_thread_and_no_other_does() {
    for waits in WAYS {
        let server = Server::start(&TLS13);
        let verified_on = Arc::new(Mutex::new(None::<ThreadId>));
        let seen = Arc::clone(&verified_on);
        run(server.greeting(waits, move || {
            *seen.lock().unwrap() = Some(thread::current().id());
            Ok(())
        }))
        .unwrap();
        let is_here = verified_on.lock().unwrap().unwrap() == thread::current().id();
        assert_eq!(is_here, !waits);
    }
}

#[test]
fn a_handshake_whose_verifier_waits_can_be_given_up() {
    let server = Server::start(&TLS13);
    // The verifier waits until the test has given the handshake up.
    let began = Arc::new(Notify::new());
    let (end, ended) = mpsc::channel();
    let (begins, ended) = (Arc::clone(&began), Mutex::new(ended));
    let handshake = server.greeting(true, move || {
        begins.notify_one();
        ended.lock().unwrap().recv().unwrap();
        Ok(())
    });
    run(async {
        let mut handshake = pin!(handshake);
        let mut began = pin!(began.notified());
        poll_fn(|context| {
            assert!(handshake.as_mut().poll(context).is_pending());
            began.as_mut().poll(context)
        })
        .await;
    });
    // The socket is closed already.
    assert!(server.thread.join().unwrap().is_some());
    end.send(()).unwrap();
}

#[test]
fn a_refused_server_hears_why_in_both_ways() {
    for version in VERSIONS {
        for waits in WAYS {
            let server = Server::start(version);
            let why = TlsError::from(CertificateError::Revoked);
            let refusal = why.clone();
            match run(server.greeting(waits, move || Err(refusal.clone()))) {
                Err(Failure::Handshake(Peer::Server, Broken::Tls(error))) => assert_eq!(error, why),
                other => panic!("{other:?}"),
            }
            let heard = server.thread.join().unwrap().unwrap();
            assert!(heard.contains("CertificateRevoked"), "{heard}");
        }
    }
}

#[test]
fn a_server_that_leaves_in_the_middle_is_a_lost_connection_in_both_ways() {
    for waits in WAYS {
        let server = Server::start_with(|mut socket| {
            // Read the client's greeting, so that closing is no reset.
            let _ = socket.read(&mut [0; 4096]);
            None
        });
        match run(server.greeting(waits, || Ok(()))) {
            Err(Failure::Handshake(_, Broken::Io(why))) => {
                assert_eq!(why.to_string(), "it ended during the TLS handshake");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_verifier_that_panics_on_its_thread_is_an_error() {
    let server = Server::start(&TLS13);
    match run(server.greeting(true, || panic!("asked to by the test"))) {
        Err(Failure::Other(error)) => assert_eq!(error.status, Status::Panic),
        other => panic!("{other:?}"),
    }
}
