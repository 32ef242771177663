//! A provider uses no more resources after a day than after its first minutes.

use std::{cell::Cell, fs, sync::Arc, time::Duration};

use zelf_core::{
    client::Client,
    config::Config,
    environment::Environment,
    host::clock,
    provider::{options::ProviderOptions, session_provider::Provider},
    session_options::SessionOptions,
    text::Text,
};
use zelf_sandbox::{Options, Sandbox};

thread_local! {
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Only the clock of this thread is controlled by the test.
const IN_HAND: Environment = Environment {
    now: || clock::since_boot() + SLEPT.get(),
    tick: || 0,
    wall: clock::wall,
    random: || u32::MAX / 2,
};

/// Returns the allocated bytes, the descriptors and the threads of this process.
fn taken() -> (usize, usize, usize) {
    // SAFETY: `mallinfo2` only reads.
    let heap = unsafe { libc::mallinfo2() };
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    (
        heap.uordblks + heap.hblkhd,
        count("/proc/self/fd"),
        count("/proc/self/task"),
    )
}

#[test]
fn a_day_leaves_nothing_behind() {
    const STEP: u64 = 30;
    let sandbox = Sandbox::start(Options {
        log: false,
        record_limit: 0,
        ..Options::default()
    })
    .unwrap();
    // Without TLS, because the sandbox is in this process and fills a cache of TLS sessions.
    let config = Config {
        base_url: Text::new(Some(sandbox.http_url().as_bytes())),
        ..Config::default()
    };
    let client = Arc::new(Client::within(&config, IN_HAND).unwrap());
    let session = SessionOptions {
        identifier: Text::new(Some(b"day-x")),
        ..SessionOptions::default()
    };
    let provider = Provider::new(client, &session, &ProviderOptions::default()).unwrap();
    let mut renewals = 0;
    let mut last = provider.get().unwrap();
    let mut hour = || {
        for _ in 0..3600 / STEP {
            SLEPT.set(SLEPT.get() + Duration::from_secs(STEP));
            sandbox.age_sessions(None, STEP as i64);
            let session = provider.get().unwrap();
            renewals += u32::from(!session.is_same_as(&last));
            last = session;
        }
    };
    hour();
    let (heap, descriptors, threads) = taken();
    (1..24).for_each(|_| hour());
    let after = taken();
    assert!(renewals >= 24 * 5, "only {renewals} renewals");
    assert!(
        after.0 <= heap + 64 * 1024,
        "{heap} bytes became {}",
        after.0
    );
    assert!(after.1 <= descriptors && after.2 <= threads, "{after:?}");
}
