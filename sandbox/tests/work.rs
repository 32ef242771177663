//! The record of carried out requests, so that a test can check "at most once".

mod common;

use common::{create, get, http, inject, named, post_with, sandbox};
use serde_json::json;
use zelf_sandbox::Sandbox;

const LEASE: &str = "/api/zelf-name-service/v2/lease";
const DONE: &str = "POST /api/zelf-name-service/v2/lease";

/// Sends a lease, and ignores the answer.
fn lease(sandbox: &Sandbox, query: &str, token: &str) {
    let mut wire = http(sandbox);
    wire.send(post_with(&format!("{LEASE}{query}"), token, "{}"));
    let _ = wire.try_receive();
}

#[test]
fn work_is_counted_by_route_and_by_target() {
    let sandbox = sandbox();
    let token = create(&sandbox, named("a")).token();
    for query in ["?id=1", "?id=2", "?id=2"] {
        lease(&sandbox, query, &token);
    }
    let work = sandbox.control("GET", "/sandbox/work", &json!({})).unwrap();
    assert_eq!(work["routes"][DONE], 3);
    assert_eq!(work["routes"]["POST /api/sessions"], 1);
    assert_eq!(work["targets"][format!("{DONE}?id=2")], 2);
    assert_eq!(sandbox.times_carried_out(DONE), 3);
    assert_eq!(sandbox.times_carried_out(&format!("{DONE}?id=1")), 1);
    assert_eq!(sandbox.times_carried_out("POST /api/tags/lease"), 0);
}

#[test]
fn work_is_counted_anew_when_a_test_says_so() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    sandbox
        .control("DELETE", "/sandbox/work", &json!({}))
        .unwrap();
    let work = sandbox.control("GET", "/sandbox/work", &json!({})).unwrap();
    assert_eq!(
        (&work["routes"], &work["targets"]),
        (&json!({}), &json!({}))
    );
}

#[test]
fn a_refused_request_does_no_work() {
    let sandbox = sandbox();
    lease(&sandbox, "", "eyJ");
    let token = create(&sandbox, named("a")).token();
    sandbox.age_sessions(None, 601);
    sandbox.reap();
    lease(&sandbox, "", &token);
    let mut wire = http(&sandbox);
    assert_eq!(wire.exchange(get("/nowhere", &token)).status, 404);
    assert_eq!(sandbox.times_carried_out(DONE), 0);
    assert_eq!(sandbox.times_carried_out("GET /nowhere"), 0);
}

#[test]
fn a_fault_before_the_work_keeps_it_from_being_done_and_one_after_it_does_not() {
    for (fault, done) in [
        (json!({"kind": "answer", "status": 503}), false),
        (json!({"kind": "refusal", "as": "not_active"}), false),
        (json!({"kind": "redirect"}), false),
        (json!({"kind": "reset", "stage": "request"}), false),
        (json!({"kind": "close", "stage": "request"}), false),
        (json!({"kind": "garbage", "text": "x"}), false),
        (json!({"kind": "close", "stage": "answer"}), true),
        (json!({"kind": "reset", "stage": "answer"}), true),
        (json!({"kind": "close", "stage": "half_head"}), true),
        (json!({"kind": "close", "stage": "body"}), true),
        (json!({"kind": "truncate", "bytes": 1}), true),
    ] {
        let sandbox = sandbox();
        let token = create(&sandbox, named("a")).token();
        sandbox.clear_requests();
        inject(&sandbox, fault.clone());
        lease(&sandbox, "", &token);
        assert_eq!(sandbox.times_carried_out(DONE), u64::from(done), "{fault}");
        assert_eq!(sandbox.requests()[0].carried_out, done, "{fault}");
    }
}
