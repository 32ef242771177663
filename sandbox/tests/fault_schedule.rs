//! When a fault applies.

mod common;

use common::{create, http, https, inject, sandbox};
use serde_json::json;
use zelf_sandbox::{Fault, Listener, Reply};

#[test]
fn a_fault_strikes_until_it_is_cleared() {
    let sandbox = sandbox();
    sandbox.inject(Reply::error(500, "x"));
    for _ in 0..3 {
        assert_eq!(create(&sandbox, json!({})).status, 500);
    }
    sandbox.clear_faults();
    assert_eq!(create(&sandbox, json!({})).status, 200);
}

#[test]
fn a_fault_strikes_so_many_times_after_so_many_were_spared() {
    let sandbox = sandbox();
    sandbox.inject(Fault::from(Reply::status(502)).skip(1).times(2));
    let statuses: Vec<_> = (0..5).map(|_| create(&sandbox, json!({})).status).collect();
    assert_eq!(statuses, [200, 502, 502, 200, 200]);
}

#[test]
fn faults_armed_one_after_the_other_strike_one_after_the_other() {
    let sandbox = sandbox();
    sandbox.inject(Fault::from(Reply::status(502)).times(1));
    sandbox.inject(Fault::from(Reply::status(503)).times(2));
    let statuses: Vec<_> = (0..4).map(|_| create(&sandbox, json!({})).status).collect();
    assert_eq!(statuses, [502, 503, 503, 200]);
}

#[test]
fn a_share_is_struck_and_the_same_one_by_the_same_seed() {
    let struck = |seed: u64| {
        let sandbox = sandbox();
        sandbox.inject(Fault::from(Reply::status(500)).share(0.3, seed));
        let mut wire = http(&sandbox);
        let statuses = (0..200).map(|_| wire.create(json!({})).status);
        statuses.map(|status| status == 500).collect::<Vec<bool>>()
    };
    let first = struck(7);
    let count = first.iter().filter(|&&struck| struck).count();
    assert!((40..=80).contains(&count), "{count} of 200");
    assert_eq!(struck(7), first);
    assert_ne!(struck(8), first);
}

#[test]
fn a_fault_can_be_for_one_route_one_method_and_one_door() {
    let sandbox = sandbox();
    sandbox.inject(
        Fault::from(Reply::status(500))
            .only("POST", "/api/sessions")
            .on(Listener::Https),
    );
    assert_eq!(http(&sandbox).create(json!({})).status, 200);
    let mut wire = https(&sandbox);
    assert_eq!(wire.create(json!({})).status, 500);
    assert_eq!(wire.search("x").status, 401);
}

#[test]
fn a_fault_can_be_for_one_query() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "answer", "status": 500, "query": "id=7"}),
    );
    let mut wire = http(&sandbox);
    let mut status = |query: &str| {
        let request = format!("GET /sandbox/bytes/1?{query} HTTP/1.1\r\nHost: x\r\n\r\n");
        wire.exchange(request).status
    };
    assert_eq!(status("id=6"), 200);
    assert_eq!(status("id=7"), 500);
}

#[test]
fn control_routes_are_never_struck() {
    let sandbox = sandbox();
    sandbox.inject(Reply::status(500));
    let request = "DELETE /sandbox/faults HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(http(&sandbox).exchange(request).status, 200);
    assert_eq!(create(&sandbox, json!({})).status, 200);
}

#[test]
fn a_fault_that_could_never_strike_is_refused() {
    for (fault, reason) in [
        (json!({"kind": "nonsense"}), "unknown variant"),
        (json!({"kind": "delay"}), "missing field `ms`"),
        (
            json!({"kind": "delay", "ms": 1, "often": true}),
            "unknown field `often`",
        ),
        (
            json!({"kind": "delay", "ms": 1, "share": 2}),
            "share must be from 0 to 1",
        ),
        (
            json!({"kind": "stall", "stage": "tls", "listener": "http"}),
            "no TLS",
        ),
        (
            json!({"kind": "reset", "stage": "accept", "path": "/"}),
            "cannot have a method, path or query",
        ),
        (
            json!({"kind": "reset", "stage": "accept", "query": "id=7"}),
            "cannot have a method, path or query",
        ),
        (json!({"kind": "refusal", "as": "x"}), "unknown variant"),
        (json!({"kind": "raw", "base64": "%"}), "base64"),
        (json!({"kind": "raw"}), "as text or as base64"),
        (json!({"kind": "answer", "status": 99}), "from 200 to 999"),
        (
            json!({"kind": "answer", "headers": {"A": "b\r\nC: d"}}),
            "one line",
        ),
        (json!({"kind": "redirect", "status": 200}), "3xx"),
        (json!([]), "JSON object"),
    ] {
        let error = Fault::from_value(fault.clone()).unwrap_err();
        assert!(error.contains(reason), "{fault}: {error}");
    }
}

#[test]
fn every_fault_reads_back_what_it_says() {
    let sandbox = sandbox();
    for fault in [
        json!({"kind": "delay", "ms": 5, "stage": "body", "skip": 1, "seed": 2}),
        json!({"kind": "answer", "data": null, "headers": {"A": "b"}, "skip": 0, "seed": 0}),
        json!({"kind": "certificate", "wrong": "expired", "hang_up": true, "skip": 0, "seed": 0}),
    ] {
        inject(&sandbox, fault.clone());
        let armed = sandbox
            .control("GET", "/sandbox/faults", &json!({}))
            .unwrap();
        let mut last = armed["faults"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            last.as_object_mut().unwrap().remove("struck"),
            Some(json!(0))
        );
        assert_eq!(last, fault);
    }
}
