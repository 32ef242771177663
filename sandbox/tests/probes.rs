//! The routes that return what a client sends, or what a test asks for.

mod common;

use std::time::{Duration, Instant};

use common::{Wire, create, get, http, https, named, sandbox, tcp};
use serde_json::json;
use zelf_sandbox::Sandbox;

fn asked(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn echo(method: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut request = format!(
        "{method} /sandbox/echo HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

fn made(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Returns the bytes until the end of the connection, without the head.
fn body_to_the_end(sandbox: &Sandbox, target: &str) -> Vec<u8> {
    let mut wire = http(sandbox);
    wire.send(asked(target));
    assert_eq!(wire.receive_head().unwrap().0, 200);
    wire.rest()
}

#[test]
fn an_echo_is_the_body_byte_by_byte_with_its_content_type() {
    let sandbox = sandbox();
    let body = made(16 * 1024 * 1024);
    let mut plain = http(&sandbox);
    let mut secure = https(&sandbox);
    // A body that looks like broken JSON must not be refused.
    for content_type in ["text/x; a=b", "application/json"] {
        let answers = [
            plain.exchange(echo("POST", content_type, &body)),
            secure.exchange(echo("PUT", content_type, &body)),
        ];
        for answer in answers {
            assert_eq!(answer.status, 200);
            assert!(answer.body == body);
            assert_eq!(answer.header("content-type"), Some(content_type));
        }
    }
}

#[test]
fn an_echo_of_a_chunked_body_is_the_body() {
    let request = "POST /sandbox/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = http(&sandbox()).exchange(request);
    assert_eq!(answer.text(), "abcde");
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
}

#[test]
fn an_echo_of_nothing_is_empty() {
    let answer = http(&sandbox()).exchange(asked("/sandbox/echo"));
    assert_eq!((answer.status, answer.text()), (200, ""));
}

#[test]
fn an_echo_over_16_mib_is_refused() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let body = vec![0; 16 * 1024 * 1024 + 1];
    assert_eq!(wire.exchange(echo("POST", "a/b", &body)).status, 413);
    assert_eq!(wire.exchange(echo("POST", "a/b", b"x")).text(), "x");
}

#[test]
fn so_many_bytes_come_as_were_asked_for() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for length in [0, 1, 1_000, 100_000, 10_000_000] {
        let answer = wire.exchange(asked(&format!("/sandbox/bytes/{length}")));
        assert!(answer.body == made(length), "{length}");
    }
}

#[test]
fn a_status_and_a_content_type_come_as_were_asked_for() {
    let target = "/sandbox/bytes/3?status=418&type=text/plain&id=7";
    let answer = http(&sandbox()).exchange(asked(target));
    assert_eq!((answer.status, answer.body), (418, made(3)));
    let answer = http(&sandbox()).exchange(asked("/sandbox/bytes/3?type=a/b%3B%20c"));
    assert_eq!(answer.header("content-type"), Some("a/b; c"));
}

#[test]
fn a_chunked_body_comes_in_chunks_and_the_connection_goes_on() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send(asked("/sandbox/bytes/5?framing=chunked&piece=2"));
    let (_, headers) = wire.receive_head().unwrap();
    assert!(headers.contains(&("Transfer-Encoding".into(), "chunked".into())));
    assert!(!headers.iter().any(|(name, _)| name == "Content-Length"));
    wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let rest = wire.rest();
    let chunks = b"2\r\n\x00\x01\r\n2\r\n\x02\x03\r\n1\r\n\x04\r\n0\r\n\r\n";
    assert_eq!(&rest[..chunks.len()], chunks);
    assert!(rest[chunks.len()..].starts_with(b"HTTP/1.1 401 "));
}

#[test]
fn a_body_until_the_close_has_no_length() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send(asked("/sandbox/bytes/70000?framing=until_close"));
    let (_, headers) = wire.receive_head().unwrap();
    assert!(!headers.iter().any(|(name, _)| name == "Content-Length"));
    assert!(headers.contains(&("Connection".into(), "close".into())));
    assert!(wire.rest() == made(70_000));
}

#[test]
fn a_short_body_lacks_its_end_in_every_framing() {
    let sandbox = sandbox();
    let short = |framing: &str| {
        body_to_the_end(
            &sandbox,
            &format!("/sandbox/bytes/5?short=2&framing={framing}"),
        )
    };
    assert_eq!(short("length"), made(3));
    assert_eq!(short("chunked"), b"3\r\n\x00\x01\x02\r\n");
    assert_eq!(short("until_close"), made(3));
}

#[test]
fn a_short_body_says_its_whole_length() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send(asked("/sandbox/bytes/5?short=5"));
    let (_, headers) = wire.receive_head().unwrap();
    assert!(headers.contains(&("Content-Length".into(), "5".into())));
    assert_eq!(wire.rest(), b"");
}

