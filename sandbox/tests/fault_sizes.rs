//! Answers that are too long, or take too long.

mod common;

use std::time::{Duration, Instant};

use common::{create, create_request, eventually, http, inject, named, sandbox};
use serde_json::json;
use zelf_sandbox::{DripStage, FaultKind, Reply, Stage};

#[test]
fn an_oversized_body_is_as_long_as_it_says() {
    for (size, start) in [(3_000_000, "{\"data\":{\"token\":\"eyJAAAA"), (5, "{\"dat")] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::OversizedBody {
            bytes: size,
            chunked: false,
        });
        let body = create(&sandbox, json!({})).body;
        assert_eq!(body.len() as u64, size);
        assert!(body.starts_with(start.as_bytes()));
    }
}

#[test]
fn an_oversized_body_is_sent_as_it_is_made() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::OversizedBody {
        bytes: 1 << 40,
        chunked: true,
    });
    let mut wire = http(&sandbox);
    wire.send(create_request(&named("a")));
    let (status, headers) = wire.receive_head().unwrap();
    assert_eq!(status, 200);
    assert!(headers.contains(&("Transfer-Encoding".into(), "chunked".into())));
    let mut some = vec![0; 8 << 20];
    std::io::Read::read_exact(&mut wire.stream, &mut some).unwrap();
    drop(wire);
    eventually("the sandbox gives up as well", || {
        sandbox.open_connections() == 0
    });
}

#[test]
fn oversized_headers_are_as_long_as_they_say() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "oversized_headers", "bytes": 100_000, "line": 999}),
    );
    let answer = create(&sandbox, named("a"));
    let padding = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "X-Padding");
    assert_eq!(
        padding.map(|(_, value)| value.len()).sum::<usize>(),
        100_000
    );
    assert_eq!(answer.claims()["identifier"], "a");
}

#[test]
fn a_drip_takes_its_time_for_every_byte() {
    for (stage, least) in [(DripStage::Headers, 500), (DripStage::Body, 300)] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Drip { ms: 1, stage });
        let start = Instant::now();
        let answer = create(&sandbox, named("a"));
        assert_eq!(answer.claims()["identifier"], "a");
        assert!(start.elapsed() >= Duration::from_millis(least), "{stage:?}");
    }
}

#[test]
fn a_delay_can_be_at_every_stage_and_delays_add_up() {
    for stage in [
        Stage::Accept,
        Stage::Upload,
        Stage::Request,
        Stage::Answer,
        Stage::HalfHead,
        Stage::Body,
    ] {
        let sandbox = sandbox();
        sandbox.inject(FaultKind::Delay { ms: 30, stage });
        sandbox.inject(FaultKind::Delay { ms: 30, stage });
        let start = Instant::now();
        assert_eq!(create(&sandbox, named("a")).claims()["identifier"], "a");
        assert!(start.elapsed() >= Duration::from_millis(60), "{stage:?}");
    }
}

#[test]
fn a_delay_comes_before_the_fault_it_goes_with() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Delay {
        ms: 50,
        stage: Stage::Request,
    });
    sandbox.inject(Reply::error(500, "connect ECONNREFUSED"));
    let start = Instant::now();
    assert_eq!(create(&sandbox, json!({})).status, 500);
    assert!(start.elapsed() >= Duration::from_millis(50));
}
