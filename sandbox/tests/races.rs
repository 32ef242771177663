//! Concurrent requests.

mod common;

use std::{sync::Barrier, thread, time::Duration};

use common::{create, eventually, http, inject, named, sandbox, sandbox_with};
use serde_json::json;

/// The duration of the requests below, so that they overlap.
const LONG: Duration = Duration::from_secs(2);

#[test]
fn of_parallel_creates_of_one_new_identifier_all_but_one_are_ghosts() {
    let sandbox = sandbox_with(|options| options.create_delay = LONG);
    let at_once = Barrier::new(4);
    let create_one = || {
        let mut wire = http(&sandbox);
        at_once.wait();
        let token = wire.create(named("a")).token();
        wire.search(&token).status
    };
    let statuses: Vec<u16> = thread::scope(|scope| {
        let creates: Vec<_> = (0..4).map(|_| scope.spawn(create_one)).collect();
        creates
            .into_iter()
            .map(|create| create.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|&&status| status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|&&status| status == 403).count(),
        3,
        "{statuses:?}"
    );
}

#[test]
fn of_parallel_kills_of_one_session_all_but_one_bring_ghosts() {
    let sandbox = sandbox_with(|options| options.create_delay = LONG);
    create(&sandbox, named("a"));
    let at_once = Barrier::new(4);
    let kill = || {
        let mut wire = http(&sandbox);
        at_once.wait();
        let body = json!({"identifier": "a", "killSession": true});
        let token = wire.create(body).token();
        wire.search(&token).status
    };
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let kills: Vec<_> = (0..4).map(|_| scope.spawn(kill)).collect();
        kills.into_iter().map(|kill| kill.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403, 403, 403]);
}

#[test]
fn the_most_requests_at_once_are_told() {
    let sandbox = sandbox();
    inject(
        &sandbox,
        json!({"kind": "delay", "ms": LONG.as_millis() as u64}),
    );
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| create(&sandbox, json!({})));
        }
    });
    let most = || {
        let shown = sandbox.control("GET", "/sandbox/work", &json!({}));
        shown.unwrap()["most_at_once"].clone()
    };
    assert_eq!(most(), 3);
    eventually("all have been answered", || {
        sandbox
            .control("DELETE", "/sandbox/work", &json!({}))
            .unwrap();
        most() == 0
    });
}
