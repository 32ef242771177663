//! Panics of ours become errors. They are bugs. A host must neither see them
//! printed nor be unwound by them.

use std::{
    cell::Cell,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::error::{Error, Status};

thread_local! {
    /// How deep this thread is inside code of ours.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic of this thread came from.
    static PANICKED_AT: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Where a test may ask for a panic.
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

/// Runs `body`; a panic becomes an error with the place it came from.
///
/// Only the place is kept, never the panic's words: they may quote data.
pub fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Error> {
    silence_our_panics();
    let depth = INSIDE.get();
    INSIDE.set(depth + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(depth);
    outcome.map_err(|payload| {
        // A payload whose drop panics must not get out either.
        std::mem::forget(payload);
        last()
    })
}

/// The last panic of this thread, as an error.
pub fn last() -> Error {
    let place = match PANICKED_AT.get() {
        Some(place) => place.to_string(),
        None => "an unknown place".to_owned(),
    };
    Error::new(
        Status::Panic,
        format!("libzelf has a bug at {place}; please report it. The client stays usable"),
    )
}

/// Runs code of the host's: its panics are not ours to hide.
pub fn outside<T>(body: impl FnOnce() -> T) -> T {
    let depth = INSIDE.replace(0);
    let outcome = body();
    INSIDE.set(depth);
    outcome
}

/// Keeps our panics from printing. The static library may share the hook with a host
/// in Rust. So a panic outside our code goes to the hook that was there.
fn silence_our_panics() {
    // Not a `Once`: one that runs at a fork would never end in the child.
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Relaxed) || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let hosts_hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if INSIDE.get() == 0 {
            hosts_hook(panic);
        } else if let Some(place) = panic.location() {
            PANICKED_AT.set(Some(Place::new(place.file(), place.line())));
        }
    }));
}

/// A source line. Without the heap, so that the thread-local that holds it has
/// no destructor to run after the host unloaded us.
#[derive(Clone, Copy)]
struct Place {
    file: [u8; 32],
    line: u32,
}

impl Place {
    /// Keeps the end of the path: the rest is the building machine's business.
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
