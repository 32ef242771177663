//! Answers that differ from those of the service.

mod common;

use common::{create, create_request, get, http, inject, named, post_with, sandbox, until_the_end};
use serde_json::json;
use zelf_sandbox::{AnswerFraming, Fault, FaultKind, Reply};

#[test]
fn any_status_has_any_shape_of_body_and_any_headers() {
    let sandbox = sandbox();
    for (reply, status, content_type, body) in [
        (
            json!({"status": 500, "error": "x"}),
            500,
            Some("application/json; charset=utf-8"),
            r#"{"error":"x"}"#,
        ),
        (
            json!({"status": 409, "validation_error": "a\nb"}),
            409,
            Some("application/json; charset=utf-8"),
            "{\"validationError\":\"a\\nb\"}",
        ),
        (
            json!({"status": 403, "error": "x", "validation_error": "y"}),
            403,
            Some("application/json; charset=utf-8"),
            r#"{"error":"x","validationError":"y"}"#,
        ),
        (
            json!({"status": 404, "text": "Not Found"}),
            404,
            Some("text/plain; charset=utf-8"),
            "Not Found",
        ),
        (
            json!({"status": 502, "html": "<h1>x</h1>"}),
            502,
            Some("text/html; charset=utf-8"),
            "<h1>x</h1>",
        ),
        (json!({"status": 503}), 503, None, ""),
        (
            json!({"json": [1]}),
            200,
            Some("application/json; charset=utf-8"),
            "[1]",
        ),
        (
            json!({"data": null}),
            200,
            Some("application/json; charset=utf-8"),
            r#"{"data":null}"#,
        ),
        (
            json!({"data": {"token": "a\n"}}),
            200,
            Some("application/json; charset=utf-8"),
            r#"{"data":{"token":"a\n"}}"#,
        ),
        (
            json!({"data": 1, "headers": {"Content-Type": "text/x"}}),
            200,
            Some("text/x"),
            r#"{"data":1}"#,
        ),
    ] {
        let mut fault = reply.clone();
        fault["kind"] = json!("answer");
        fault["times"] = json!(1);
        inject(&sandbox, fault);
        let answer = create(&sandbox, json!({}));
        assert_eq!((answer.status, answer.text()), (status, body), "{reply}");
        assert_eq!(answer.header("content-type"), content_type, "{reply}");
    }
}

#[test]
fn a_busy_server_says_when_to_come_back() {
    let sandbox = sandbox();
    sandbox.inject(Reply::error(429, "slow down").with_header("Retry-After", "2"));
    let answer = create(&sandbox, json!({}));
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("2"))
    );
}

#[test]
fn an_answer_that_says_close_is_followed_by_it() {
    let sandbox = sandbox();
    sandbox.inject(Reply::status(503).with_header("Connection", "close"));
    let mut wire = http(&sandbox);
    assert_eq!(wire.create(json!({})).status, 503);
    assert_eq!(wire.rest(), b"");
}

#[test]
fn unrequested_bytes_follow_the_answer_on_a_kept_connection() {
    let sandbox = sandbox();
    let fault = json!({"kind": "unasked", "ms": 10, "times": 1,
        "text": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
    inject(&sandbox, fault);
    let mut wire = http(&sandbox);
    assert!(!wire.create(json!({})).token().is_empty());
    assert_eq!(wire.receive().text(), "");
    assert!(!wire.create(json!({})).token().is_empty());
}

#[test]
fn a_refusal_has_the_words_of_the_service_as_often_as_it_is_asked_for() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for (name, status, body) in [
        (
            "protected",
            401,
            r#"{"error":"Protected resource, use Authorization header to get access"}"#,
        ),
        ("invalid_session", 401, r#"{"error":"Invalid session"}"#),
        (
            "not_active",
            403,
            r#"{"validationError":"Session is not active"}"#,
        ),
        (
            "search_limit",
            403,
            r#"{"validationError":"Search limit exceeded"}"#,
        ),
        (
            "decrypt_limit",
            403,
            r#"{"validationError":"Decrypt limit exceeded"}"#,
        ),
        ("starting", 404, "Not Found"),
    ] {
        inject(
            &sandbox,
            json!({"kind": "refusal", "as": name, "times": 2, "path": "/api/tags"}),
        );
        let search = get("/api/tags/search?tagName=a", &token);
        for _ in 0..2 {
            let answer = wire.exchange(&search);
            assert_eq!((answer.status, answer.text()), (status, body), "{name}");
            assert_eq!(answer.header_names()[0], "Vary", "{name}");
        }
        assert_eq!(wire.exchange(&search).status, 200, "{name}");
    }
}

#[test]
fn a_refusal_of_a_proxy_is_a_page_and_may_say_when_to_come_back() {
    let sandbox = sandbox();
    for (name, status) in [
        ("bad_gateway", 502),
        ("unavailable", 503),
        ("gateway_timeout", 504),
    ] {
        for header in [None, Some("2")] {
            if let Some(value) = header {
                inject(
                    &sandbox,
                    json!({"kind": "header", "name": "Retry-After", "value": value, "times": 1}),
                );
            }
            inject(&sandbox, json!({"kind": "refusal", "as": name, "times": 1}));
            let answer = create(&sandbox, json!({}));
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("retry-after"), header);
            assert_eq!(answer.header("vary"), None);
            assert!(answer.text().starts_with("<html>"), "{}", answer.text());
        }
    }
}

#[test]
fn an_answer_of_the_service_may_say_when_to_come_back() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    inject(
        &sandbox,
        json!({"kind": "header", "name": "Retry-After", "value": "3", "times": 1}),
    );
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let answer = wire.exchange(post_with("/api/protected/rpc/base", &token, call));
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (200, Some("3"))
    );
}

