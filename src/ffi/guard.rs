//! Surrounds every export: no panic leaves, `errno` stays, no cancellation begins,
//! nothing is printed.

use zelf_core::{
    error::Error,
    host::{cancellation::NoCancel, errno::KeepErrno, panics},
};

use crate::ffi::{
    error::zelf_error,
    status::{Number, ZELF_OK, zelf_status},
};

/// For an export that cannot fail; `fallback` is what a bug of ours makes of it.
pub(super) fn value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    protect(|| Ok(body())).unwrap_or(fallback)
}

/// For a getter: reads from an object, and gives `fallback` for NULL and for a bug
/// of ours.
pub(super) fn get<O, T: Copy>(object: Option<&O>, fallback: T, read: impl FnOnce(&O) -> T) -> T {
    value(fallback, || object.map_or(fallback, read))
}

/// For an export that returns an object of the caller's, or NULL and an error.
///
/// `error_out` may be NULL; it is written on failure only.
pub(super) fn object<T>(
    error_out: *mut *mut zelf_error,
    body: impl FnOnce() -> Result<T, Error>,
) -> *mut T {
    pointer(error_out, || {
        body().map(|object| Box::into_raw(Box::new(object)))
    })
}

/// As [`object`], where the body makes the pointer.
pub(super) fn pointer<T>(
    error_out: *mut *mut zelf_error,
    body: impl FnOnce() -> Result<*mut T, Error>,
) -> *mut T {
    match protect(body) {
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
        Ok(()) => ZELF_OK,
        Err(error) => Number::from(error.status).0,
    }
}

fn protect<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let _errno = KeepErrno::new();
    let _no_cancel = NoCancel::new();
    panics::catch(|| {
        #[cfg(feature = "test-hooks")]
        super::test_hooks::panic_if_asked();
        body()
    })
    .and_then(|outcome| outcome)
}
