//! The routes that need a token.

mod common;

use common::{Answer, Wire, create, get, http, named, post_with, sandbox, sandbox_with};
use serde_json::{Value, json};
use zelf_sandbox::Sandbox;

const V2: &str = "/api/zelf-name-service/v2";

/// The method, the target, and the length of the answer.
const ROUTES: [(&str, &str, usize); 25] = [
    ("GET", "/api/ethereum/address", 1_000),
    ("GET", "/api/solana/address/9xQ/transactions?page=2", 1_000),
    ("GET", "/api/avalanche/address/0xabc", 1_000),
    ("GET", "/api/asset/eth/price", 200_000),
    ("POST", "/api/protected/rpc/ethereum", 1_000),
    (
        "GET",
        "/api/zelf-name-service/v2/search?zelfName=abc.zelf",
        74,
    ),
    (
        "GET",
        "/api/zelf-name-service/v2/preview?zelfName=abc.zelf",
        27_000,
    ),
    (
        "POST",
        "/api/zelf-name-service/v2/preview-zelfproof",
        27_000,
    ),
    ("POST", "/api/zelf-name-service/v2/lease", 100_000),
    ("POST", "/api/zelf-name-service/v2/decrypt", 100_000),
    ("GET", "/api/tags/search?tagName=a.zelf", 100_000),
    ("GET", "/api/tags/preview?tagName=a.zelf", 27_000),
    ("POST", "/api/tags/preview-zelfproof", 27_000),
    ("POST", "/api/tags/lease", 100_000),
    ("POST", "/api/tags/decrypt", 100_000),
    ("GET", "/api/zelf-ids/search?tagName=a.zelf", 27_000),
    ("GET", "/api/zelf-ids/preview?tagName=a.zelf", 27_000),
    ("POST", "/api/zelf-ids/preview-zelfproof", 27_000),
    ("POST", "/api/zelf-ids/lease", 100_000),
    ("POST", "/api/zelf-ids/decrypt", 100_000),
    ("GET", "/api/zelf-keys/list", 2_000_000),
    ("POST", "/api/zelf-keys/store/password", 60_000),
    ("POST", "/api/zelf-keys/store/notes", 60_000),
    ("GET", "/api/tags/search?tagName=a.zelf&bytes=1024", 1_024),
    ("POST", "/api/protected/rpc/solana?bytes=3000000", 3_000_000),
];

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"eth_chainId","params":[]}"#;

fn request(method: &str, target: &str, token: &str) -> String {
    match method {
        "GET" => get(target, token),
        _ => post_with(target, token, CALL),
    }
}

fn checks_sessions(target: &str) -> bool {
    target.starts_with(V2)
}

/// Returns the token of a session that no longer exists.
fn dead_token(sandbox: &Sandbox) -> String {
    let token = create(sandbox, named("dead")).token();
    sandbox.age_sessions(Some("dead"), 601);
    sandbox.reap();
    token
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text())
}

#[test]
fn each_route_answers_json_of_its_size() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for (method, target, length) in ROUTES {
        let answer = wire.exchange(request(method, target, &token));
        assert_eq!(answer.status, 200, "{method} {target}");
        assert_eq!(answer.body.len(), length, "{method} {target}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=utf-8")
        );
        assert!(answer.json().is_object(), "{method} {target}");
    }
    assert_eq!(sandbox.connections(), 1);
}

#[test]
fn an_answer_has_the_headers_of_every_answer_of_the_service() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let answer = wire.exchange(get("/api/zelf-keys/list", &token));
    let recorded = [
        "Vary",
        "Access-Control-Allow-Origin",
        "Content-Type",
        "Content-Length",
        "Date",
        "Connection",
        "Keep-Alive",
    ];
    assert_eq!(answer.header_names(), recorded);
}

#[test]
fn an_answer_tells_its_request_and_letters_that_a_test_can_make() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let target = "/api/tags/search?tagName=a.zelf";
    let answer = wire.exchange(get(target, &token));
    let start = format!("{{\"data\":{{\"request\":\"GET {target}\",\"content\":\"");
    let letters = 100_000 - start.len() - 3;
    let content: String = (0..letters)
        .map(|at| char::from(b'a' + (at % 251 % 26) as u8))
        .collect();
    assert_eq!(answer.text(), format!("{start}{content}\"}}}}"));
    assert_eq!(wire.exchange(get(target, &token)).body, answer.body);
}

