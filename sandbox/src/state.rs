//! State that all connections of a sandbox share.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::at_once::AtOnce;
use crate::clock::Clock;
use crate::log;
use crate::options::Options;
use crate::ready::Ready;
use crate::record::Recorder;
use crate::schedule::Schedule;
use crate::sessions::Sessions;
use crate::sync::lock;
use crate::tls::Tls;
use crate::token::Signer;
use crate::work::Work;

pub struct State {
    pub options: Options,
    pub clock: Clock,
    pub sessions: Sessions,
    pub signer: Signer,
    pub tls: Tls,
    pub ready: Ready,
    pub faults: Schedule,
    pub requests: Recorder,
    pub work: Work,
    pub at_once: AtOnce,
    pub accepted: AtomicUsize,
    pub open: AtomicUsize,
    starting: AtomicU32,
    last_reap: Mutex<i64>,
    client_address: Mutex<Option<IpAddr>>,
}

impl State {
    pub fn new(options: Options, tls: Tls, ready: Ready) -> std::io::Result<Self> {
        let clock = Clock::new(options.clock_skew);
        let faults = Schedule::default();
        for fault in &options.faults {
            fault.check().map_err(std::io::Error::other)?;
            faults.inject(fault.clone());
        }
        Ok(State {
            last_reap: Mutex::new(clock.now()),
            client_address: Mutex::default(),
            sessions: Sessions::new(options.session_lifetime)?,
            signer: Signer::new()?,
            tls,
            ready,
            requests: Recorder::new(options.record_limit),
            work: Work::default(),
            at_once: AtOnce::default(),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            starting: AtomicU32::new(options.starting_for),
            faults,
            clock,
            options,
        })
    }

    /// Writes a line to the log, if it is enabled.
    pub fn log(&self, line: impl FnOnce() -> String) {
        if self.options.log {
            log::line(&line());
        }
    }

    /// Returns the client address for all requests, or `None` if each request has its own.
    pub fn client_address(&self) -> Option<IpAddr> {
        *lock(&self.client_address)
    }

    pub fn set_client_address(&self, address: Option<IpAddr>) {
        *lock(&self.client_address) = address;
    }

    /// Returns whether this request is answered by a starting server.
    pub fn is_starting(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.starting
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
    }

    /// Runs the reaper if it is due. This happens at a request instead of a timer. Clients see no
    /// difference, and the reaper follows the clock when a test changes it.
    pub fn reap_when_due(&self) {
        let Some(interval) = self.options.reap_interval else {
            return;
        };
        let now = self.clock.now();
        let mut last = lock(&self.last_reap);
        let interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX);
        if now < *last {
            // The clock was set back. Start again, or nothing is removed until it has reached the
            // old time.
            *last = now;
        } else if now - *last >= interval {
            *last = now;
            self.sessions.reap(now);
        }
    }
}
