//! Connections that end too early, or do not end.

mod common;

use std::io::ErrorKind;
use std::time::Duration;

use common::{create_request, eventually, http, inject, named, sandbox, until_the_end};
use serde_json::json;
use zelf_sandbox::{FaultKind, Sandbox, Stage};

fn stored(sandbox: &Sandbox) -> usize {
    let sessions = sandbox.control("GET", "/sandbox/sessions", &json!({}));
    sessions.unwrap()["sessions"].as_array().unwrap().len()
}

#[test]
fn a_reset_is_a_reset_at_every_stage() {
    for stage in [
        Stage::Accept,
        Stage::Request,
        Stage::Answer,
        Stage::HalfHead,
        Stage::Body,
    ] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Reset { stage });
        let error = until_the_end(&sandbox).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{stage:?}");
    }
}

#[test]
fn a_close_is_a_clean_end_at_every_stage() {
    for (stage, speaks) in [
        (Stage::Accept, false),
        (Stage::Request, false),
        (Stage::Answer, false),
        (Stage::Body, true),
    ] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Close { stage });
        let rest = until_the_end(&sandbox).unwrap();
        assert_eq!(
            rest.starts_with(b"HTTP/1.1 200 OK\r\n"),
            speaks,
            "{stage:?}"
        );
    }
}

#[test]
fn only_from_the_answer_on_has_the_session_been_made() {
    for (stage, sessions) in [(Stage::Request, 0), (Stage::Answer, 1), (Stage::Body, 1)] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Close { stage });
        until_the_end(&sandbox).unwrap();
        assert_eq!(stored(&sandbox), sessions, "{stage:?}");
    }
}

#[test]
fn a_stall_says_nothing_until_the_client_gives_up() {
    for (stage, speaks) in [
        (Stage::Accept, false),
        (Stage::Request, false),
        (Stage::Answer, false),
        (Stage::Body, true),
    ] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Stall { stage });
        let mut wire = http(&sandbox);
        wire.send(create_request(&named("a")));
        if speaks {
            wire.receive_head().unwrap();
        }
        let patience = Some(Duration::from_millis(300));
        wire.stream.set_read_timeout(patience).unwrap();
        if !speaks {
            assert!(wire.receive_head().is_err(), "{stage:?}");
        }
        assert!(wire.try_rest().is_err(), "{stage:?} is still open");
        assert_eq!(sandbox.open_connections(), 1, "{stage:?}");
        drop(wire);
        eventually("the stalled connection is gone", || {
            sandbox.open_connections() == 0
        });
    }
}

#[test]
fn a_truncated_body_is_shorter_than_it_says() {
    let sandbox = sandbox();
    inject(&sandbox, json!({"kind": "truncate", "bytes": 7}));
    let rest = String::from_utf8(until_the_end(&sandbox).unwrap()).unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Length: 334"), "{head}");
    assert_eq!(body, r#"{"data""#);
}

#[test]
fn garbage_is_no_http() {
    let sandbox = sandbox();
    inject(&sandbox, json!({"kind": "garbage"}));
    let rest = until_the_end(&sandbox).unwrap();
    assert!(!rest.is_empty() && !rest.starts_with(b"HTTP"));
}

#[test]
fn garbage_can_be_another_protocols_greeting() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "garbage", "stage": "accept", "text": "SSH-2.0-x\r\n"}),
    );
    assert_eq!(http(&sandbox).rest(), b"SSH-2.0-x\r\n");
}

#[test]
fn half_a_head_is_not_its_end() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Close {
        stage: Stage::HalfHead,
    });
    let rest = String::from_utf8(until_the_end(&sandbox).unwrap()).unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
    assert!(!rest.contains("\r\n\r\n"), "{rest}");
}

#[test]
fn after_half_a_head_nothing_more_comes() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Stall {
        stage: Stage::HalfHead,
    });
    let mut wire = http(&sandbox);
    let patience = Some(Duration::from_millis(300));
    wire.stream.set_read_timeout(patience).unwrap();
    wire.send(create_request(&named("a")));
    assert!(wire.receive_head().is_err());
    assert_eq!(sandbox.open_connections(), 1);
}

/// Sends the head of an echo with a body of 8 MiB, and as much of the body as possible.
fn upload(sandbox: &Sandbox) -> (common::Wire, std::io::Result<()>) {
    let mut wire = http(sandbox);
    let patience = Some(Duration::from_millis(500));
    wire.stream.set_write_timeout(patience).unwrap();
    let body = "x".repeat(8 << 20);
    let sent = wire.try_send(common::post("/sandbox/echo", "a/b", &body, ""));
    (wire, sent)
}

#[test]
fn an_upload_can_be_reset_or_closed_before_its_end() {
    for fault in [
        json!({"kind": "reset", "stage": "upload"}),
        json!({"kind": "close", "stage": "upload"}),
    ] {
        let sandbox = sandbox();
        inject(&sandbox, fault.clone());
        let (mut wire, sent) = upload(&sandbox);
        let rest = sent.and_then(|()| wire.try_rest());
        // A client that is still sending may see the RST that follows the FIN.
        assert!(rest.is_err() || rest.unwrap().is_empty(), "{fault}");
        let recorded = &sandbox.requests()[0];
        assert_eq!((recorded.body_length, recorded.carried_out), (None, false));
    }
}

#[test]
fn an_upload_can_stall() {
    let sandbox = sandbox();
    let stage = Stage::Upload;
    sandbox.inject(FaultKind::Stall { stage });
    let (_wire, sent) = upload(&sandbox);
    assert!(sent.is_err(), "the buffers of a socket are smaller");
    assert_eq!(sandbox.open_connections(), 1);
}

#[test]
fn a_request_without_a_body_is_no_upload() {
    let sandbox = sandbox();
    let stage = Stage::Upload;
    sandbox.inject(FaultKind::Reset { stage });
    let answer = http(&sandbox).exchange("GET /sandbox/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(answer.status, 200);
}