#[test]
fn a_head_has_the_length_and_no_body() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let head = get("/api/ethereum/address", &token).replace("GET ", "HEAD ");
    wire.send(head);
    let (status, headers) = wire.receive_head().unwrap();
    assert_eq!(status, 200);
    assert!(headers.contains(&("Content-Length".into(), "1000".into())));
    assert_eq!(wire.create(named("a")).status, 200, "no body came");
}

#[test]
fn without_a_token_or_with_a_bad_one_each_route_is_protected() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let protected = r#"{"error":"Protected resource, use Authorization header to get access"}"#;
    let token = wire.create(named("a")).token();
    let spoiled = format!("{}AAAAA", &token[..token.len() - 5]);
    for (method, target, _) in ROUTES {
        for token in ["", "eyJ", spoiled.as_str()] {
            let answer = wire.exchange(request(method, target, token));
            assert_eq!(told(&answer), (401, protected), "{method} {target}");
        }
    }
}

#[test]
fn only_v2_refuses_the_token_of_a_session_that_is_gone() {
    let sandbox = sandbox();
    let token = dead_token(&sandbox);
    let mut wire = http(&sandbox);
    for (method, target, _) in ROUTES {
        let answer = wire.exchange(request(method, target, &token));
        if checks_sessions(target) {
            let refused = r#"{"validationError":"Session is not active"}"#;
            assert_eq!(told(&answer), (403, refused), "{method} {target}");
        } else {
            assert_eq!(answer.status, 200, "{method} {target}");
        }
    }
}

#[test]
fn v2_refuses_a_killed_session_a_used_one_and_a_ghost_and_serves_an_expired_one() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let lease = format!("{V2}/lease");
    let mut status = |token: &str| wire.exchange(post_with(&lease, token, "{}")).status;

    let killed = create(&sandbox, named("a")).token();
    create(&sandbox, json!({"identifier": "a", "killSession": true}));
    assert_eq!(status(&killed), 403);

    let used = create(&sandbox, named("b")).token();
    sandbox.mark_sessions_used(Some("b"));
    assert_eq!(status(&used), 403);

    let ghost = create(&sandbox, json!({"identifier": "c", "type": "nonsense"})).token();
    assert_eq!(status(&ghost), 403);

    let expired = create(&sandbox, named("d")).token();
    sandbox.age_sessions(Some("d"), 601);
    assert_eq!(status(&expired), 200);
}

