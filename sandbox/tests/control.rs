//! The control routes, as a shell script or a C program uses them.

mod common;

use common::{Answer, Wire, create, http, https, named, sandbox, tcp};
use serde_json::{Value, json};
use zelf_sandbox::{FaultKind, Sandbox, Stage};

fn control(sandbox: &Sandbox, line: &str, body: &str) -> (u16, Value) {
    let length = body.len();
    let mut wire = Wire::new(tcp(sandbox.control_url()));
    let answer = wire.exchange(format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    ));
    (answer.status, answer.json())
}

#[test]
fn the_root_says_what_the_ready_line_says() {
    let sandbox = sandbox();
    let (_, ready) = control(&sandbox, "GET /sandbox", "");
    assert_eq!(ready["http"], sandbox.http_url());
    assert_eq!(ready["https"], sandbox.https_url());
    assert_eq!(ready["control"], sandbox.control_url());
    assert_eq!(ready["spki_sha256"], sandbox.spki_sha256());
}

#[test]
fn faults_are_armed_listed_with_their_strikes_and_cleared() {
    let sandbox = sandbox();
    let body = r#"[{"kind":"answer","status":503},{"kind":"missing_date"}]"#;
    assert_eq!(
        control(&sandbox, "POST /sandbox/faults", body),
        (200, json!({"faults": 2}))
    );
    assert_eq!(create(&sandbox, json!({})).status, 503);
    let (_, listed) = control(&sandbox, "GET /sandbox/faults", "");
    assert_eq!(listed["faults"][0]["struck"], 1);
    assert_eq!(listed["faults"][1]["struck"], 0);
    assert_eq!(
        control(&sandbox, "DELETE /sandbox/faults", "").1,
        json!({"cleared": 2})
    );
    assert_eq!(create(&sandbox, json!({})).status, 200);
}

#[test]
fn of_a_list_with_a_wrong_fault_none_is_armed() {
    let sandbox = sandbox();
    let body = r#"[{"kind":"missing_date"},{"kind":"nonsense"}]"#;
    let (status, answer) = control(&sandbox, "POST /sandbox/faults", body);
    assert_eq!(status, 400);
    assert!(
        answer["error"].as_str().unwrap().contains("nonsense"),
        "{answer}"
    );
    assert_eq!(
        control(&sandbox, "GET /sandbox/faults", "").1,
        json!({"faults": []})
    );
}

#[test]
fn no_fault_reaches_the_control_port() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Reset {
        stage: Stage::Accept,
    });
    assert_eq!(control(&sandbox, "DELETE /sandbox/faults", "").0, 200);
    assert_eq!(create(&sandbox, json!({})).status, 200);
}

