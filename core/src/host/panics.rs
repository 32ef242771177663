//! Turns panics of the library into errors. They are bugs. They must not be printed, and must not
//! unwind into the host.

use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use crate::{
    error::{Error, Status},
    host::{at_end::AtEnd, fork, refusals, signals, system, threads},
};

thread_local! {
    /// The depth of nested calls into the library on this thread.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    /// The source line of the last panic of this thread.
    static PANICKED_AT: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Where a test can cause a panic.
#[cfg(feature = "test-hooks")]
#[derive(Clone, Copy)]
pub enum Point {
    Task,
    Callback,
    IoThread,
}

#[cfg(feature = "test-hooks")]
impl Point {
    fn is_armed(self) -> &'static AtomicBool {
        static ARMED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];
        &ARMED[self as usize]
    }

    pub fn arm(self) {
        self.is_armed().store(true, Ordering::SeqCst);
    }

    pub fn strike(self) {
        if self.is_armed().swap(false, Ordering::SeqCst) {
            panic!("asked to by a test: s3cr3t");
        }
    }
}

/// Runs `body`. Returns a panic as an error, with its source line.
///
/// The text of the panic is not kept, because it may contain data.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Error> {
    silence_our_panics();
    let depth = INSIDE.get();
    INSIDE.set(depth + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(depth);
    outcome.map_err(|payload| {
        // Leak the payload: its destructor could panic too.
        std::mem::forget(payload);
        last()
    })
}

/// Polls `body` inside [`catch`], on the thread of a host that polls it.
pub async fn catch_in_polls<T>(body: impl Future<Output = T>) -> Result<T, Error> {
    let mut body = pin!(body);
    poll_fn(|context| match catch(|| body.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(error) => Poll::Ready(Err(error)),
    })
    .await
}

/// Returns the last panic of this thread as an error.
pub fn last() -> Error {
    // The panic is not a bug if the system refuses a call without which the code below us panics.
    if let Some(refused) = refusals::error_behind_panic() {
        return refused;
    }
    let place = match PANICKED_AT.get() {
        Some(place) => place.to_string(),
        None => "an unknown place".to_owned(),
    };
    Error::new(
        Status::Panic,
        format!("libzelf has a bug at {place}; report it. The client can still be used"),
    )
}

/// Runs code of the host. Its panics are printed as usual, and its signals are not blocked. A child
/// that it forks on an I/O thread ends when it returns.
pub fn outside<T>(body: impl FnOnce() -> T) -> T {
    let depth = INSIDE.replace(0);
    let _end = AtEnd(|| INSIDE.set(depth));
    let parent = threads::does_io().then(fork::this_process);
    let outcome = signals::as_host(body);
    if let Some(parent) = parent {
        fork::end_child_of(parent);
    }
    outcome
}

/// Installs a hook that does not print panics of the library. A static library may share the hook
/// with a host in Rust. So a panic outside the library goes to the previous hook.
fn silence_our_panics() {
    // Not a `Once`: if a fork interrupts it, it never completes in the child.
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Relaxed) || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    system::stay_loaded();
    let hosts_hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if INSIDE.get() == 0 {
            hosts_hook(panic);
        } else if let Some(place) = panic.location() {
            PANICKED_AT.set(Some(Place::new(place.file(), place.line())));
        }
    }));
}

/// A source line, stored without the heap. So the thread-local variable has no destructor, which
/// could run after the library was unloaded.
#[derive(Clone, Copy)]
struct Place {
    file: [u8; 32],
    line: u32,
}

impl Place {
    /// Keeps the file name only: the rest of the path belongs to the build machine.
    fn new(path: &str, line: u32) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let mut file = [b' '; 32];
        for (to, from) in file.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        Self { file, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = String::from_utf8_lossy(&self.file);
        write!(f, "{}:{}", file.trim_end(), self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_library_has_a_place_after_one_of_the_host() {
        let error = catch(|| {
            let host = || outside(|| panic!("the host's callback panics"));
            panic::catch_unwind(host).unwrap_err();
            panic!("the library panics");
        })
        .unwrap_err();
        assert!(error.message.contains("at panics.rs:"), "{error}");
    }
}
