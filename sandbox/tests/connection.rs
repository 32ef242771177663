//! HTTP/1.1 as the platform of the service handles it.

mod common;

use std::time::{Duration, Instant};

use common::{create_request, http, https, named, post, sandbox, sandbox_with};
use serde_json::json;

#[test]
fn answers_come_in_the_recorded_order_of_headers() {
    let sandbox = sandbox();
    let answer = http(&sandbox).create(json!({}));
    assert_eq!(
        answer.header_names(),
        [
            "Vary",
            "Access-Control-Allow-Origin",
            "Content-Type",
            "Content-Length",
            "Date",
            "Connection",
            "Keep-Alive"
        ]
    );
}

#[test]
fn one_connection_serves_many_requests() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for _ in 0..3 {
        assert_eq!(wire.create(named("a")).status, 200);
    }
    assert_eq!(sandbox.connections(), 1);
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.connection == 1)
    );
}

#[test]
fn https_serves_the_same_sessions() {
    let sandbox = sandbox();
    let plain = http(&sandbox).create(named("a"));
    let secure = https(&sandbox).create(named("a"));
    assert_eq!(secure.session(), plain.session());
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send(create_request(&named("a")) + &create_request(&named("b")));
    assert_eq!(wire.receive().claims()["identifier"], "a");
    assert_eq!(wire.receive().claims()["identifier"], "b");
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for byte in create_request(&named("a")).bytes() {
        wire.send([byte]);
    }
    assert_eq!(wire.receive().claims()["identifier"], "a");
}

#[test]
fn a_chunked_request_is_put_together() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let head = "POST /api/sessions HTTP/1.1\r\nHost: x\r\nOrigin: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    wire.send(format!(
        "{head}6\r\n{{\"iden\r\nD;x=y\r\ntifier\":\"a\"}} \r\n0\r\nTrailer: x\r\n\r\n"
    ));
    assert_eq!(wire.receive().claims()["identifier"], "a");
    assert_eq!(wire.create(named("b")).claims()["identifier"], "b");
}

#[test]
fn an_idle_connection_is_closed_after_a_while() {
    let idle = Duration::from_millis(300);
    let sandbox = sandbox_with(|options| options.idle_close = idle);
    let mut wire = http(&sandbox);
    // The sandbox may start to count the idle time before the client has read the answer.
    let began = Instant::now();
    wire.create(named("a"));
    assert_eq!(wire.rest(), b"");
    assert!(began.elapsed() >= idle, "{:?}", began.elapsed());
    common::eventually("nothing is open", || sandbox.open_connections() == 0);
}

#[test]
fn a_connection_that_has_not_asked_yet_is_not_idle() {
    let sandbox = sandbox_with(|options| options.idle_close = Duration::from_millis(1));
    let mut wire = http(&sandbox);
    common::eventually("it is accepted", || sandbox.connections() == 1);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(wire.create(named("a")).status, 200);
}

#[test]
fn a_request_with_connection_close_ends_the_connection() {
    let sandbox = sandbox();
    let body = named("a").to_string();
    let request = post(
        "/api/sessions",
        "application/json",
        &body,
        "Connection: close\r\n",
    );
    let mut wire = http(&sandbox);
    let answer = wire.exchange(request);
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("keep-alive"), None);
    assert_eq!(wire.rest(), b"");
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let answer = wire.exchange("POST /api/sessions HTTP/1.0\r\nOrigin: x\r\n\r\n");
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    assert_eq!(wire.rest(), b"");
}

#[test]
fn a_request_that_expects_100_is_told_to_continue() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let request = post(
        "/api/sessions",
        "application/json",
        r#"{"identifier":"a"}"#,
        "Expect: 100-continue\r\n",
    );
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    wire.send(format!("{head}\r\n\r\n"));
    assert_eq!(wire.receive_head().unwrap(), (100, vec![]));
    wire.send(body);
    assert_eq!(wire.receive().claims()["identifier"], "a");
}

#[test]
fn a_head_has_the_headers_of_a_get_and_no_body() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.send("HEAD /api/sessions/yek-cilbup?identifier=a HTTP/1.1\r\nHost: x\r\n\r\n");
    let (status, headers) = wire.receive_head().unwrap();
    assert_eq!(status, 200);
    assert!(
        headers
            .iter()
            .any(|(name, value)| name == "Content-Length" && value != "0")
    );
    assert_eq!(
        wire.create(named("a")).status,
        200,
        "no body stood in the way"
    );
}

#[test]
fn a_request_is_remembered_as_it_arrived() {
    let sandbox = sandbox();
    http(&sandbox).create(named("a"));
    https(&sandbox).exchange("GET /api/nowhere?a=b HTTP/1.1\r\nHost: x\r\nX-Case: Kept\r\n\r\n");
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/api/sessions")
    );
    assert_eq!(requests[0].body, br#"{"identifier":"a"}"#);
    assert_eq!((requests[0].connection, requests[0].https), (1, false));
    assert_eq!(requests[1].path, "/api/nowhere?a=b");
    assert_eq!(requests[1].header("x-case"), Some("Kept"));
    assert_eq!((requests[1].connection, requests[1].https), (2, true));
    assert!(requests[1].arrived >= requests[0].arrived);
    sandbox.clear_requests();
    assert_eq!(sandbox.requests(), []);
}

#[test]
fn no_more_is_remembered_than_was_asked_for() {
    let sandbox = sandbox_with(|options| options.record_limit = 2);
    let mut wire = http(&sandbox);
    for identifier in ["a", "b", "c"] {
        wire.create(named(identifier));
    }
    let bodies: Vec<_> = sandbox
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert_eq!(bodies, [br#"{"identifier":"b"}"#, br#"{"identifier":"c"}"#]);
}

#[test]
fn dropping_a_sandbox_closes_its_connections_and_its_ports() {
    let sandbox = sandbox();
    let url = sandbox.http_url().to_owned();
    let ca_file = sandbox.ca_file().to_owned();
    let mut wire = http(&sandbox);
    wire.create(named("a"));
    drop(sandbox);
    assert!(wire.try_rest().is_ok_and(|rest| rest.is_empty()));
    let address = url.trim_start_matches("http://");
    assert!(std::net::TcpStream::connect(address).is_err());
    assert!(!ca_file.exists());
    assert!(!ca_file.parent().unwrap().exists());
}

#[test]
fn the_other_loopback_works_as_well() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("not tested: this machine has no ::1");
        return;
    }
    let sandbox = sandbox_with(|options| options.ipv6 = true);
    assert!(sandbox.http_url().starts_with("http://[::1]:"));
    assert!(sandbox.https_url().starts_with("https://[::1]:"));
    assert_eq!(http(&sandbox).create(json!({})).claims()["ip"], "::1");
}