#[test]
fn time_moves_without_sleeping() {
    let sandbox = sandbox();
    let first = create(&sandbox, named("a"));
    create(&sandbox, named("b"));
    let body = r#"{"identifier":"a","seconds":700}"#;
    assert_eq!(
        control(&sandbox, "POST /sandbox/age", body).1,
        json!({"aged": 1})
    );
    let aged = create(&sandbox, named("a"));
    assert_eq!(first.expires_at() - aged.expires_at(), 700);
    assert_eq!(
        control(&sandbox, "POST /sandbox/reap", "").1,
        json!({"reaped": 1})
    );
    assert_eq!(
        control(&sandbox, "POST /sandbox/age", r#"{"seconds":1}"#).1,
        json!({"aged": 1})
    );
    let (_, clock) = control(&sandbox, "POST /sandbox/clock", r#"{"skew_seconds":-3600}"#);
    assert_eq!(clock["skew_seconds"], -3600);
    let now = clock["now"].as_i64().unwrap();
    assert!((create(&sandbox, named("c")).date() - now).abs() <= 1);
}

#[test]
fn sessions_are_shown_without_tokens_and_can_be_forgotten() {
    let sandbox = sandbox();
    let session = create(&sandbox, json!({"identifier": "a", "domain": "avax"}));
    let (_, shown) = control(&sandbox, "GET /sandbox/sessions", "");
    assert_eq!(shown["sessions"][0]["session"], session.session().as_str());
    assert_eq!(shown["sessions"][0]["domain"], "avax");
    assert!(!shown.to_string().contains("eyJ"), "{shown}");
    assert_eq!(
        control(&sandbox, "DELETE /sandbox/sessions", "").1,
        json!({"cleared": 1})
    );
    assert_eq!(http(&sandbox).search(&session.token()).status, 403);
}

#[test]
fn sessions_are_marked_as_used_one_identifier_or_all() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    create(&sandbox, named("b"));
    let statuses = || {
        let (_, shown) = control(&sandbox, "GET /sandbox/sessions", "");
        let sessions = shown["sessions"].as_array().unwrap().iter();
        sessions.map(|s| s["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(), ["active", "active"]);
    assert_eq!(
        control(&sandbox, "POST /sandbox/use", r#"{"identifier":"b"}"#),
        (200, json!({"used": 1}))
    );
    assert_eq!(statuses(), ["active", "used"]);
    assert_eq!(
        control(&sandbox, "POST /sandbox/use", ""),
        (200, json!({"used": 2}))
    );
    assert_eq!(statuses(), ["used", "used"]);
}

#[test]
fn the_address_of_later_requests_is_set_and_taken_back() {
    let sandbox = sandbox();
    // The address of an open connection changes too.
    let mut wire = http(&sandbox);
    let mut address_of = |identifier| wire.create(named(identifier)).claims()["ip"].clone();
    assert_eq!(address_of("a"), "127.0.0.1");
    let body = r#"{"address":"198.51.100.7"}"#;
    assert_eq!(
        control(&sandbox, "POST /sandbox/address", body),
        (200, json!({"address": "198.51.100.7"}))
    );
    assert_eq!(address_of("b"), "198.51.100.7");
    for (body, identifier) in [("{}", "c"), (r#"{"address":null}"#, "d")] {
        sandbox.set_client_address(Some([198, 51, 100, 7].into()));
        assert_eq!(
            control(&sandbox, "POST /sandbox/address", body),
            (200, json!({"address": null}))
        );
        assert_eq!(address_of(identifier), "127.0.0.1", "{body}");
    }
}

#[test]
fn requests_and_connections_are_shown_and_control_is_not_among_them() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    let (_, shown) = control(&sandbox, "GET /sandbox/requests", "");
    let requests = shown["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["method"], "POST");
    assert_eq!(requests[0]["path"], "/api/sessions");
    assert_eq!(requests[0]["body"], r#"{"identifier":"a"}"#);
    assert_eq!(requests[0]["headers"][0], json!(["Host", "localhost"]));
    assert_eq!(requests[0]["connection"], 1);
    assert!(requests[0]["arrived_ms"].is_u64());
    assert_eq!(
        control(&sandbox, "GET /sandbox/connections", "").1["accepted"],
        1
    );
    control(&sandbox, "DELETE /sandbox/requests", "");
    assert_eq!(
        control(&sandbox, "GET /sandbox/requests", "").1,
        json!({"requests": []})
    );
}

#[test]
fn a_request_is_shown_as_it_came() {
    let sandbox = sandbox();
    let request = "POST /sandbox/echo?a=%20b?&id=1 HTTP/1.1\r\nhOsT: x\r\n\
                   Authorization: Bearer eyJ.a.b\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 3\r\n\r\nabc";
    http(&sandbox).exchange(request);
    http(&sandbox).exchange("GET /sandbox/echo? HTTP/1.1\r\nHost: x\r\n\r\n");
    let (_, shown) = control(&sandbox, "GET /sandbox/requests", "");
    let first = &shown["requests"][0];
    assert_eq!(first["path"], "/sandbox/echo?a=%20b?&id=1");
    assert_eq!(
        first["headers"],
        json!([
            ["hOsT", "x"],
            ["Authorization", "Bearer eyJ.a.b"],
            ["X-A", "1"],
            ["X-A", "2"],
            ["Content-Length", "3"]
        ])
    );
    assert_eq!(first["body"], "abc");
    assert_eq!(first["body_length"], 3);
    assert_eq!(
        first["body_sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(first["carried_out"], false, "a means nothing to an echo");
    assert_eq!(shown["requests"][1]["path"], "/sandbox/echo?");
    assert_eq!(shown["requests"][1]["carried_out"], true);
}

#[test]
fn of_a_long_body_the_length_and_the_hash_are_shown() {
    let sandbox = sandbox();
    for (length, hash) in [
        (
            4_097,
            "4e369b5618643c3abddd027b650bfa54810be3b418028a7c9d82299a59d008e8",
        ),
        (
            2_000_000,
            "bcf7f9d1b4311c3352e60502255ce09a6744df84e8f2c89f79c4b5d74933a95a",
        ),
    ] {
        sandbox.clear_requests();
        let body = "a".repeat(length);
        http(&sandbox).exchange(common::post("/sandbox/echo", "a/b", &body, ""));
        let (_, shown) = control(&sandbox, "GET /sandbox/requests", "");
        let request = &shown["requests"][0];
        assert_eq!(request["body_length"], length);
        assert_eq!(request["body_sha256"], hash);
        assert_eq!(request.get("body"), None);
    }
}

#[test]
fn the_same_routes_are_on_the_plain_listener() {
    let sandbox = sandbox();
    let request = "GET /sandbox HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(http(&sandbox).exchange(request).json()["ready"], true);
    assert_eq!(sandbox.requests(), [], "and are not recorded there");
}

#[test]
fn mistakes_are_named() {
    let sandbox = sandbox();
    for (line, body, reason) in [
        ("POST /sandbox/faults", "{", "EOF"),
        ("POST /sandbox/age", "{}", "seconds"),
        (
            "POST /sandbox/age",
            r#"{"seconds":1,"identifier":2}"#,
            "identifier",
        ),
        ("POST /sandbox/use", r#"{"identifier":2}"#, "identifier"),
        ("POST /sandbox/address", r#"{"address":"here"}"#, "address"),
        ("POST /sandbox/address", r#"{"address":7}"#, "address"),
        ("POST /sandbox/clock", r#"{"seconds":1}"#, "skew_seconds"),
        (
            "GET /sandbox/nowhere",
            "",
            "there is no GET /sandbox/nowhere",
        ),
        ("POST /api/sessions", "", "there is no POST /api/sessions"),
    ] {
        let (status, answer) = control(&sandbox, line, body);
        assert_eq!(status, 400, "{line}");
        assert!(
            answer["error"].as_str().unwrap().contains(reason),
            "{line}: {answer}"
        );
    }
}

#[test]
fn the_library_does_what_the_routes_do() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    let aged = sandbox.control("POST", "/sandbox/age", &json!({"seconds": 601}));
    assert_eq!(aged, Ok(json!({"aged": 1})));
    assert_eq!(sandbox.reap(), 1);
    assert!(
        sandbox
            .control("POST", "/sandbox/nowhere", &json!({}))
            .is_err()
    );
}

/// Sends a request that injects a fault, to the plain port and to the control port. It has this
/// version and these header lines. Returns both answers, and removes the fault.
fn armed(sandbox: &Sandbox, target: &str, version: &str, lines: &str) -> [Answer; 2] {
    let body = r#"{"kind":"missing_date"}"#;
    let length = body.len();
    // A web page can send such a request without a preflight request.
    let request = format!(
        "POST {target} HTTP/{version}\r\n{lines}Content-Type: text/plain\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    [sandbox.http_url(), sandbox.control_url()].map(|url| {
        let answer = Wire::new(tcp(url)).exchange(&request);
        let listed = sandbox.control("GET", "/sandbox/faults", &json!({}));
        let faults = listed.unwrap()["faults"].as_array().unwrap().len();
        assert_eq!(faults == 1, answer.status == 200, "{target} {lines}");
        sandbox.clear_faults();
        answer
    })
}

#[test]
fn a_host_that_is_not_this_machine_is_refused() {
    let sandbox = sandbox();
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:4001", 200),
        ("127.0.0.1:4001", 200),
        ("127.8.9.10", 200),
        ("[::1]:4001", 200),
        ("[::ffff:127.0.0.1]", 200),
        ("evil.example", 403),
        ("evil.example:4001", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost@evil.example", 403),
        ("evil.example@localhost", 403),
        ("localhost.", 403),
        ("127.0.0.1.", 403),
        ("2130706433", 403),
        ("0x7f000001", 403),
        ("0.0.0.0:4001", 403),
        ("[::ffff:192.168.0.1]", 403),
        ("", 403),
    ] {
        for answer in armed(
            &sandbox,
            "/sandbox/faults",
            "1.1",
            &format!("Host: {host}\r\n"),
        ) {
            assert_eq!(answer.status, status, "{host}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            if status == 403 {
                let reason = answer.json()["error"].as_str().unwrap().to_owned();
                assert!(reason.contains("127.0.0.0/8"), "{reason}");
                assert!(reason.ends_with(&format!("not {host}")), "{reason}");
            }
        }
    }
}

#[test]
fn a_request_has_one_host() {
    let sandbox = sandbox();
    for (version, lines, status) in [
        ("1.1", "Host: localhost\r\nHost: localhost\r\n", 403),
        ("1.1", "Host: localhost\r\nHost: evil.example\r\n", 403),
        ("1.1", "Host: evil.example\r\nhost: localhost\r\n", 403),
        ("1.1", "Host: localhost, evil.example\r\n", 403),
        ("1.1", "", 400),
        ("1.0", "", 403),
        ("1.0", "Host: localhost\r\n", 200),
    ] {
        for answer in armed(&sandbox, "/sandbox/faults", version, lines) {
            assert_eq!(answer.status, status, "{version} {lines}");
        }
    }
}

#[test]
fn a_target_with_a_host_in_it_is_no_control_route() {
    let sandbox = sandbox();
    for target in [
        "http://evil.example/sandbox/faults",
        "http://localhost/sandbox/faults",
        "//evil.example/sandbox/faults",
        "evil.example/sandbox/faults",
    ] {
        for answer in armed(&sandbox, target, "1.1", "Host: localhost\r\n") {
            assert!([400, 401].contains(&answer.status), "{target}");
        }
        for answer in armed(&sandbox, target, "1.1", "Host: evil.example\r\n") {
            assert!([401, 403].contains(&answer.status), "{target}");
        }
    }
}

#[test]
fn a_page_from_elsewhere_is_refused() {
    let sandbox = sandbox();
    for (lines, status) in [
        ("", 200),
        ("Sec-Fetch-Site: none\r\n", 200),
        (
            "Sec-Fetch-Site: same-origin\r\nOrigin: http://127.0.0.1:4001\r\n",
            200,
        ),
        (
            "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost:3000\r\n",
            200,
        ),
        // From one name of this machine to another.
        (
            "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost:3000\r\n",
            200,
        ),
        ("Origin: https://localhost\r\n", 200),
        ("Origin: http://[::1]:3000\r\n", 200),
        ("Origin: https://evil.example\r\n", 403),
        (
            "Origin: http://evil.example:4001\r\nSec-Fetch-Site: same-origin\r\n",
            403,
        ),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
        ("Origin: localhost\r\n", 403),
        ("Origin: file://\r\n", 403),
        ("Origin: chrome-extension://localhost\r\n", 403),
        ("Origin: http://localhost.evil.example\r\n", 403),
        ("Origin: http://localhost:3000@evil.example\r\n", 403),
        ("Origin: http://localhost http://evil.example\r\n", 403),
        (
            "Origin: http://localhost\r\nOrigin: https://evil.example\r\n",
            403,
        ),
        (
            "Origin: https://evil.example\r\nOrigin: http://localhost\r\n",
            403,
        ),
        // A form or a link: there is no Origin, or an unknown one.
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n", 403),
        (
            "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
            403,
        ),
        ("Sec-Fetch-Site: something-new\r\n", 403),
    ] {
        let with_host = format!("Host: localhost:4001\r\n{lines}");
        for answer in armed(&sandbox, "/sandbox/faults", "1.1", &with_host) {
            assert_eq!(answer.status, status, "{lines}");
            if status == 403 {
                let reason = answer.json()["error"].as_str().unwrap().to_owned();
                assert!(reason.starts_with("the control routes are"), "{reason}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
    }
}

#[test]
fn an_answer_is_for_pages_of_this_machine_only() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    for url in [sandbox.http_url(), sandbox.control_url()] {
        let mut wire = Wire::new(tcp(url));
        let mut read_by = |origin: &str| {
            let request = "GET /sandbox/requests HTTP/1.1\r\nHost: localhost\r\n";
            wire.exchange(format!("{request}{origin}\r\n"))
        };
        let answer = read_by("Origin: http://localhost:3000\r\n");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, Some("http://localhost:3000"));
        assert_eq!(answer.header("vary"), Some("Origin"));
        let answer = read_by("");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        let answer = read_by("Origin: https://evil.example\r\n");
        assert!(
            !answer.text().contains("/api/sessions"),
            "{}",
            answer.text()
        );
        let asked = "OPTIONS /sandbox/faults HTTP/1.1\r\nHost: localhost\r\n\
                     Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n\r\n";
        let answer = Wire::new(tcp(url)).exchange(asked);
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
}

#[test]
fn the_routes_of_the_service_answer_every_page_as_the_service_does() {
    let sandbox = sandbox();
    for (host, origin) in [
        ("localhost:4001", "http://localhost:3000"),
        ("api.zelf.world", "https://evil.example"),
    ] {
        let request = format!(
            "POST /api/sessions HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
             Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n\r\n{{}}"
        );
        for answer in [
            http(&sandbox).exchange(&request),
            https(&sandbox).exchange(&request),
        ] {
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
    }
}
