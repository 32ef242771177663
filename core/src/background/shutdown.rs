//! How the asynchronous side ends: shut down by a host that waits, or let go of.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    background::engine::{Engine, cancelled, forked},
    error::{Error, Status},
    host::exit,
    log,
};

/// What threads without work take to end, on a busy machine.
const MOMENT: Duration = Duration::from_millis(80);

/// Takes no more calls, and cancels those under way.
fn close(engine: &Engine) {
    let mut state = engine.hold();
    engine.set_closed();
    // The I/O thread ends when no order can come any more, and drops what is under
    // way.
    state.threads.orders = None;
    state.end_all(cancelled);
    engine.tell(state);
}

/// Cancels everything and waits until every callback has returned, apart from
/// those that this thread is in. Then none runs any more.
pub fn shut_down(engine: &Engine, timeout: Duration) -> Result<(), Error> {
    engine.enter()?;
    let deadline = Instant::now() + timeout;
    close(engine);
    let mut state = engine.hold();
    let is_own = state.threads.is_own();
    let mut has_run_one = false;
    loop {
        let here = state.callbacks.running_here();
        if state.calls.unfinished() == here {
            break;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        // No other thread would run what is due.
        let is_left_to_us = engine.is_dispatched || (is_own && here > 0) || exit::has_begun();
        // A host that asks again and again without waiting has to get on as well,
        // and nobody dispatches a client that has been freed.
        if is_left_to_us
            && !(left.is_zero() && has_run_one && !state.is_let_go)
            && !state.callbacks.run_elsewhere()
            && let Some(due) = state.callbacks.pop()
        {
            state = engine.run_one(state, due).ok_or_else(forked)?;
            has_run_one = true;
            continue;
        }
        if left.is_zero() {
            state.callbacks.signal_again();
            return Err(still_running());
        }
        state = engine.wait(state, left);
    }
    // The threads have nothing left to do but a log callback that one may be in,
    // and the host's destructors at a thread's end.
    while state.threads.join_ended() > 0 {
        let left = (deadline + MOMENT).saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(still_running());
        }
        // The very end of a thread wakes nobody.
        let brief = match state.threads.running() > usize::from(is_own) {
            true => left,
            false => left.min(Duration::from_millis(1)),
        };
        state = engine.wait(state, brief);
    }
    if is_own && state.callbacks.running_here() == 0 {
        // This is the I/O thread, in a log callback that is to be the last.
        log::mute_this_thread();
    }
    Ok(())
}

/// Frees the client: cancels everything. What still runs ends by itself.
pub fn let_go(engine: &Arc<Engine>) {
    if engine.is_inherited() {
        // Its threads are the parent's, and so is what they were doing.
        mem::forget(Arc::clone(engine));
        return;
    }
    close(engine);
    if engine.is_dispatched {
        // Nobody is left to dispatch.
        let mut state = engine.hold();
        state.is_let_go = true;
        while state.calls.beginning() > 0 {
            state = engine.wait(state, Duration::MAX);
        }
        if engine.run_due(state, 0).is_none() {
            mem::forget(Arc::clone(engine));
        }
    }
}

fn still_running() -> Error {
    Error::new(
        Status::Timeout,
        "callbacks of the client are still running; they have to return first",
    )
}
