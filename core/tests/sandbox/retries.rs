//! What is retried, how often, and when not.

use std::time::{Duration, Instant};

use zelf_sandbox::{Fault, FaultKind, Reply, Stage};

use super::world::*;
use zelf_core::error::Status;

#[test]
fn a_temporary_failure_is_tried_three_times() {
    let faults: [Fault; 6] = [
        Reply::html(502, "<title>Bad Gateway</title>").into(),
        Reply::status(503).into(),
        Reply::status(429).into(),
        FaultKind::Reset {
            stage: Stage::Request,
        }
        .into(),
        FaultKind::Close { stage: Stage::Body }.into(),
        FaultKind::Truncate { bytes: None }.into(),
    ];
    for fault in faults {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(fault.clone().times(2));
        assert!(create(&client, "again-x").is_ok(), "{fault:?}");
        assert_eq!(sandbox.requests().len(), 3, "{fault:?}");
    }
}

#[test]
fn a_starting_server_is_waited_for_beyond_the_attempts_and_the_budget() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.max_attempts = 1);
    sandbox.inject(Fault::from(Reply::text(404, "Not Found")).times(5));
    assert!(create(&client, "starting-x").is_ok());
    assert_eq!(sandbox.requests().len(), 6);
}

#[test]
fn a_server_that_does_not_start_in_time_is_told() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| {
        config.timeout_ms = 2000;
    });
    sandbox.inject(Reply::text(404, "Not Found"));
    let begun = Instant::now();
    let error = create(&client, "starting-late-x").unwrap_err();
    assert_eq!(error.status, Status::StartingUp);
    assert_eq!(error.http_status, 404);
    assert!(begun.elapsed() < NET);
    assert!(sandbox.requests().len() >= 2);
}

#[test]
fn a_final_failure_is_tried_once() {
    for code in [301, 400, 401, 403, 409, 418, 501, 505, 511] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(Reply::error(code, "no"));
        let error = create(&client, "once-x").unwrap_err();
        assert_eq!(error.http_status, code);
        assert_eq!(sandbox.requests().len(), 1, "{code}");
    }
}

#[test]
fn the_number_of_attempts_is_the_callers() {
    for attempts in [1, 2, 4] {
        let sandbox = sandbox();
        let client = client(&sandbox, |config| config.max_attempts = attempts);
        sandbox.inject(Reply::error(500, "down"));
        let error = create(&client, "attempts-x").unwrap_err();
        assert_eq!(error.status, Status::Server);
        // The retry budget of a single call is two.
        assert_eq!(sandbox.requests().len() as u32, attempts.min(3));
    }
}

#[test]
fn an_outage_is_not_multiplied() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(Reply::error(500, "down"));
    for _ in 0..100 {
        create(&client, "outage-x").unwrap_err();
    }
    assert!(
        sandbox.requests().len() <= 110,
        "{}",
        sandbox.requests().len()
    );
}

#[test]
fn a_retry_after_that_does_not_fit_is_reported_at_once() {
    for (value, asked) in [
        ("3600", 3600..=3600),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 1_000_000..=u64::MAX),
    ] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(Reply::status(503).with_header("Retry-After", value));
        let began = Instant::now();
        let error = create(&client, "later-x").unwrap_err();
        assert!(began.elapsed() < NET);
        assert!(asked.contains(&error.retry_after.unwrap().as_secs()));
        assert_eq!(sandbox.requests().len(), 1);
    }
}

#[test]
fn a_retry_after_that_fits_is_waited_for() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(Fault::from(Reply::status(429).with_header("Retry-After", "1")).times(1));
    let began = Instant::now();
    create(&client, "waits-x").unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_retry_after_in_an_odd_form_is_waited_for() {
    for odd in ["0.3", "-1", "1 second", "+1"] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(Fault::from(Reply::status(503).with_header("Retry-After", odd)).times(1));
        let began = Instant::now();
        assert!(create(&client, "odd-wait-x").is_ok(), "{odd}");
        assert!(began.elapsed() >= Duration::from_secs(1), "{odd}");
    }
}

#[test]
fn a_retry_after_that_is_too_long_is_told() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let reply = Reply::status(503).with_header("Retry-After", "99999999999999999999999");
    sandbox.inject(reply);
    let error = create(&client, "long-wait-x").unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(u64::MAX)));
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_retry_after_that_makes_no_sense_is_ignored() {
    for garbage in ["soon", "", "Thu, 99 Foo"] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox
            .inject(Fault::from(Reply::status(503).with_header("Retry-After", garbage)).times(1));
        assert!(create(&client, "garbage-x").is_ok(), "{garbage}");
    }
}
