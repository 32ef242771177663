//! What surrounds every export: no panic leaves, `errno` stays, no cancellation
//! begins, nothing is printed.

use std::{
    cell::Cell,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    error::{Error, Status},
    ffi::{
        error::zelf_error,
        status::{Number, ZELF_ERROR_PANIC, ZELF_OK, zelf_status},
    },
    sys::{KeepErrno, NoCancel},
};

/// For an export that cannot fail; `fallback` is what a bug of ours makes of it.
pub(super) fn value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    protect(body).unwrap_or(fallback)
}

/// For an export that returns an object of the caller's, or NULL and an error.
///
/// `error_out` may be NULL; it is written on failure only.
pub(super) fn object<T>(
    error_out: *mut *mut zelf_error,
    body: impl FnOnce() -> Result<T, Error>,
) -> *mut T {
    let outcome = protect(|| body().map(|object| Box::into_raw(Box::new(object))));
    match outcome.unwrap_or_else(|where_from| Err(broken(&where_from))) {
        Ok(object) => object,
        Err(error) => {
            if !error_out.is_null() {
                let error = Box::into_raw(Box::new(zelf_error::from(error)));
                // SAFETY: the caller passed NULL or a place for one pointer;
                // it may be uninitialised, so it is written and never read.
                unsafe { error_out.write(error) };
            }
            std::ptr::null_mut()
        }
    }
}

/// For an export that only says whether it succeeded.
pub(super) fn status(body: impl FnOnce() -> Result<(), Error>) -> zelf_status {
    match protect(body) {
        Ok(Ok(())) => ZELF_OK,
        Ok(Err(error)) => Number::from(error.status).0,
        Err(_) => ZELF_ERROR_PANIC,
    }
}

fn broken(place: &str) -> Error {
    Error::new(
        Status::Panic,
        format!("libzelf has a bug at {place}; please report it. The client stays usable"),
    )
}

thread_local! {
    /// How deep this thread is inside our exports.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic of this thread came from.
    static PANICKED_AT: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Runs `body`; a panic becomes the place it came from.
///
/// Only the place is kept, never the panic's words: they may quote data.
fn protect<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    let _errno = KeepErrno::new();
    let _no_cancel = NoCancel::new();
    silence_our_panics();
    INSIDE.set(INSIDE.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "test-hooks")]
        super::test_hooks::panic_if_asked();
        body()
    }));
    INSIDE.set(INSIDE.get() - 1);
    outcome.map_err(|payload| {
        // A payload whose drop panics must not get out either.
        std::mem::forget(payload);
        match PANICKED_AT.take() {
            Some(place) => place.to_string(),
            None => "an unknown place".to_owned(),
        }
    })
}

/// Panics of ours must not print. In the shared library the hook is our own;
/// in the static one a host in Rust may share it, so every panic outside our
/// exports goes to the hook that was there.
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
