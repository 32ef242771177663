//! CONNECT: the sandbox as a proxy.

mod common;

use common::{http, https, named, sandbox};
use serde_json::json;
use zelf_sandbox::Sandbox;

fn connect_request(to: &Sandbox) -> String {
    let target = to.http_url().replace("http://", "");
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")
}

#[test]
fn a_connect_opens_a_tunnel_over_tcp_and_over_tls() {
    let (proxy, server) = (sandbox(), sandbox());
    let mut wire = http(&proxy);
    wire.send(connect_request(&server));
    assert_eq!(wire.receive_head().unwrap().0, 200);
    assert_eq!(wire.create(named("a")).status, 200);
    let mut wire = https(&proxy);
    wire.send(connect_request(&server));
    assert_eq!(wire.receive_head().unwrap().0, 200);
    assert_eq!(wire.create(named("a")).status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_server_that_is_not_there_is_a_bad_gateway() {
    let proxy = sandbox();
    let mut wire = http(&proxy);
    wire.send("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(wire.receive().status, 502);
}

#[test]
fn faults_strike_a_connect() {
    let (proxy, server) = (sandbox(), sandbox());
    let fault = json!({"kind": "answer", "status": 403, "text": "Blocked", "method": "CONNECT"});
    common::inject(&proxy, fault);
    let mut wire = http(&proxy);
    let answer = wire.exchange(connect_request(&server));
    assert_eq!((answer.status, answer.text()), (403, "Blocked"));
    assert_eq!(http(&proxy).create(named("a")).status, 200);
}
