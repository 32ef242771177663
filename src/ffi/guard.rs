//! Wraps every export: no panic leaves it, `errno` is unchanged, the thread is not cancelled, and
//! nothing is printed.

use zelf_core::{
    error::Error,
    host::{cancellation::NoCancel, errno::KeepErrno, forced_unwind, panics},
};

use crate::ffi::{
    error::zelf_error,
    status::{Number, ZELF_OK, zelf_status},
};

/// Wraps an export that cannot fail. `fallback` is the result if the library panics.
pub(super) fn value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    protect(|| Ok(body())).unwrap_or(fallback)
}

/// Wraps a getter: reads from an object. Returns `fallback` for NULL, or if the library panics.
/// `read` must not run code of the host.
pub(super) fn get<O, T: Copy>(object: Option<&O>, fallback: T, read: impl FnOnce(&O) -> T) -> T {
    let _errno = KeepErrno::new();
    let _no_cancel = NoCancel::new();
    shield(|| Ok(object.map_or(fallback, read))).unwrap_or(fallback)
}

/// Wraps an export that returns a new object, or NULL and an error.
///
/// `error_out` may be NULL. It is only written on failure.
pub(super) fn object<T>(
    error_out: *mut *mut zelf_error,
    body: impl FnOnce() -> Result<T, Error>,
) -> *mut T {
    pointer(error_out, body, |object| Box::into_raw(Box::new(object)))
}

/// Does the same as [`object`], with another function that passes the object to the host.
pub(super) fn pointer<T, O>(
    error_out: *mut *mut zelf_error,
    body: impl FnOnce() -> Result<T, Error>,
    give: impl FnOnce(T) -> *mut O,
) -> *mut O {
    match protect(body) {
        Ok(object) => give(object),
        Err(error) => {
            if !error_out.is_null() {
                let error = Box::into_raw(Box::new(zelf_error::from(error)));
                // SAFETY: the caller passed NULL or a pointer to one pointer. It may be
                // uninitialised, so it is only written.
                unsafe { error_out.write(error) };
            }
            std::ptr::null_mut()
        }
    }
}

/// Wraps an export that only returns a status.
pub(super) fn status(body: impl FnOnce() -> Result<(), Error>) -> zelf_status {
    match protect(body) {
        Ok(()) => ZELF_OK,
        Err(error) => Number::from(error.status).0,
    }
}

fn protect<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let errno = KeepErrno::new();
    let no_cancel = NoCancel::new();
    let outcome = shield(body);
    if forced_unwind::is_ending() {
        // The host has ended its thread inside this call, so nothing receives the outcome.
        drop(outcome);
        drop(no_cancel);
        drop(errno);
        forced_unwind::go_on();
    }
    outcome
}

fn shield<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    panics::catch(|| {
        #[cfg(feature = "test-hooks")]
        super::test_hooks::panic_if_asked();
        body()
    })
    .and_then(|outcome| outcome)
}
