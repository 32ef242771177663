//! Exit: no thread of ours runs a callback in a process that is on its way out.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use crate::host::fork::{in_each_child, this_process};

/// How long `exit` waits for a callback that runs. The callback may need what
/// the host is about to take down, or may wait for ever.
const PATIENCE: Duration = Duration::from_millis(500);

static EXITING: AtomicBool = AtomicBool::new(false);
/// Counts the threads of ours that run a callback.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// The process that `INSIDE` counts in; 0 before the first.
static COUNTED_IN: AtomicU64 = AtomicU64::new(0);
/// The process whose `exit` runs our handler.
static PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static INSIDE_HERE: Cell<usize> = const { Cell::new(0) };
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as one of ours. Threads of the host may run
/// callbacks while it exits.
pub fn this_thread_is_ours() {
    IS_OURS.set(true);
}

/// Returns whether `exit` has begun: no thread of ours runs a callback any more.
pub fn has_begun() -> bool {
    EXITING.load(SeqCst)
}

/// Held while a callback runs.
pub struct ExitGate(());

impl ExitGate {
    /// Registers our exit handler. Call it before the first callback can run.
    ///
    /// `exit` runs its handlers in reverse order, so ours comes before those of
    /// what the host had set up by then. A forked child inherits its parent's
    /// handlers and registers again: what it has set up since has to be taken
    /// down after ours as well.
    pub fn install() {
        // First: its own handler has to count the fork before ours asks.
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
            // Registering twice, from two threads at once, does no harm: the
            // first handler closes.
            at_exit(close);
            PROCESS.store(here, SeqCst);
        }
    }

    /// Returns `None` on a thread of ours once the process has begun to exit.
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

/// Counts anew in a forked child: the thread that forked is the only one there.
fn count_anew() {
    EXITING.store(false, SeqCst);
    INSIDE.store(INSIDE_HERE.get(), SeqCst);
    COUNTED_IN.store(this_process(), SeqCst);
}

fn close() {
    if PROCESS.load(SeqCst) != this_process() || EXITING.swap(true, SeqCst) {
        return;
    }
    let began = Instant::now();
    // The caller of `exit` may itself be inside a callback.
    while INSIDE.load(SeqCst) > INSIDE_HERE.get() && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Has `exit` and `quick_exit` run `handler`, which is always the same one,
/// before what was registered earlier. Without room for it, or on a system
/// without such a thing, it never runs.
#[cfg(unix)]
fn at_exit(handler: fn()) {
    use std::{mem, ptr, sync::atomic::AtomicPtr};
    // A forked child must not wait for a lock here.
    static HANDLER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
    extern "C" fn run() {
        let handler = HANDLER.load(SeqCst);
        if !handler.is_null() {
            // SAFETY: only a `fn()` is stored here.
            unsafe { mem::transmute::<*mut (), fn()>(handler)() };
        }
    }
    HANDLER.store(handler as *mut (), SeqCst);
    // SAFETY: `run` is code that stays loaded and does not unwind.
    unsafe {
        libc::atexit(run);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            unsafe extern "C" {
                fn at_quick_exit(handler: extern "C" fn()) -> libc::c_int;
            }
            at_quick_exit(run);
        }
    }
}

#[cfg(not(unix))]
fn at_exit(_: fn()) {}
