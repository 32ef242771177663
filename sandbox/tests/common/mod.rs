//! A client that shows the bytes on the connection.
#![allow(dead_code, reason = "each test program uses its own part of this")]

pub mod checking;
pub mod recording;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use zelf_sandbox::{Fault, Options, Sandbox};

/// The time limit after which a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn sandbox() -> Sandbox {
    Sandbox::start(Options::default()).expect("loopback is there")
}

pub fn sandbox_with(change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options::default();
    change(&mut options);
    Sandbox::start(options).expect("loopback is there")
}

/// An answer as it was received.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// The headers, in the order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn token(&self) -> String {
        let body = self.json();
        let token = body["data"]["token"].as_str();
        token.unwrap_or_else(|| panic!("no token in {body}")).into()
    }

    pub fn claims(&self) -> Value {
        claims_of(&self.token())
    }

    /// Returns the claim `session`.
    pub fn session(&self) -> String {
        self.claims()["session"].as_str().expect("a string").into()
    }

    pub fn activated_at(&self) -> i64 {
        self.json()["data"]["activatedAt"].as_i64().expect("a time")
    }

    pub fn expires_at(&self) -> i64 {
        self.json()["data"]["expiresAt"].as_i64().expect("a time")
    }

    pub fn date(&self) -> i64 {
        let date = httpdate::parse_http_date(self.header("date").expect("a Date"));
        let since = date
            .expect("an HTTP date")
            .duration_since(std::time::UNIX_EPOCH);
        i64::try_from(since.expect("after 1970").as_secs()).expect("a time")
    }
}

pub fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
}

/// One connection.
pub struct Wire<S = TcpStream> {
    pub stream: S,
    buffer: Vec<u8>,
}

pub fn tcp(url: &str) -> TcpStream {
    let address = url
        .rsplit("//")
        .next()
        .expect("a URL")
        .replace("localhost", "127.0.0.1");
    let address: SocketAddr = address.parse().expect("an address");
    let stream = TcpStream::connect(address).expect("the sandbox listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

pub fn http(sandbox: &Sandbox) -> Wire {
    Wire::new(tcp(sandbox.http_url()))
}

pub type TlsWire = Wire<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>;

/// Opens a connection that trusts only the sandbox's CA. The handshake happens with the first byte.
pub fn https(sandbox: &Sandbox) -> TlsWire {
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(sandbox.ca_file()).expect("a PEM file");
    roots.add(ca).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let tls = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
    Wire::new(rustls::StreamOwned::new(tls, tcp(sandbox.https_url())))
}

impl<S: Read + Write> Wire<S> {
    pub fn new(stream: S) -> Self {
        Wire {
            stream,
            buffer: Vec::new(),
        }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the request goes out");
    }

    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 64 * 1024];
        let length = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..length]);
        Ok(length)
    }

    /// Reads one answer with `Content-Length`, or without a body.
    pub fn receive(&mut self) -> Answer {
        self.try_receive().expect("an answer comes back")
    }

    pub fn try_receive(&mut self) -> io::Result<Answer> {
        let (status, headers) = self.receive_head()?;
        let length = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.parse().expect("a length"));
        while self.buffer.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Answer {
            status,
            headers,
            body: self.buffer.drain(..length).collect(),
        })
    }

    pub fn receive_head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head is text");
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().expect("a status line");
        let status = status_line.split(' ').nth(1).expect("a status");
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_owned(), value.to_owned())
        });
        Ok((status.parse().expect("a number"), headers.collect()))
    }

    /// Reads until the end of the connection, which must be clean.
    pub fn rest(&mut self) -> Vec<u8> {
        self.try_rest().expect("a clean end")
    }

    pub fn try_rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill()? > 0 {}
        Ok(std::mem::take(&mut self.buffer))
    }

    pub fn exchange(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.receive()
    }

    pub fn create(&mut self, body: Value) -> Answer {
        self.exchange(create_request(&body))
    }

    pub fn search(&mut self, token: &str) -> Answer {
        self.exchange(get(
            "/api/zelf-name-service/v2/search?zelfName=abc.zelf",
            token,
        ))
    }
}

/// Sends a create over a new connection.
pub fn create(sandbox: &Sandbox, body: Value) -> Answer {
    http(sandbox).create(body)
}

pub fn create_request(body: &Value) -> String {
    post("/api/sessions", "application/json", &body.to_string(), "")
}

/// Builds a POST request. `more`: further header lines with their line ends.
pub fn post(path: &str, content_type: &str, body: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://x.test\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

pub fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// Builds a POST request with a token and a JSON body.
pub fn post_with(path: &str, token: &str, body: &str) -> String {
    let authorization = format!("Authorization: Bearer {token}\r\n");
    post(path, "application/json", body, &authorization)
}

pub fn named(identifier: &str) -> Value {
    json!({ "identifier": identifier })
}

/// Polls until another thread has done something.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < end, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Injects a fault given as JSON.
pub fn inject(sandbox: &Sandbox, fault: Value) {
    sandbox.inject(Fault::from_value(fault).expect("a fault"));
}

/// Sends a create and reads until the end of the connection.
pub fn until_the_end(sandbox: &Sandbox) -> io::Result<Vec<u8>> {
    let mut wire = http(sandbox);
    // If the connection is reset at once, this may already fail.
    wire.try_send(create_request(&named("a")))?;
    wire.try_rest()
}
