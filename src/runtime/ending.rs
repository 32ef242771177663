//! How an engine ends: shut down by a host that waits for it, or let go of.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::task::AbortHandle;

use crate::{
    error::{Error, Status},
    exit, log,
    runtime::{
        Engine,
        engine::{cancelled, forked},
        this_thread,
    },
};

/// What threads without work take to end, on a busy machine.
const MOMENT: Duration = Duration::from_millis(80);

impl Engine {
    /// Takes no more calls, and cancels those under way.
    fn close(&self) {
        let mut state = self.lock();
        self.closed.store(true, Ordering::Release);
        // The I/O thread ends when it has no more to read.
        state.jobs = None;
        let tasks = state.end_all(cancelled);
        drop(state);
        self.changed.notify_all();
        tasks.iter().for_each(AbortHandle::abort);
    }

    /// Cancels everything and waits until every callback has returned, but for
    /// those that this thread is in: then none runs any more.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), Error> {
        self.enter()?;
        let deadline = Instant::now() + timeout;
        self.close();
        let here = this_thread();
        let mut state = self.lock();
        let is_own = state.own.contains(&here);
        let mut has_run_one = false;
        loop {
            let mine = state.in_callbacks.iter().filter(|&&on| on == here).count();
            if state.unfinished == mine {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // Nobody else would run what is due.
            let is_left_to_us = self.is_dispatched || (is_own && mine > 0) || exit::has_begun();
            // Who asks again and again, without waiting, has to get on as well; and
            // nobody else comes once the client has been freed.
            if is_left_to_us
                && !(left.is_zero() && has_run_one && !state.is_let_go)
                && !state.others_run_callbacks()
                && let Some(due) = state.next_due()
            {
                state = self.run_one(state, due).ok_or_else(forked)?;
                has_run_one = true;
                continue;
            }
            if left.is_zero() {
                state.ring_again();
                return Err(still_running());
            }
            state = self.wait(state, left);
        }
        // The threads have nothing left to do, but for a log callback that one
        // may be in and what the host has destroyed when a thread ends, and need a
        // moment.
        while state.join_ended() > 0 {
            let left = (deadline + MOMENT).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(still_running());
            }
            // Nobody tells that a thread has come to its very end.
            let brief = match state.running > usize::from(is_own) {
                true => left,
                false => left.min(Duration::from_millis(1)),
            };
            state = self.wait(state, brief);
        }
        if is_own && !state.in_callbacks.contains(&here) {
            // This is the I/O thread, in a log callback that is to be the last.
            log::mute_this_thread();
        }
        Ok(())
    }

    /// What freeing the client means: everything is cancelled, and whatever
    /// still runs ends by itself.
    pub(crate) fn let_go(self: &Arc<Self>) {
        if self.is_inherited() {
            // Its threads are the parent's, and so is what they were doing.
            std::mem::forget(Arc::clone(self));
            return;
        }
        self.close();
        if self.is_dispatched {
            // There is nobody left to dispatch.
            let mut state = self.lock();
            state.is_let_go = true;
            while state.beginning > 0 {
                state = self.wait(state, Duration::MAX);
            }
            if self.run_due(state, 0).is_none() {
                std::mem::forget(Arc::clone(self));
            }
        }
    }
}

fn still_running() -> Error {
    Error::new(
        Status::Timeout,
        "callbacks of the client are still running; they have to return first",
    )
}
