//! A client never returns an expired session, whatever the device's clock shows.

use serde_json::json;
use zelf_sandbox::{Fault, FaultKind, Reply, Stage};

use super::world::*;
use zelf_core::error::Status;

#[test]
fn a_wrong_device_clock_changes_nothing() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    for wrong_by in [-12 * WRONG_BY, 12 * WRONG_BY] {
        set_device_clock_wrong_by(wrong_by);
        let session = create(&client, "wrong-clock-x").unwrap();
        assert!((590..=600).contains(&left(&session)), "{wrong_by}");
    }
    assert_eq!(sandbox.requests().len(), 2, "nothing was killed for it");
}

#[test]
fn a_wrong_server_clock_changes_nothing() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    for wrong_by in [-12 * WRONG_BY, 12 * WRONG_BY] {
        sandbox.set_clock_skew(wrong_by);
        let session = create(&client, &format!("skew{wrong_by}x")).unwrap();
        assert!((590..=600).contains(&left(&session)), "{wrong_by}");
    }
}

#[test]
fn time_goes_on_while_the_device_sleeps() {
    let sandbox = sandbox();
    let session = create(&client(&sandbox, |_| {}), "sleeper-x").unwrap();
    suspend(590);
    assert!((1..=10).contains(&left(&session)));
    suspend(20);
    assert_eq!(left(&session), 0);
}

#[test]
fn an_expired_session_is_replaced_with_one_kill() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    for (identifier, age) in [("long-over-x", 700), ("nearly-over-x", 599)] {
        let old = create(&client, identifier).unwrap();
        sandbox.age_sessions(Some(identifier), age);
        sandbox.clear_requests();
        let fresh = create(&client, identifier).unwrap();
        assert_ne!(old.id(), fresh.id());
        assert!(left(&fresh) > 590);
        assert_eq!(
            bodies(&sandbox),
            [
                format!(r#"{{"identifier":"{identifier}"}}"#),
                format!(r#"{{"identifier":"{identifier}","killSession":true}}"#),
            ]
        );
    }
}

#[test]
fn a_session_with_two_seconds_or_more_is_kept() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "short-x").unwrap();
    sandbox.age_sessions(Some("short-x"), 590);
    sandbox.clear_requests();
    let session = create(&client, "short-x").unwrap();
    assert!((2..=10).contains(&left(&session)));
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn after_a_kill_with_an_unknown_end_there_is_a_plain_request_and_no_second_kill() {
    for (identifier, stage) in [
        ("reset-before-x", Stage::Request),
        ("reset-after-x", Stage::Answer),
    ] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        create(&client, identifier).unwrap();
        sandbox.age_sessions(Some(identifier), 700);
        sandbox.clear_requests();
        // Only the kill fails.
        sandbox.inject(Fault::from(FaultKind::Reset { stage }).skip(1).times(1));
        let outcome = create(&client, identifier);
        let kills = bodies(&sandbox)
            .iter()
            .filter(|body| body.contains("killSession"))
            .count();
        assert_eq!(kills, 1, "{:?}", bodies(&sandbox));
        assert_eq!(sandbox.requests().len(), 3);
        match stage {
            // The kill was not carried out, so the session is still the old one.
            Stage::Request => assert_eq!(outcome.unwrap_err().status, Status::SessionExpired),
            // It was carried out, and the plain request finds the new session.
            _ => assert!(left(&outcome.unwrap()) > 590),
        }
    }
}

#[test]
fn without_an_identifier_nobodys_session_is_killed() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "somebody-else-x").unwrap();
    sandbox.age_sessions(None, 700);
    sandbox.clear_requests();
    let error = client.create_session(&Default::default()).unwrap_err();
    assert_eq!(error.status, Status::SessionExpired);
    assert!(error.message.contains("identifier"), "{}", error.message);
    assert_eq!(bodies(&sandbox), ["{}"]);
}

#[test]
fn a_kill_that_the_caller_asked_for_is_not_doubled() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(FaultKind::Patch { body: over() });
    let mut options = options("asked-x");
    options.kill_session = Some(true);
    let error = client.create_session(&options).unwrap_err();
    assert_eq!(error.status, Status::SessionExpired);
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_server_without_a_date_is_judged_by_its_tokens_own_time() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(FaultKind::MissingDate {});
    set_device_clock_wrong_by(5 * WRONG_BY);
    let session = create(&client, "dateless-x").unwrap();
    assert!((590..=600).contains(&left(&session)));
}

