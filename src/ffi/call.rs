use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use zelf_core::{
    background::yields::Yield,
    client::{AsyncCall, Unsent},
    error::{Error, Status},
    host::{forced_unwind::contain, fork::Owner},
};

use crate::ffi::{
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    session::{give, zelf_session},
};

/// A handle of an asynchronous call, to cancel it.
pub struct zelf_call(AsyncCall);

/// Receives the result of an asynchronous call: exactly one of session and error is non-NULL.
///
/// The callback owns it and frees it with zelf_session_free or zelf_error_free.
pub type zelf_session_callback = Option<
    unsafe extern "C-unwind" fn(
        session: *mut zelf_session,
        error: *mut zelf_error,
        user_data: *mut c_void,
    ),
>;

/// Prepares and starts a call for a session.
pub(super) fn begin(
    callback: zelf_session_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
    prepare: impl FnOnce() -> Result<(AsyncCall, Unsent), Error>,
) -> *mut zelf_call {
    start(
        callback,
        user_data,
        destroy,
        error,
        prepare,
        |callback, outcome, user_data| {
            let (session, error) = split(outcome.and_then(Yield::session), |session| {
                give(Arc::new(session))
            });
            // SAFETY: the host's function with the host's data, called once.
            contain(|| unsafe { callback(session, error, user_data) });
        },
    )
}

/// Prepares and starts a call of any kind. `tell` runs the callback.
pub(super) fn start<C: Send + 'static>(
    callback: Option<C>,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
    prepare: impl FnOnce() -> Result<(AsyncCall, Unsent), Error>,
    tell: fn(C, Result<Yield, Error>, *mut c_void),
) -> *mut zelf_call {
    let start = || {
        let callback = callback.ok_or_else(|| {
            Error::new(
                Status::InvalidArgument,
                "the callback is NULL; pass a function",
            )
        })?;
        let (call, unsent) = prepare()?;
        let call = Box::into_raw(Box::new(zelf_call(call)));
        let host = Host {
            user_data,
            destroy,
            owner: Owner::this_process(),
        };
        // This comes last: the callback may run now, and may free the call.
        unsent.submit(Box::new(move |outcome| {
            tell(callback, outcome, host.user_data());
            host.destroy();
        }));
        Ok(call)
    };
    guard::pointer(error, start, |call| call)
}

/// Returns the arguments for a callback: an object or an error, and NULL for the other.
pub(super) fn split<T, O>(
    outcome: Result<T, Error>,
    give: impl FnOnce(T) -> *mut O,
) -> (*mut O, *mut zelf_error) {
    match outcome {
        Ok(object) => (give(object), std::ptr::null_mut()),
        Err(error) => (
            std::ptr::null_mut(),
            Box::into_raw(Box::new(zelf_error::from(error))),
        ),
    }
}

/// Cancels a call. Its callback gets ZELF_ERROR_CANCELLED as soon as callbacks can run.
///
/// If the call already has a result, the function does nothing, and the callback gets that
/// result. The function does not wait for the callback. The server may have carried out the
/// request.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_call_cancel(call: Option<NonNull<zelf_call>>) {
    guard::value((), || {
        if let Some(call) = call {
            // SAFETY: a live call, as the header requires; it is only read.
            unsafe { call.as_ref() }.0.cancel();
        }
    });
}

/// Releases the handle. The call continues and its callback still runs.
///
/// It may be called at any time, also inside the callback. No other thread may use the
/// handle at that moment or later.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_call_free(call: Option<Box<zelf_call>>) {
    guard::value((), || drop(call));
}

/// The callbacks and data of the host for a call.
struct Host {
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    /// The process that started the call.
    owner: Owner,
}

// SAFETY: the header says on which threads the callbacks run.
unsafe impl Send for Host {}

impl Host {
    fn user_data(&self) -> *mut c_void {
        self.user_data
    }

    fn destroy(self) {
        let user_data = self.user_data;
        // A callback may have forked, and this may be the child.
        if let Some(destroy) = self.destroy
            && !self.owner.is_another()
        {
            // SAFETY: the host's function with the host's data, called once.
            contain(|| unsafe { destroy(user_data) });
        }
    }
}
