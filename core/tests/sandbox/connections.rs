//! When connections are reused, and when requests are sent again.

use std::time::{Duration, Instant};

use zelf_sandbox::{Fault, FaultKind, Reply, Stage};

use super::world::*;
use zelf_core::{error::Status, text::Text};

/// Returns a fault that sends these bytes instead of the answer, and keeps the connection.
fn raw(text: &str) -> FaultKind {
    FaultKind::Raw {
        keep: true,
        text: Some(text.to_owned()),
        base64: None,
    }
}

fn reset() -> FaultKind {
    FaultKind::Reset {
        stage: Stage::Request,
    }
}

#[test]
fn a_connection_that_the_device_slept_over_is_not_used() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    for (slept, connections) in [(0, 1), (4, 1), (5, 2), (3600, 3)] {
        suspend(slept);
        create(&client, "sleeps-x").unwrap();
        assert_eq!(sandbox.connections(), connections, "after {slept} s");
    }
}

#[test]
fn a_kept_connection_that_dies_before_a_byte_is_no_attempt() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.max_attempts = 1);
    create(&client, "dies-x").unwrap();
    sandbox.inject(Fault::from(reset()).times(1));
    create(&client, "dies-x").unwrap();
    assert_eq!(sandbox.requests().len(), 3);
}

#[test]
fn one_that_dies_in_an_answer_is() {
    for beginning in ["H", "HTTP/1.1 200 OK\r\nContent-Len"] {
        let sandbox = sandbox();
        let client = client(&sandbox, |config| config.max_attempts = 1);
        create(&client, "dies-late-x").unwrap();
        sandbox.inject(FaultKind::Raw {
            keep: false,
            text: Some(beginning.to_owned()),
            base64: None,
        });
        let error = create(&client, "dies-late-x").unwrap_err();
        assert_eq!(error.status, Status::ConnectionLost, "{}", error.message);
        assert_eq!(sandbox.requests().len(), 2, "{beginning}");
    }
}

#[test]
fn each_attempt_has_one_second_chance_after_a_dead_kept_connection() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.max_attempts = 2);
    sandbox.inject(Fault::from(Reply::status(503)).times(1));
    sandbox.inject(reset());
    let error = create(&client, "own-x").unwrap_err();
    assert_eq!(error.status, Status::ConnectionLost);
    assert_eq!(sandbox.requests().len(), 3);
}

#[test]
fn a_kill_is_sent_again_only_if_it_was_certainly_not_carried_out() {
    let faults: [(Fault, usize); 7] = [
        (Reply::text(404, "Not Found").into(), 2),
        (Reply::status(429).into(), 2),
        (Reply::status(500).into(), 1),
        (Reply::status(502).into(), 1),
        (Reply::status(503).into(), 1),
        (Reply::status(504).into(), 1),
        (reset().into(), 1),
    ];
    for (fault, kills) in faults {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(fault.clone().times(1));
        let mut options = options("killed-once-x");
        options.kill_session = Some(true);
        let outcome = client.create_session(&options);
        assert_eq!(outcome.is_ok(), kills == 2, "{fault:?}");
        assert_eq!(sandbox.requests().len(), kills, "{fault:?}");
    }
}

#[test]
fn an_expired_session_that_a_tag_name_found_is_killed_only_if_it_is_ours() {
    for (whose, kills) in [("ours-x", 1), ("stranger", 0)] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(FaultKind::Claims {
            claims: serde_json::json!({"identifier": whose}),
        });
        sandbox.inject(Fault::from(FaultKind::Patch { body: over() }).times(1));
        let mut options = options("ours-x");
        options.tag_name = Text::new(Some(b"alice.zelf"));
        let outcome = client.create_session(&options);
        assert_eq!(outcome.is_ok(), kills == 1, "{whose}");
        let killing = bodies(&sandbox)
            .iter()
            .filter(|body| body.contains("killSession"))
            .count();
        assert_eq!(killing, kills, "{whose}");
    }
}

#[test]
fn an_error_whose_body_never_ends_keeps_its_status_and_its_words() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(raw(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 60000\r\n\r\nrejected",
    ));
    let began = Instant::now();
    let error = create(&client, "tar-x").unwrap_err();
    assert_eq!(error.status, Status::RejectedOrigin);
    assert_eq!(error.server_message.as_deref(), Some("rejected"));
    assert!(began.elapsed() < NET);
    sandbox.clear_faults();
    create(&client, "tar-x").unwrap();
    assert_eq!(
        sandbox.connections(),
        2,
        "half an answer is left on the first"
    );
}

#[test]
fn an_error_that_breaks_off_before_it_says_why_is_asked_again() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(
        Fault::from(FaultKind::Raw {
            keep: false,
            text: Some(
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n{\"error\":\"re".to_owned(),
            ),
            base64: None,
        })
        .times(1),
    );
    create(&client, "breaks-x").unwrap();
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn a_replacement_that_was_not_carried_out_says_so() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "late-kill-x").unwrap();
    sandbox.age_sessions(Some("late-kill-x"), 700);
    sandbox.clear_requests();
    sandbox.inject(Fault::from(Reply::status(429).with_header("Retry-After", "3600")).skip(1));
    let error = create(&client, "late-kill-x").unwrap_err();
    assert_eq!(error.status, Status::RateLimited);
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn an_answer_with_two_lengths_is_the_last_on_its_connection() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(
        Fault::from(raw(
            "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
        ))
        .times(1),
    );
    let error = create(&client, "lengths-x").unwrap_err();
    assert_eq!(error.server_message.as_deref(), Some("no"));
    create(&client, "lengths-x").unwrap();
    assert_eq!(sandbox.connections(), 2);
}

#[test]
fn a_malformed_answer_has_its_status_wherever_the_fault_begins() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (answer, status) in [
        (format!("{chunked}zz\r\n"), Status::BadResponse),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned(),
            Status::ResponseTooLarge,
        ),
        (
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            Status::UnexpectedHttpStatus,
        ),
    ] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(raw(&answer));
        let error = create(&client, "odd-x").unwrap_err();
        assert_eq!(error.status, status, "{}", error.message);
        assert_eq!(sandbox.requests().len(), 1);
    }
}