#[test]
fn each_quota_has_its_limit_and_its_words_and_a_kill_gives_it_back() {
    let sandbox = sandbox_with(|options| {
        options.search_limit = 3;
        options.preview_limit = 3;
        options.lease_limit = 3;
        options.decrypt_limit = 3;
    });
    for (line, words) in [
        ("GET search?zelfName=a", "Search limit exceeded"),
        ("GET preview?zelfName=a", "Decrypt limit exceeded"),
        ("POST lease", "Search limit exceeded"),
        ("POST decrypt", "Decrypt limit exceeded"),
    ] {
        let (method, end) = line.split_once(' ').unwrap();
        let mut wire = http(&sandbox);
        let target = format!("{V2}/{end}");
        let mut send = |token: &str| wire.exchange(request(method, &target, token));
        let token = create(&sandbox, named(line)).token();
        assert_eq!(send(&token).status, 200, "{line}");
        assert_eq!(send(&token).status, 200, "{line}");
        let refused = send(&token);
        let text = format!(r#"{{"validationError":"{words}"}}"#);
        assert_eq!(told(&refused), (403, text.as_str()), "{line}");
        let again = create(&sandbox, named(line)).token();
        assert_eq!(send(&again).status, 403, "{line}: the same session");
        let kill = json!({"identifier": line, "killSession": true});
        assert_eq!(send(&create(&sandbox, kill).token()).status, 200, "{line}");
    }
}

#[test]
fn both_previews_take_from_one_quota() {
    let sandbox = sandbox_with(|options| options.preview_limit = 2);
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let zelfproof = post_with(&format!("{V2}/preview-zelfproof"), &token, "{}");
    assert_eq!(wire.exchange(zelfproof).status, 200);
    let preview = get(&format!("{V2}/preview?zelfName=a"), &token);
    assert_eq!(wire.exchange(preview).status, 403);
}

#[test]
fn every_route_is_a_use_of_the_session() {
    for (method, target, _) in ROUTES {
        let sandbox = sandbox_with(|options| options.use_limit = 1);
        let mut wire = http(&sandbox);
        let token = wire.create(named("a")).token();
        assert_eq!(wire.exchange(request(method, target, &token)).status, 200);
        let refused = wire.exchange(request(method, target, &token));
        let words = r#"{"error":"Invalid session"}"#;
        assert_eq!(told(&refused), (401, words), "{method} {target}");
    }
}

#[test]
fn the_sessions_tell_what_was_spent() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for end in ["lease", "lease", "decrypt", "preview-zelfproof"] {
        wire.exchange(post_with(&format!("{V2}/{end}"), &token, "{}"));
    }
    let shown = sandbox.control("GET", "/sandbox/sessions", &json!({}));
    let session = shown.unwrap()["sessions"][0].clone();
    let spent = |name: &str| session[name].clone();
    assert_eq!(
        ["uses", "searches", "previews", "leases", "decryptions"].map(spent),
        [4, 0, 1, 2, 1].map(Value::from)
    );
}

#[test]
fn a_search_and_a_preview_ask_for_a_name() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for (target, name) in [
        ("/api/tags/search", "tagName"),
        ("/api/tags/preview?tagName=", "tagName"),
        ("/api/zelf-ids/search", "tagName"),
        ("/api/zelf-name-service/v2/preview", "zelfName"),
    ] {
        let answer = wire.exchange(get(target, &token));
        let words = format!("{{\"validationError\":\"missing {name}\\n\"}}");
        assert_eq!(told(&answer), (409, words.as_str()), "{target}");
    }
}

#[test]
fn with_another_method_a_route_is_not_found() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for (method, target, _) in ROUTES {
        let other = if method == "GET" { "POST" } else { "GET" };
        let answer = wire.exchange(request(other, target, &token));
        assert_eq!(told(&answer), (404, "Not Found"), "{other} {target}");
    }
}

#[test]
fn a_list_of_calls_has_a_list_of_results_with_their_ids() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let calls = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": "b"},
        {"jsonrpc": "2.0", "id": "c", "method": "eth_blockNumber"},
    ]);
    let answer = wire.exchange(post_with(
        "/api/protected/rpc/base?bytes=100",
        &token,
        &calls.to_string(),
    ));
    let results = answer.json();
    assert_eq!(results[0]["id"], 1);
    assert_eq!(results[0].to_string().len(), 100);
    assert_eq!(results[1]["id"], "b");
    assert_eq!(results[1]["error"]["code"], -32600);
    assert_eq!(results[2]["id"], "c");
}

#[test]
fn a_length_that_is_none_or_too_long_is_refused() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    for bytes in ["x", "-1", "67108865"] {
        let target = format!("/api/ethereum/address?bytes={bytes}");
        assert_eq!(wire.exchange(get(&target, &token)).status, 400, "{bytes}");
    }
}

#[test]
fn where_a_body_is_too_large_can_be_chosen() {
    let sandbox = sandbox_with(|options| options.body_limit = 10_000_000);
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    let mut status = |length: usize| {
        let body = format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        let target = "/api/zelf-keys/store/password";
        wire.exchange(post_with(target, &token, &body)).status
    };
    assert_eq!(status(10_000_000), 200);
    assert_eq!(status(10_000_001), 413);
}

#[test]
fn a_starting_service_finds_no_route() {
    let sandbox = sandbox_with(|options| options.starting_for = 1);
    let mut wire: Wire = http(&sandbox);
    let answer = wire.exchange(get("/api/tags/search?tagName=a", "eyJ"));
    assert_eq!(told(&answer), (404, "Not Found"));
}
