//! The end of the asynchronous side: by a shutdown, which waits, or by freeing the client.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    background::{
        engine::{Engine, cancelled, forked},
        nesting,
    },
    error::{Error, Status},
    host::{exit, forced_unwind, panics, threads},
    log,
};

/// How long a thread without work needs to end, on a busy machine.
const MOMENT: Duration = Duration::from_millis(80);

/// Rejects new calls and cancels those in progress.
fn close(engine: &Engine) {
    let mut state = engine.hold();
    engine.set_closed();
    let orders = state.threads.orders.take();
    state.end_all(cancelled);
    engine.tell(state);
    // The I/O thread ends when no more orders can come, and drops its tasks. This panics if the
    // thread cannot be woken.
    let _ = panics::catch(|| drop(orders));
}

/// Cancels all calls and waits until their callbacks have returned. Callbacks that are running on
/// this thread are not waited for. After that, no callback runs any more.
pub fn shut_down(engine: &Arc<Engine>, timeout: Duration) -> Result<(), Error> {
    engine.enter()?;
    let deadline = Instant::now().checked_add(timeout);
    close(engine);
    let mut state = engine.hold();
    let is_own = state.threads.is_own();
    let mut has_run_one = false;
    loop {
        let here = state.callbacks.running_here();
        if state.calls.unfinished() == here {
            break;
        }
        let left = left_until(deadline);
        if here > 1 {
            // Callbacks further up this stack can only return after this call.
            return Err(still_running());
        }
        let is_io = threads::does_io();
        if is_io {
            // This is a log callback on the I/O thread, whose stack is small.
            engine.start_callback_thread(&mut state)?;
        }
        // True if no other thread would run the callbacks that are due.
        let is_left_to_us = !is_io
            && !state.callbacks.run_elsewhere()
            && (!state.threads.has_callback_thread || (is_own && here > 0) || exit::has_begun());
        if is_left_to_us && nesting::is_too_deep() && state.callbacks.count() > 0 {
            drop(state);
            nesting::leave(engine.clone());
            return Err(still_running());
        }
        // With a timeout of 0, one callback runs in each call, so that a host that polls makes
        // progress. After the client was freed, no other call would run the rest.
        if is_left_to_us
            && !(left.is_zero() && has_run_one && !state.is_let_go)
            && let Some(due) = state.callbacks.pop()
        {
            state = engine.run_one(state, due).ok_or_else(forked)?;
            has_run_one = true;
            if forced_unwind::is_ending() {
                return Err(still_running());
            }
            continue;
        }
        if left.is_zero() {
            state.callbacks.signal_again();
            return Err(still_running());
        }
        state = engine.wait(state, left);
    }
    // The threads have no work left, except for a log callback that may be running, and the host's
    // destructors at the end of a thread.
    while state.threads.join_ended() > 0 {
        let left = left_until(deadline.and_then(|deadline| deadline.checked_add(MOMENT)));
        if left.is_zero() {
            return Err(still_running());
        }
        // A thread cannot signal its very end, so look for it often.
        let brief = match state.threads.running() > usize::from(is_own) {
            true => left,
            false => left.min(Duration::from_millis(1)),
        };
        state = engine.wait(state, brief);
    }
    if is_own && state.callbacks.running_here() == 0 {
        // This is a log callback on the I/O thread. No other may follow it.
        log::mute_this_thread();
    }
    Ok(())
}

/// Returns the time until `deadline`, or without one the longest time.
fn left_until(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |deadline| {
        deadline.saturating_duration_since(Instant::now())
    })
}

/// Cancels all calls when the host frees the client. Threads that are still running end later.
///
/// `is_shared` is true if other threads may still submit calls. They are waited for: then their
/// callbacks run here.
pub fn let_go(engine: &Arc<Engine>, is_shared: bool) {
    if engine.is_inherited() {
        // The threads and their work belong to the parent.
        mem::forget(Arc::clone(engine));
        return;
    }
    close(engine);
    let mut state = engine.hold();
    if engine.is_dispatched || state.threads.lacks_callback_thread {
        while is_shared && state.calls.beginning() > 0 {
            state = engine.wait(state, Duration::MAX);
        }
        // The host will not dispatch any more.
        state.is_let_go = true;
        engine.run_rest(state);
    }
}

fn still_running() -> Error {
    Error::new(
        Status::Timeout,
        "callbacks of the client are still running; let them return, then try again",
    )
}
