//! Answers with a status other than 200.

mod common;

use common::{create, get, http, named, post, sandbox, sandbox_with};
use serde_json::json;

const UNAUTHORIZED: &str =
    r#"{"error":"Protected resource, use Authorization header to get access"}"#;

#[test]
fn a_create_without_origin_or_with_an_empty_one_is_rejected() {
    let sandbox = sandbox();
    for origin in ["", "Origin:\r\n", "Origin:  \r\n"] {
        let request = format!("POST /api/sessions HTTP/1.1\r\nHost: x\r\n{origin}\r\n");
        let answer = http(&sandbox).exchange(request);
        assert_eq!(
            (answer.status, answer.text()),
            (403, r#"{"error":"rejected"}"#),
            "{origin:?}"
        );
    }
}

#[test]
fn any_origin_is_good_enough() {
    let request = "POST /api/sessions HTTP/1.1\r\nHost: x\r\nOrigin: whatever\r\n\r\n";
    assert_eq!(http(&sandbox()).exchange(request).status, 200);
}

#[test]
fn json_that_is_broken_or_no_object_is_a_bad_request_in_plain_text() {
    let sandbox = sandbox();
    for body in [r#"{"identifier":"#, r#""text""#, "1", "null", "{} x"] {
        let request = post("/api/sessions", "application/json", body, "");
        let answer = http(&sandbox).exchange(request);
        assert_eq!(
            (answer.status, answer.text()),
            (400, "Bad Request"),
            "{body}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.header("vary"), None, "the body parser knows no CORS");
    }
}

#[test]
fn an_empty_json_body_is_an_empty_object() {
    let request = post("/api/sessions", "application/json", "", "");
    assert_eq!(http(&sandbox()).exchange(request).status, 200);
}

#[test]
fn unknown_paths_and_methods_ask_for_a_token_first() {
    let sandbox = sandbox();
    for line in [
        "GET /api/sessions",
        "PUT /api/sessions",
        "GET /nowhere",
        "DELETE /",
    ] {
        let answer = http(&sandbox).exchange(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(
            (answer.status, answer.text()),
            (401, UNAUTHORIZED),
            "{line}"
        );
    }
}

#[test]
fn with_a_token_an_unknown_path_is_not_found() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let answer = wire.exchange(get("/nowhere", &token));
    assert_eq!((answer.status, answer.text()), (404, "Not Found"));
}

#[test]
fn a_token_with_anything_after_it_is_no_token() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let path = "/api/zelf-name-service/v2/search?zelfName=abc.zelf";
    assert_eq!(wire.exchange(get(path, &token)).status, 200);
    assert_eq!(
        wire.exchange(get(path, &format!("{token}, x"))).text(),
        UNAUTHORIZED
    );
    let without_scheme = get(path, &token).replace("Bearer ", "");
    assert_eq!(wire.exchange(without_scheme).status, 200);
}

#[test]
fn a_signature_only_route_serves_a_dead_session() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    sandbox.age_sessions(None, 601);
    assert_eq!(wire.search(&token).status, 200, "expired is not reaped");
    sandbox.reap();
    assert_eq!(wire.search(&token).status, 403);
    assert_eq!(
        wire.exchange(get("/api/ethereum/address", &token)).status,
        200
    );
}

