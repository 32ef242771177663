//! Exit: no thread of the library runs a callback while the process exits.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use crate::host::{
    fork::{in_each_child, this_process},
    system,
};

/// How long `exit` waits for a running callback. The callback may need things that the host is
/// about to destroy, or may never return.
const PATIENCE: Duration = Duration::from_millis(500);

static EXITING: AtomicBool = AtomicBool::new(false);
/// The number of the library's threads that are running a callback.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// The process that `INSIDE` belongs to, or 0 before the first one.
static COUNTED_IN: AtomicU64 = AtomicU64::new(0);
/// The process in which the exit handler is registered.
static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static INSIDE_HERE: Cell<usize> = const { Cell::new(0) };
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as one of the library. Threads of the host may run callbacks during the
/// exit.
pub fn this_thread_is_ours() {
    IS_OURS.set(true);
}

/// Returns whether `exit` has begun. Then no thread of the library runs a callback.
pub fn has_begun() -> bool {
    EXITING.load(SeqCst)
}

/// Exists while a callback runs.
pub struct ExitGate(());

impl ExitGate {
    /// Registers the exit handler. This has to happen before the first callback can run.
    ///
    /// `exit` runs its handlers in reverse order. So ours runs before the handlers that the host
    /// had registered before. A forked child inherits the handlers and registers ours again:
    /// handlers that the child has registered since have to run after ours too.
    pub fn install() {
        // This comes first, because its fork handler has to run before ours.
        let here = this_process();
        in_each_child(count_anew);
        let counted_in = COUNTED_IN.load(SeqCst);
        if counted_in == 0 {
            COUNTED_IN.store(here, SeqCst);
        } else if counted_in != here {
            // The fork ran no handlers.
            count_anew();
        }
        if PROCESS.load(SeqCst) != here {
            // If two threads register it, only the first call of the handler has an effect.
            system::at_exit(close);
            PROCESS.store(here, SeqCst);
        }
    }

    /// Returns `None` on a thread of the library if the process is exiting.
    pub fn enter() -> Option<Self> {
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

/// Resets the counts in a forked child, which has only the thread that forked.
fn count_anew() {
    EXITING.store(false, SeqCst);
    INSIDE.store(INSIDE_HERE.get(), SeqCst);
    COUNTED_IN.store(this_process(), SeqCst);
}

/// Runs before all handlers that were registered earlier. It never runs if there is no room for it,
/// or if the system has no such function.
extern "C" fn close() {
    if PROCESS.load(SeqCst) != this_process() || EXITING.swap(true, SeqCst) {
        return;
    }
    let began = Instant::now();
    // The caller of `exit` may be inside a callback.
    while INSIDE.load(SeqCst) > INSIDE_HERE.get() && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}