#[test]
fn a_long_body_has_bytes_after_its_end() {
    let sandbox = sandbox();
    for (target, more) in [
        ("/sandbox/bytes/3?long=2", &b"\x00\x01\x02++"[..]),
        (
            "/sandbox/bytes/3?long=2&framing=chunked",
            b"3\r\n\x00\x01\x02\r\n0\r\n\r\n++",
        ),
    ] {
        let mut wire = http(&sandbox);
        wire.send(asked(target).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        let (_, headers) = wire.receive_head().unwrap();
        let length = ("Content-Length".into(), "3".into());
        assert_eq!(headers.contains(&length), !target.contains("chunked"));
        assert_eq!(wire.rest(), more, "{target}");
    }
}

#[test]
fn after_a_long_body_the_connection_goes_on() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send(asked("/sandbox/bytes/3?long=2"));
    wire.receive_head().unwrap();
    wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let rest = wire.rest();
    assert!(rest.starts_with(b"\x00\x01\x02++HTTP/1.1 401 "), "{rest:?}");
}

#[test]
fn a_trickle_takes_its_time_between_pieces() {
    let sandbox = sandbox();
    for framing in ["length", "chunked"] {
        let mut wire = http(&sandbox);
        let start = Instant::now();
        let target = format!("/sandbox/bytes/50?framing={framing}&piece=10&pause_ms=20");
        wire.send(asked(&target).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        wire.receive_head().unwrap();
        let head = start.elapsed();
        assert!(wire.rest().len() >= 50);
        assert!(start.elapsed() >= Duration::from_millis(80), "{framing}");
        assert!(head < start.elapsed());
    }
}

#[test]
fn a_head_of_bytes_has_no_body() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for framing in ["length", "chunked"] {
        let target = format!("/sandbox/bytes/50?framing={framing}&long=3");
        wire.send(asked(&target).replace("GET", "HEAD"));
        assert_eq!(wire.receive_head().unwrap().0, 200);
    }
    assert_eq!(wire.exchange(asked("/sandbox/bytes/2")).body, made(2));
}

#[test]
fn a_probe_asks_for_a_token_or_a_session_if_told_to() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = create(&sandbox, named("a")).token();
    let mut status = |check: &str, token: &str| {
        let target = format!("/sandbox/bytes/3?check={check}");
        wire.exchange(get(&target, token)).status
    };
    assert_eq!(status("token", ""), 401);
    assert_eq!(status("session", ""), 401);
    assert_eq!(status("session", &token), 200);
    sandbox.age_sessions(None, 601);
    sandbox.reap();
    assert_eq!(status("token", &token), 200);
    assert_eq!(status("session", &token), 403);
}

#[test]
fn a_probe_is_recorded_and_struck_by_faults() {
    let sandbox = sandbox();
    common::inject(
        &sandbox,
        json!({"kind": "answer", "status": 503, "path": "/sandbox/echo", "times": 1}),
    );
    let mut wire = http(&sandbox);
    assert_eq!(wire.exchange(echo("POST", "a/b", b"x")).status, 503);
    assert_eq!(wire.exchange(echo("POST", "a/b", b"x")).status, 200);
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn the_control_port_has_no_probes() {
    let sandbox = sandbox();
    let mut wire = Wire::new(tcp(sandbox.control_url()));
    let request = asked("/sandbox/bytes/1").replace("Host: x", "Host: localhost");
    assert_eq!(wire.exchange(request).status, 400);
}

#[test]
fn a_page_that_a_probe_gives_back_is_no_page_of_this_machine() {
    let sandbox = sandbox();
    let script = b"<script>fetch('/sandbox/requests')</script>";
    for request in [
        echo("POST", "text/html", script),
        asked("/sandbox/bytes/9?type=text/html").into(),
    ] {
        let answer = http(&sandbox).exchange(request);
        assert_eq!(answer.header("content-type"), Some("text/html"));
        // A browser then gives the page the origin "null", and runs no script.
        assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    }
}

#[test]
fn a_bad_parameter_is_refused_by_name() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for (end, reason) in [
        ("x", "a number up to"),
        ("67108865", "a number up to"),
        ("1?framing=odd", "framing=odd"),
        ("1?often=1", "often=1"),
        ("1?piece=x", "piece must be a number"),
        ("1?short=2", "short must be at most"),
        ("1?status=100", "from 200 to 999"),
    ] {
        let answer = wire.exchange(asked(&format!("/sandbox/bytes/{end}")));
        assert_eq!(answer.status, 400, "{end}");
        assert!(answer.text().contains(reason), "{end}: {}", answer.text());
    }
}