#[test]
fn a_redirect_goes_to_https_or_where_it_is_told() {
    let sandbox = sandbox();
    sandbox.inject(
        Fault::from(FaultKind::Redirect {
            status: None,
            location: None,
        })
        .times(1),
    );
    inject(
        &sandbox,
        json!({"kind": "redirect", "status": 307, "location": "http://x.test/"}),
    );
    let first = create(&sandbox, json!({}));
    let there = format!("{}/api/sessions", sandbox.https_url());
    assert_eq!(
        (first.status, first.header("location")),
        (301, Some(there.as_str()))
    );
    let second = create(&sandbox, json!({}));
    assert_eq!(
        (second.status, second.header("location")),
        (307, Some("http://x.test/"))
    );
}

#[test]
fn raw_bytes_come_exactly_and_the_connection_stays_if_asked() {
    let sandbox = sandbox();
    let raw = "HTTP/1.1 200 Fine\r\ncontent-length:2\r\n\r\nab";
    inject(
        &sandbox,
        json!({"kind": "raw", "text": raw, "times": 1, "keep": true}),
    );
    inject(
        &sandbox,
        json!({"kind": "raw", "base64": "AP8=", "times": 1}),
    );
    let mut wire = http(&sandbox);
    wire.send(create_request(&named("a")));
    let mut bytes = vec![0; raw.len()];
    std::io::Read::read_exact(&mut wire.stream, &mut bytes).unwrap();
    assert_eq!(bytes, raw.as_bytes());
    wire.send(create_request(&named("a")));
    assert_eq!(wire.rest(), [0x00, 0xFF]);
}

#[test]
fn a_patch_changes_the_real_answer() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "patch", "times": 1, "body": {"data": {"activatedAt": null, "expiresAt": "soon", "more": 1}}}),
    );
    let patched = create(&sandbox, named("a"));
    let data = patched.json()["data"].clone();
    assert_eq!(data.get("activatedAt"), None);
    assert_eq!(
        (&data["expiresAt"], &data["more"]),
        (&json!("soon"), &json!(1))
    );
    assert_eq!(patched.session(), create(&sandbox, named("a")).session());
}

#[test]
fn changed_claims_are_signed_like_any_other() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "claims", "times": 1, "claims": {"identifier": "other"}}),
    );
    let mut wire = http(&sandbox);
    let answer = wire.create(named("a"));
    assert_eq!(answer.claims()["identifier"], "other");
    assert_eq!(wire.search(&answer.token()).status, 200);
}

#[test]
fn the_date_can_be_wrong_or_missing_while_the_service_is_right() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "clock_skew", "seconds": -3600, "times": 1}),
    );
    let skewed = create(&sandbox, named("a"));
    assert!((skewed.activated_at() - skewed.date() - 3600).abs() <= 1);
    inject(&sandbox, json!({"kind": "missing_date", "times": 1}));
    assert_eq!(create(&sandbox, named("a")).header("date"), None);
    assert!(create(&sandbox, named("a")).header("date").is_some());
}

#[test]
fn a_chunked_answer_has_no_length_and_the_same_body() {
    let sandbox = sandbox();
    let framing = AnswerFraming::Chunked;
    sandbox.inject(Fault::from(FaultKind::Framing { framing }).times(1));
    let mut wire = http(&sandbox);
    wire.send(create_request(&named("a")));
    let (_, headers) = wire.receive_head().unwrap();
    assert!(headers.contains(&("Transfer-Encoding".into(), "chunked".into())));
    assert!(!headers.iter().any(|(name, _)| name == "Content-Length"));
    // The next answer shows that the connection is still open.
    wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let rest = String::from_utf8(wire.rest()).unwrap();
    let (chunks, next) = rest.split_once("\r\n0\r\n\r\n").unwrap();
    assert!(
        chunks.starts_with("3d\r\n{\"data\":{\"token\":\"eyJ"),
        "{chunks}"
    );
    assert!(next.starts_with("HTTP/1.1 401 "), "{next}");
}

#[test]
fn a_body_can_end_with_the_connection() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Framing {
        framing: AnswerFraming::UntilClose,
    });
    let rest = String::from_utf8(until_the_end(&sandbox).unwrap()).unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(
        !head.contains("Content-Length") && head.contains("Connection: close"),
        "{head}"
    );
    assert!(body.ends_with("}}"), "{body}");
}

#[test]
fn a_header_of_the_services_answer_can_be_another() {
    let sandbox = sandbox();
    for (name, value) in [("Connection", "close"), ("X-More", "1")] {
        inject(
            &sandbox,
            json!({"kind": "header", "name": name, "value": value}),
        );
    }
    let mut wire = http(&sandbox);
    let answer = wire.create(named("a"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("x-more"), Some("1"));
    assert_eq!(
        wire.rest(),
        b"",
        "the connection is closed as the header says"
    );
}

#[test]
fn a_header_has_one_line() {
    for (name, value) in [("X", "a\nb"), ("X\r\nY", "a")] {
        let fault = json!({"kind": "header", "name": name, "value": value});
        assert!(Fault::from_value(fault).is_err());
    }
}
