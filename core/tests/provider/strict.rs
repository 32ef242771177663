//! Calls whose sessions must have a minimum time left when they reach the device.

use std::{sync::Arc, time::Duration};

use zelf_core::{
    api::{lifetime::Clocks, request::SessionRequest},
    create::{
        aim::{Aim, Errand, Kill},
        budget::Budget,
        call::{Call, Now, Policy, Step},
    },
    error::{Error, Status},
    http::answer::Answer,
    moment::Moment,
    session::Session,
};

use crate::server::{self, IDENTIFIER, Server};

const START: Moment = Duration::from_secs(5000);

/// Makes a call to a server that answers after `takes`. Its session has `left` seconds left, and
/// `life` after a kill. Returns for each request whether it was a kill, and the outcome.
fn call(kill: Kill, left: u64, life: u64, takes: Duration) -> (Vec<bool>, Result<Session, Error>) {
    let budget = Budget::default();
    let policy = Policy {
        max_attempts: 3,
        url: "https://api.test/".parse().expect("it is a URL"),
        authority: "api.test:443".to_owned(),
    };
    let errand = Arc::new(Errand {
        request: SessionRequest {
            identifier: Some(IDENTIFIER.to_owned()),
            ..SessionRequest::default()
        },
        aim: Aim {
            least: 5,
            is_strict: true,
            kill,
            ..Aim::default()
        },
    });
    let at = |time| Now {
        time,
        random: || 0,
        budget: &budget,
    };
    let mut server = Server::default();
    server.creates(1, left, START);
    let mut now = START;
    let mut kills = Vec::new();
    let mut call = Call::new(errand, now + Duration::from_secs(60), None, &at(now));
    loop {
        match call.step() {
            Step::Exchange { body, .. } => {
                assert!(kills.len() < 10, "it does not end");
                let is_kill = server::kills(&body);
                kills.push(is_kill);
                if is_kill {
                    server.creates(1, life, now);
                }
                let body = server.body(server.records.len() - 1, now);
                let sent_at = now;
                now += takes;
                let clocks = Clocks {
                    sent_at,
                    now,
                    wall: 0,
                };
                let answer = Answer {
                    date: None,
                    ..Answer::of(200, body.as_bytes())
                };
                call.answered(&answer, clocks, &policy, &at(now));
            }
            Step::Wait { until, .. } => now = until,
            Step::Finish(outcome) => return (kills, outcome),
            Step::Stop(stopped) => return (kills, Err(stopped.error)),
        }
    }
}

const FAST: Duration = Duration::from_millis(80);

#[test]
fn a_session_that_has_just_too_little_left_is_replaced_in_the_same_call() {
    let (kills, outcome) = call(Kill::IfOver, 5, 600, FAST);
    assert_eq!(kills, [false, false, false, true]);
    assert!(outcome.expect("a new one").times().activated_at > 0);
}

#[test]
fn a_session_with_enough_left_is_the_outcome() {
    let (kills, outcome) = call(Kill::IfOver, 6, 600, FAST);
    assert_eq!(kills, [false]);
    assert!(outcome.is_ok());
}

#[test]
fn a_life_that_is_too_short_costs_at_most_one_kill_and_is_an_error() {
    for kill in [Kill::IfOver, Kill::First] {
        for left in [1, 5] {
            for life in [3, 5, 6] {
                let (kills, outcome) = call(kill, left, life, Duration::from_millis(1200));
                let count = kills.iter().filter(|kill| **kill).count();
                assert!(count <= 1, "{kill:?} {left} {life}: {kills:?}");
                let error = outcome.expect_err("it has too little left");
                assert_eq!(error.status, Status::SessionExpired);
            }
        }
    }
}

#[test]
fn where_sessions_never_live_as_long_as_is_asked_for_none_is_killed() {
    let (kills, outcome) = call(Kill::IfOver, 3, 3, FAST);
    assert_eq!(kills, [false]);
    let error = outcome.expect_err("it has too little left");
    assert!(error.message.contains("require less"), "{error}");
}

#[test]
fn a_session_that_must_not_be_killed_is_returned_with_any_time_left() {
    for left in [0, 3, 5] {
        let (kills, outcome) = call(Kill::Never, left, 600, FAST);
        assert_eq!(kills, [false], "{left}");
        assert!(outcome.is_ok(), "{left}");
    }
}