#[test]
fn a_proxy_with_a_wrong_clock_kills_no_session() {
    for seconds in [-3600, 700] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        let first = create(&client, "proxied-x").unwrap();
        sandbox.inject(FaultKind::ClockSkew { seconds });
        let again = create(&client, "proxied-x").unwrap();
        assert_eq!(first.id(), again.id());
        assert!((590..=600).contains(&left(&again)), "{seconds}");
        assert_eq!(sandbox.requests().len(), 2);
    }
}

#[test]
fn a_kill_whose_end_is_unknown_is_not_sent_again() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "unknown-end-x").unwrap();
    sandbox.clear_requests();
    sandbox.inject(FaultKind::Reset {
        stage: Stage::Answer,
    });
    let mut options = options("unknown-end-x");
    options.kill_session = Some(true);
    let error = client.create_session(&options).unwrap_err();
    assert_eq!(error.status, Status::ConnectionLost);
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_strangers_session_is_not_handed_out() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(FaultKind::Claims {
        claims: json!({"identifier": "stranger", "tagName": "alice.zelf"}),
    });
    let error = create(&client, "mine-x").unwrap_err();
    assert_eq!(error.status, Status::ForeignSession);
    assert!(!error.message.contains("stranger"));

    let mut with_tag = options("mine-x");
    with_tag.tag_name = zelf_core::text::Text::new(Some(b"alice.zelf"));
    let session = client.create_session(&with_tag).unwrap();
    assert_eq!(session.identifier(), Some("stranger"));
    let session = client.create_session(&Default::default()).unwrap();
    assert_eq!(session.identifier(), Some("stranger"));
}

#[test]
fn older_answers_without_times_are_sessions_of_ten_minutes() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(Reply::data(json!({"token": "opaque"})));
    let session = create(&client, "older-x").unwrap();
    assert_eq!(session.token(), "opaque");
    assert!((599..=600).contains(&left(&session)));
}

#[test]
fn a_slow_answer_kills_no_session() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let old = create(&client, "slow-answer-x").unwrap();
    sandbox.age_sessions(Some("slow-answer-x"), 595);
    sandbox.clear_requests();
    sandbox.inject(FaultKind::Delay {
        ms: 4000,
        stage: Stage::Answer,
    });
    let session = create(&client, "slow-answer-x").unwrap();
    assert_eq!(session.id(), old.id());
    assert!(left(&session) < 2, "counted from when the request left");
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn times_are_read_however_they_are_written_and_kill_nothing_when_they_cannot_be() {
    let seconds = 1_900_000_000_i64;
    let forms = [
        json!(seconds),
        json!(seconds.to_string()),
        json!(format!("{seconds}.0")),
        json!(seconds as f64 + 0.5),
        json!(seconds * 1000),
        json!((seconds * 1000).to_string()),
        json!("2030-03-17T17:46:40Z"),
        json!("2030-03-17 18:46:40.250+01:00"),
    ];
    for form in forms {
        assert_eq!(times_of(json!({"expiresAt": form})).0, seconds, "{form}");
        assert_eq!(
            times_of(json!({"expiresAt": form, "activatedAt": null})).0,
            seconds
        );
    }
    for form in [
        json!(null),
        json!(0),
        json!(600),
        json!(-5),
        json!(1e300),
        json!("soon"),
        json!([seconds]),
        json!(true),
        json!("1970-01-01T00:10:00Z"),
    ] {
        for told in [
            json!({"expiresAt": form}),
            json!({"expiresAt": form, "activatedAt": form}),
        ] {
            let (_, left) = times_of(told.clone());
            assert!((599..=600).contains(&left), "{told}");
        }
    }
}

/// Returns the end of a session with these times, and its lifetime in seconds. Checks that nothing
/// is killed for it.
fn times_of(data: serde_json::Value) -> (i64, i64) {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(FaultKind::Patch {
        body: json!({"data": data}),
    });
    let session = create(&client, "times-x").unwrap();
    assert_eq!(sandbox.requests().len(), 1, "{data}");
    (session.times().expires_at, left(&session))
}

#[test]
fn a_token_with_an_odd_time_kills_no_session() {
    for issued_at in [
        json!(null),
        json!(0),
        json!(1),
        json!(1_800_000_000_000_i64),
        json!(1e300),
        json!(-1),
        json!("x"),
        json!(4_000_000_000_i64),
        json!(1_600_000_000),
    ] {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        sandbox.inject(FaultKind::Claims {
            claims: json!({"iat": issued_at}),
        });
        let session = create(&client, "odd-iat-x").unwrap();
        assert!((599..=600).contains(&left(&session)), "{issued_at}");
        assert_eq!(sandbox.requests().len(), 1, "{issued_at}");
    }
}
