//! A caller's own event loop and connection.
//!
//! A blocking call runs on its caller's thread: it checks a lane out, drives
//! it, and puts it back. No thread is started and none is woken, and calls scale
//! with their callers.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    error::Error,
    runtime::{EventLoop, this_thread},
    sys,
    transport::Http,
};

/// More callers than this at once work, but their lanes are not kept.
const MAX_RESTING: usize = 32;
/// The server has closed a connection that rested longer.
const MAX_REST: Duration = Duration::from_secs(6);

pub(crate) struct Lane {
    // Dropped before the event loop that its connection belongs to.
    http: Option<Http>,
    event_loop: EventLoop,
    /// On the clock that runs through sleep: what a suspended device kept is
    /// long gone for the server.
    rests_since: Option<Duration>,
    /// Whose caches it is warm in.
    last_thread: usize,
}

impl Lane {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {
            http: None,
            event_loop: EventLoop::new()?,
            rests_since: None,
            last_thread: 0,
        })
    }

    /// Runs a call on this thread until it is done. It is given the place of the
    /// lane's HTTP client, to be filled by the first call that sends something:
    /// one that only waits for another's answer needs none.
    pub(crate) fn drive<T>(&mut self, call: impl AsyncFnOnce(&mut Option<Http>) -> T) -> T {
        self.event_loop.block_on(call(&mut self.http))
    }
}

/// The lanes that rest between calls, the last used on top.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<Vec<Lane>>);

impl Lanes {
    /// The lane that this thread used last, if it still rests.
    pub(crate) fn take(&self) -> Option<Lane> {
        let me = this_thread();
        let mut lanes = self.lock();
        match lanes.iter().rposition(|lane| lane.last_thread == me) {
            Some(mine) => Some(lanes.remove(mine)),
            None => lanes.pop(),
        }
    }

    pub(crate) fn put_back(&self, mut lane: Lane) {
        let now = sys::time_since_boot();
        lane.rests_since = Some(now);
        lane.last_thread = this_thread();
        let mut lanes = self.lock();
        // The oldest are at the bottom; the newest stays whatever its age, for
        // a program that calls every few minutes.
        let tired = lanes
            .iter()
            .take_while(|lane| {
                lane.rests_since
                    .is_some_and(|since| now.saturating_sub(since) > MAX_REST)
            })
            .count();
        let surplus = (lanes.len() + 1).saturating_sub(MAX_RESTING);
        let retired: Vec<Lane> = lanes.drain(..tired.max(surplus)).collect();
        lanes.push(lane);
        drop(lanes);
        // Closing connections takes system calls: not under the lock.
        drop(retired);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