#[test]
fn an_exhausted_session_is_refused_until_it_is_killed() {
    let sandbox = sandbox_with(|options| options.use_limit = 3);
    let mut wire = http(&sandbox);
    let first = wire.create(named("a"));
    let address =
        |wire: &mut common::Wire, token: &str| wire.exchange(get("/api/ethereum/address", token));
    for _ in 0..3 {
        assert_eq!(address(&mut wire, &first.token()).status, 200);
    }
    let refused = address(&mut wire, &first.token());
    assert_eq!(
        (refused.status, refused.text()),
        (401, r#"{"error":"Invalid session"}"#)
    );
    let again = wire.create(named("a"));
    assert_eq!(again.session(), first.session());
    assert_eq!(address(&mut wire, &again.token()).status, 401);
    let fresh = wire.create(json!({"identifier": "a", "killSession": true}));
    assert_eq!(address(&mut wire, &fresh.token()).status, 200);
}

#[test]
fn searches_have_a_limit_of_their_own() {
    let sandbox = sandbox_with(|options| options.search_limit = 3);
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    assert_eq!(wire.search(&token).status, 200);
    assert_eq!(wire.search(&token).status, 200);
    let refused = wire.search(&token);
    assert_eq!(
        (refused.status, refused.text()),
        (403, r#"{"validationError":"Search limit exceeded"}"#)
    );
    assert_eq!(
        wire.exchange(get("/api/ethereum/address", &token)).status,
        200
    );
}

#[test]
fn the_key_route_wants_an_identifier_and_no_token() {
    let sandbox = sandbox();
    let path =
        |query: &str| format!("GET /api/sessions/yek-cilbup{query} HTTP/1.1\r\nHost: x\r\n\r\n");
    let key = http(&sandbox).exchange(path("?identifier=anything"));
    let armor = key.json()["data"].as_str().unwrap().to_owned();
    assert!(
        armor.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        "{armor}"
    );
    for query in ["", "?identifier="] {
        let answer = http(&sandbox).exchange(path(query));
        assert_eq!(
            (answer.status, answer.text()),
            (409, "{\"validationError\":\"missing identifier\\n\"}")
        );
    }
}

#[test]
fn the_key_route_wants_one_identifier() {
    let path = "/api/sessions/yek-cilbup?identifier=a&identifier=b";
    let answer = http(&sandbox()).exchange(get(path, ""));
    assert_eq!(
        (answer.status, answer.text()),
        (
            409,
            "{\"validationError\":\"identifier must be a string\\n\"}"
        )
    );
}

#[test]
fn a_message_is_never_decrypted() {
    let sandbox = sandbox();
    for (body, status, error) in [
        (
            json!({}),
            409,
            "{\"validationError\":\"missing message\\n\"}",
        ),
        (
            json!({"message": 1}),
            409,
            "{\"validationError\":\"message must be a string\\n\"}",
        ),
        (
            json!({"message": "x"}),
            500,
            "{\"error\":\"decryption_failed\"}",
        ),
    ] {
        let path = "/api/sessions/decrypt-content";
        let request = post(path, "application/json", &body.to_string(), "");
        let answer = http(&sandbox).exchange(request);
        assert_eq!((answer.status, answer.text()), (status, error), "{body}");
    }
}

#[test]
fn a_body_over_1_mib_is_refused_and_the_connection_goes_on() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let request = |length: usize| {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        post("/api/sessions", "application/json", &body, "")
    };
    let refused = wire.exchange(request(1024 * 1024 + 1));
    assert_eq!(
        (refused.status, refused.text()),
        (413, "request entity too large")
    );
    assert_eq!(wire.exchange(request(1024 * 1024)).status, 200);
}

#[test]
fn a_form_over_56_kib_is_refused() {
    let sandbox = sandbox();
    let status = |length: usize| {
        let form = format!("a={}", "x".repeat(length - 2));
        let content_type = "application/x-www-form-urlencoded";
        let request = post("/api/sessions", content_type, &form, "");
        http(&sandbox).exchange(request).status
    };
    assert_eq!(status(56 * 1024), 200);
    assert_eq!(status(56 * 1024 + 1), 413);
}

#[test]
fn an_identifier_that_is_an_object_is_an_error_of_the_database_layer() {
    let answer = create(&sandbox(), json!({"identifier": {"a": 1}}));
    assert_eq!(answer.status, 500);
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("Cast to string failed"), "{error}");
}

#[test]
fn a_large_chunked_body_is_refused_as_well() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send("POST /api/sessions HTTP/1.1\r\nHost: x\r\nOrigin: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..17 {
        wire.send(format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    wire.send("0\r\n\r\n");
    assert_eq!(wire.receive().status, 413);
    assert_eq!(wire.create(named("a")).status, 200);
}

#[test]
fn a_body_that_nobody_reads_may_have_any_size() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let body = "x".repeat(2 * 1024 * 1024);
    assert_eq!(
        wire.exchange(post("/api/sessions", "text/plain", &body, ""))
            .status,
        200
    );
    assert_eq!(wire.create(named("a")).status, 200);
}

#[test]
fn a_search_without_a_name_is_refused_for_that_only_while_its_session_lives() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let path = "/api/zelf-name-service/v2/search";
    assert_eq!(wire.exchange(get(path, &token)).status, 409);
    sandbox.age_sessions(None, 601);
    sandbox.reap();
    assert_eq!(wire.exchange(get(path, &token)).status, 403);
}

#[test]
fn headers_over_16_kib_are_answered_431_and_the_connection_ends() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let _ = wire.try_send(format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "x".repeat(16 * 1024)
    ));
    let rest = wire.rest();
    assert_eq!(
        String::from_utf8(rest).unwrap(),
        "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn the_token_of_a_very_long_identifier_is_too_long_to_use() {
    let sandbox = sandbox();
    let long = create(&sandbox, named(&"L".repeat(13_000)));
    assert_eq!(long.status, 200);
    assert_eq!(http(&sandbox).search(&long.token()).status, 431);
}

#[test]
fn a_starting_server_finds_nothing() {
    let sandbox = sandbox_with(|options| options.starting_for = 2);
    let mut wire = http(&sandbox);
    for _ in 0..2 {
        let answer = wire.create(named("a"));
        assert_eq!((answer.status, answer.text()), (404, "Not Found"));
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
    }
    assert_eq!(wire.create(named("a")).status, 200);
}

#[test]
fn a_request_that_is_not_http_receives_a_bare_400() {
    let sandbox = sandbox();
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
    ] {
        let mut wire = http(&sandbox);
        wire.send(request);
        let rest = String::from_utf8(wire.rest()).unwrap();
        assert_eq!(
            rest, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            "{request:?}"
        );
    }
}
