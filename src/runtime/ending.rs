//! How an engine ends: shut down by a host that waits for it, or let go of.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::task::AbortHandle;

use crate::{
    error::{Error, Status},
    runtime::{Engine, engine::cancelled, this_thread},
};

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
        // Nobody else would run what is due.
        let drains = state.doorbell.is_some() || (is_own && state.in_callbacks.contains(&here));
        loop {
            let mine = state.in_callbacks.iter().filter(|&&on| on == here).count();
            if state.unfinished == mine {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    Status::Timeout,
                    "callbacks of the client are still running; they have to return first",
                ));
            }
            let due = if drains { state.next_due() } else { None };
            state = match due {
                Some(due) => self.run_one(state, due),
                None => self.wait(state, left),
            };
        }
        // The threads have nothing left to do, and need a moment to end.
        while state.running > usize::from(is_own) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self.wait(state, left);
        }
        let ended = std::mem::take(&mut state.threads);
        drop(state);
        for thread in ended {
            if !is_own || thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
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
        let mut state = self.lock();
        if state.doorbell.is_some() {
            // There is nobody left to dispatch.
            while state.beginning > 0 {
                state = self.wait(state, Duration::MAX);
            }
            while let Some(due) = state.next_due() {
                state = self.run_one(state, due);
            }
        }
    }
}
