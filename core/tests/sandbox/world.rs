//! A sandbox, and a client whose clock and random numbers the test controls.

use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use zelf_sandbox::{Options, Sandbox};

use zelf_core::{
    client::Client, config::Config, environment::Environment, error::Error, host::clock,
    moment::Moment, session::Session, session_options::SessionOptions, text::Text,
};

/// The limit for something that ends at once. A busy machine stays below it, and a limit that must
/// not apply is above it: the default time limit is 15 s.
pub(super) const NET: Duration = Duration::from_secs(10);

/// The error of a device's clock: an hour, in seconds.
pub(super) const WRONG_BY: i64 = 3600;

static WALL_IS_OFF_BY: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static AT_NEXT_READING: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Simulates sleep of the device: the clock of this thread jumps forward.
pub(super) fn suspend(seconds: u64) {
    suspend_for(Duration::from_secs(seconds));
}

/// Does the same with a `Duration`.
pub(super) fn suspend_for(time: Duration) {
    SLEPT.set(SLEPT.get() + time);
}

/// Runs `then` when this thread next reads the clock.
pub(super) fn at_next_reading(then: impl FnOnce() + 'static) {
    AT_NEXT_READING.set(Some(Box::new(then)));
}

pub(super) fn set_device_clock_wrong_by(seconds: i64) {
    WALL_IS_OFF_BY.store(seconds, Ordering::SeqCst);
}

/// No wait between attempts, and clocks that the test sets.
pub(super) const IN_HAND: Environment = Environment {
    now,
    tick: || 0,
    wall: || clock::wall() + WALL_IS_OFF_BY.load(Ordering::SeqCst),
    random: || 0,
};

fn now() -> Moment {
    if let Some(then) = AT_NEXT_READING.take() {
        then();
    }
    clock::since_boot() + SLEPT.get()
}

/// Returns the seconds left of a session by the clock of the test.
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

/// Returns the bodies that arrived, in order.
pub(super) fn bodies(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .requests()
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect()
}

/// Returns the changes that make the session of an answer expired for 100 s.
pub(super) fn over() -> serde_json::Value {
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    serde_json::json!({"data": {"activatedAt": now - 700, "expiresAt": now - 100}})
}
