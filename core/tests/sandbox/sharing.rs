//! Concurrent creates make no ghosts: there is one request per identifier at a time.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use zelf_sandbox::{Fault, FaultKind, Reply, Stage};

use super::world::*;
use zelf_core::{
    client::Client,
    error::{Error, Status},
    host::clock,
    session::Session,
    session_options::SessionOptions,
};

/// A time limit in seconds that no call of these tests reaches.
const LONG: u64 = 60;

/// Makes calls with these options and time limits in seconds, each on its own thread. They join the
/// queue of their identifier in this order. The first one leads, and continues when the last one
/// has joined.
///
/// A call reads the clock when it has its place in the queue. The test's clock uses this to report
/// that the call has joined, and to stop the first one there.
fn in_line(client: &Client, calls: &[(SessionOptions, u64)]) -> Vec<Result<Session, Error>> {
    let (go, may_go) = mpsc::channel::<()>();
    let mut may_go = Some(may_go);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (options, limit) in calls {
            let (joins, has_joined) = mpsc::channel();
            let may_go = may_go.take();
            threads.push(scope.spawn(move || {
                at_next_reading(move || {
                    joins.send(()).unwrap();
                    if let Some(may_go) = may_go {
                        may_go.recv().unwrap();
                    }
                });
                let deadline = clock::since_boot() + Duration::from_secs(*limit);
                client.run(options.check().unwrap(), deadline)
            }));
            has_joined.recv().unwrap();
        }
        go.send(()).unwrap();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

/// Does the same, with calls that all have time.
fn in_line_with_time(client: &Client, calls: &[SessionOptions]) -> Vec<Result<Session, Error>> {
    let calls: Vec<_> = calls.iter().map(|call| (call.clone(), LONG)).collect();
    in_line(client, &calls)
}

/// Returns the ids of the sessions that these calls get.
fn ids(client: &Client, calls: &[SessionOptions]) -> Vec<String> {
    let outcomes = in_line_with_time(client, calls);
    let ids = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().id().unwrap().to_owned());
    ids.collect()
}

fn stall(stage: Stage) -> Fault {
    FaultKind::Stall { stage }.into()
}

#[test]
fn equal_calls_at_once_are_one_request_and_one_live_session() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let ids = ids(&client, &vec![options("equal-x"); 16]);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(sandbox.requests().len(), 1);
    // There is no ghost: the next call finds the same session.
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
    let client = client(&sandbox, |config| config.max_attempts = 1);
    sandbox.inject(stall(Stage::Request));
    thread::scope(|scope| {
        for letter in 'a'..='h' {
            let client = &client;
            scope.spawn(move || create(client, &format!("apart-{letter}")).unwrap_err());
        }
        // No call has an answer yet.
        let end = Instant::now() + NET;
        while sandbox.requests().len() < 8 {
            assert!(Instant::now() < end, "{} of 8", sandbox.requests().len());
            thread::sleep(Duration::from_millis(1));
        }
        // This closes the connections, so the calls fail.
        drop(sandbox);
    });
}

#[test]
fn an_error_is_shared_like_a_session() {
    let sandbox = sandbox();
    let client = client(&sandbox, |config| config.max_attempts = 1);
    sandbox.inject(Reply::error(409, "no"));
    for outcome in in_line_with_time(&client, &vec![options("error-x"); 8]) {
        assert_eq!(outcome.unwrap_err().status, Status::Validation);
    }
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_call_that_comes_after_the_outcome_makes_another_request() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "after-x").unwrap();
    create(&client, "after-x").unwrap();
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn when_the_call_that_carries_the_request_runs_out_of_time_another_takes_over() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    // The first request gets no answer. The call that takes over gets one.
    sandbox.inject(stall(Stage::Request).times(1));
    let calls = [(options("over-x"), 2), (options("over-x"), LONG)];
    let [first, second] = in_line(&client, &calls).try_into().unwrap();
    assert_eq!(first.unwrap_err().status, Status::Timeout);
    assert!(left(&second.unwrap()) > 590);
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn no_call_is_given_an_outcome_from_before_a_kill() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let plain = options("killed-x");
    let kill = SessionOptions {
        kill_session: Some(true),
        ..plain.clone()
    };
    // The kill is carried out, but never answered.
    sandbox.inject(stall(Stage::Answer).skip(1).times(1));
    let calls = [(plain.clone(), LONG), (kill, 2), (plain, LONG)];
    let [first, killer, last] = in_line(&client, &calls).try_into().unwrap();
    assert_eq!(killer.unwrap_err().status, Status::Timeout);
    assert_ne!(first.unwrap().id(), last.unwrap().id());
    assert_eq!(sandbox.requests().len(), 3);
}
