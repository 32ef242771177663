//! Concurrent creates make no ghosts: one request for one identifier at a time.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use zelf_sandbox::{Fault, FaultKind, Stage};

use super::world::*;
use zelf_core::{client::Client, error::Status, session_options::SessionOptions};

/// Runs the calls at once, each on a thread of its own.
fn together<T: Send>(calls: Vec<impl FnOnce() -> T + Send>) -> Vec<T> {
    let start = Barrier::new(calls.len());
    let start = &start;
    thread::scope(|scope| {
        let threads: Vec<_> = calls
            .into_iter()
            .map(|call| {
                scope.spawn(move || {
                    start.wait();
                    call()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

fn ids(client: &Client, options: &[SessionOptions]) -> Vec<String> {
    let calls = options
        .iter()
        .map(|options| {
            move || {
                let session = client.create_session(options).unwrap();
                session.id().unwrap().to_owned()
            }
        })
        .collect();
    together(calls)
}

fn delayed(ms: u64) -> Fault {
    FaultKind::Delay {
        ms,
        stage: Stage::Request,
    }
    .into()
}

#[test]
fn equal_calls_at_once_are_one_request_and_one_live_session() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(delayed(300));
    let ids = ids(&client, &vec![options("equal-x"); 16]);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(sandbox.requests().len(), 1);
    sandbox.clear_faults();
    // No ghost: the next call finds the same session.
    let again = create(&client, "equal-x").unwrap();
    assert_eq!(again.id(), Some(&*ids[0]));
}

#[test]
fn calls_for_one_identifier_that_differ_otherwise_take_turns() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let calls: Vec<_> = (0..8)
        .map(|number| SessionOptions {
            web_extension: Some(number % 2 == 0),
            ..options("turns-x")
        })
        .collect();
    let ids = ids(&client, &calls);
    assert!(ids.iter().all(|id| *id == ids[0]), "a ghost among {ids:?}");
}

#[test]
fn different_identifiers_do_not_wait_for_each_other() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    sandbox.inject(delayed(400));
    let began = Instant::now();
    let calls: Vec<_> = (b'a'..=b'h')
        .map(|letter| options(&format!("apart-{}", char::from(letter))))
        .collect();
    ids(&client, &calls);
    assert!(
        began.elapsed() < Duration::from_millis(1600),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(sandbox.requests().len(), 8);
}

#[test]
fn an_error_is_shared_like_a_session() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.max_attempts = 1);
    sandbox.inject(delayed(300));
    sandbox.inject(zelf_sandbox::Reply::error(409, "no"));
    let calls = (0..8).map(|_| || create(&client, "error-x").unwrap_err().status);
    let statuses = together(calls.collect());
    assert_eq!(statuses, vec![Status::Validation; 8]);
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_call_that_comes_after_the_outcome_makes_a_request_of_its_own() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "after-x").unwrap();
    create(&client, "after-x").unwrap();
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn when_the_call_that_carries_the_request_runs_out_of_time_another_takes_over() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.timeout_ms = 1500);
    // The first request hangs; whoever takes over is answered.
    sandbox.inject(
        Fault::from(FaultKind::Stall {
            stage: Stage::Request,
        })
        .times(1),
    );
    let outcomes = thread::scope(|scope| {
        let first = scope.spawn(|| create(&client, "over-x"));
        while sandbox.requests().is_empty() {
            thread::yield_now();
        }
        // Its time begins later, so it still has some when the first gives up.
        thread::sleep(Duration::from_millis(500));
        let second = scope.spawn(|| create(&client, "over-x"));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(outcomes.0.unwrap_err().status, Status::Timeout);
    assert!(left(&outcomes.1.unwrap()) > 590);
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn nobody_is_given_an_outcome_from_before_a_kill() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.timeout_ms = 2000);
    let plain = options("killed-x");
    let kill = SessionOptions {
        kill_session: Some(true),
        ..plain.clone()
    };
    // The first is slow, so that the others wait for it. The kill is carried
    // out and never answered; the last wants what is true after it.
    sandbox.inject(delayed(800).times(1));
    sandbox.inject(
        Fault::from(FaultKind::Stall {
            stage: Stage::Answer,
        })
        .skip(1)
        .times(1),
    );
    thread::scope(|scope| {
        let first = scope.spawn(|| client.create_session(&plain).unwrap());
        while sandbox.requests().is_empty() {
            thread::yield_now();
        }
        let killer = scope.spawn(|| client.create_session(&kill));
        // Each joins the line before the next; what tells is not in reach.
        thread::sleep(Duration::from_millis(300));
        let last = scope.spawn(|| client.create_session(&plain));
        let first = first.join().unwrap();
        assert!(killer.join().unwrap().is_err());
        if let Ok(last) = last.join().unwrap() {
            assert_ne!(first.id(), last.id());
        }
    });
}
