//! No callback of a thread of ours into a host that is on its way out.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use crate::{process::this_process, sys};

/// How long exit() waits for a callback that runs: it may need what the host is
/// about to take down, or may wait for ever.
const PATIENCE: Duration = Duration::from_millis(500);

static EXITING: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// The process that they are counted in; 0 before anyone is.
static COUNTED_IN: AtomicU64 = AtomicU64::new(0);
/// The process whose exit() runs our handler.
static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static INSIDE_HERE: Cell<usize> = const { Cell::new(0) };
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Said by a thread of ours when it begins. Those of the host do what it wants,
/// also while it exits.
pub(crate) fn this_thread_is_ours() {
    IS_OURS.set(true);
}

/// Whether exit() has come to us: no thread of ours runs a callback any more.
pub(crate) fn has_begun() -> bool {
    EXITING.load(SeqCst)
}

/// Held while a callback runs.
pub(crate) struct ExitGate(());

impl ExitGate {
    /// Called before the first callback can run. exit() runs its handlers in
    /// reverse order, so ours comes before those of whatever the host had set
    /// up by then.
    ///
    /// A forked child inherits its parent's handlers, and comes here again: those
    /// that it has set up since then have to come after ours as well.
    pub(crate) fn install() {
        let here = this_process();
        let counted_in = COUNTED_IN.load(SeqCst);
        if counted_in == 0 {
            COUNTED_IN.store(here, SeqCst);
        } else if counted_in != here {
            // A fork that ran no handlers.
            forked();
        }
        if PROCESS.load(SeqCst) != here {
            // Twice, from two threads at once, does no harm: the first one closes.
            sys::at_exit(close);
            PROCESS.store(here, SeqCst);
        }
    }

    /// `None` on a thread of ours once the process has begun to exit.
    pub(crate) fn enter() -> Option<Self> {
        if !IS_OURS.get() {
            return Some(Self(()));
        }
        INSIDE.fetch_add(1, SeqCst);
        if EXITING.load(SeqCst) {
            INSIDE.fetch_sub(1, SeqCst);
            return None;
        }
        INSIDE_HERE.set(INSIDE_HERE.get() + 1);
        Some(Self(()))
    }
}

impl Drop for ExitGate {
    fn drop(&mut self) {
        if !IS_OURS.get() {
            return;
        }
        INSIDE.fetch_sub(1, SeqCst);
        INSIDE_HERE.set(INSIDE_HERE.get() - 1);
    }
}

/// In a forked child there is nobody inside but the thread that forked.
pub(crate) fn forked() {
    EXITING.store(false, SeqCst);
    INSIDE.store(INSIDE_HERE.get(), SeqCst);
    COUNTED_IN.store(this_process(), SeqCst);
}

fn close() {
    if PROCESS.load(SeqCst) != this_process() || EXITING.swap(true, SeqCst) {
        return;
    }
    let began = Instant::now();
    // exit() may have been called from inside a callback.
    while INSIDE.load(SeqCst) > INSIDE_HERE.get() && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}
