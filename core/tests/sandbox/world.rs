//! A sandbox and a client whose clock and dice a test holds in its hands.

use std::{
    cell::Cell,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use zelf_sandbox::{Options, Sandbox};

use zelf_core::{
    client::Client, config::Config, environment::Environment, error::Error, host::clock,
    moment::Moment, session::Session, session_options::SessionOptions, text::Text,
};

/// An hour, in seconds: how wrong a device's clock may be.
pub(super) const WRONG_BY: i64 = 3600;

static WALL_IS_OFF_BY: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static SLEPT: Cell<u64> = const { Cell::new(0) };
}

/// The device sleeps: this thread's clock that runs through sleep goes on.
pub(super) fn suspend(seconds: u64) {
    SLEPT.set(SLEPT.get() + seconds);
}

pub(super) fn set_device_clock_wrong_by(seconds: i64) {
    WALL_IS_OFF_BY.store(seconds, Ordering::SeqCst);
}

/// No wait between attempts, and clocks that a test can turn.
pub(super) const IN_HAND: Environment = Environment {
    now,
    tick: || 0,
    wall: || clock::wall() + WALL_IS_OFF_BY.load(Ordering::SeqCst),
    random: || 0,
};

fn now() -> Moment {
    clock::since_boot() + Duration::from_secs(SLEPT.get())
}

/// What is left of a session by the clock that a test turns.
pub(super) fn left(session: &Session) -> i64 {
    session.seconds_left_at(now())
}

pub(super) fn sandbox() -> Sandbox {
    Sandbox::start(Options {
        log: false,
        ..Options::default()
    })
    .unwrap()
}

pub(super) fn client(sandbox: &Sandbox, change: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config {
        base_url: Text::new(Some(sandbox.https_url().as_bytes())),
        ca_file: Text::new(sandbox.ca_file().to_str().map(str::as_bytes)),
        ..Config::default()
    };
    change(&mut config);
    Client::within(&config, IN_HAND).unwrap()
}

pub(super) fn options(identifier: &str) -> SessionOptions {
    SessionOptions {
        identifier: Text::new(Some(identifier.as_bytes())),
        ..SessionOptions::default()
    }
}

pub(super) fn create(client: &Client, identifier: &str) -> Result<Session, Error> {
    client.create_session(&options(identifier))
}

/// The bodies that arrived, in order.
pub(super) fn bodies(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .requests()
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect()
}

/// What makes an answer one with a session that has been over for 100 s.
pub(super) fn over() -> serde_json::Value {
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    serde_json::json!({"data": {"activatedAt": now - 700, "expiresAt": now - 100}})
}
