use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use zelf_core::{
    background::yields::Yield,
    client::{AsyncCall, Unsent},
    error::{Error, Status},
};

use crate::ffi::{
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    session::{give, zelf_session},
    session_options::{self, zelf_session_options},
};

/// An asynchronous call under way, or ended: what it takes to cancel it. It may
/// be used by any number of threads at once.
pub struct zelf_call(AsyncCall);

/// Receives what an asynchronous call came to: a session or an error, the other
/// is NULL. It is yours, for zelf_session_free or zelf_error_free.
pub type zelf_session_callback = Option<
    unsafe extern "C" fn(
        session: *mut zelf_session,
        error: *mut zelf_error,
        user_data: *mut c_void,
    ),
>;

/// Creates a session as zelf_session_create does, without waiting for it.
///
/// When it returns a call, callback runs exactly once, whatever becomes of the
/// call, and then destroy exactly once. When it returns NULL neither ever runs,
/// and user_data stays yours.
///
/// Callbacks run one at a time, on a thread of the client's that takes no
/// signals of yours, or where zelf_client_dispatch is called. What a callback
/// starts on the client's thread, a program or a thread, inherits its blocked
/// signals. callback never runs inside this function. It may well run on its
/// own thread before yours has stored the returned pointer: if callback needs
/// it, hold a lock around this call. It may do what it likes, for as long as it
/// likes (other callbacks of the client wait): call anything of this library,
/// create a session in either way, free the call and the client. But it must
/// return: no exception, longjmp or pthread_exit. The client's thread has a
/// stack of 2 MiB; a child forked on it that returns from the callback ends.
///
/// All asynchronous calls of a client share one thread for their I/O, started
/// by the first of them. Those for a session share 32 connections; more calls wait
/// in the order they came. One that has to wait a second or more for another attempt gives up its
/// place and queues again then. The configured time limit runs from the
/// beginning. Calls for one identifier take turns, as zelf_session_create says.
///
/// exit takes down first what your program set up last, by atexit or as a C++
/// object with static storage. When it comes to what was there before your
/// first asynchronous call, no callback begins any more on a thread of ours;
/// exit has waited for one that ran, at most 500 ms. A forked child counts from
/// its own first call; quick_exit is an exit as well, on Linux. What a callback
/// uses and was set up later may be gone before: shut the client down first.
/// After that point zelf_client_shutdown runs what is due itself, and without
/// it destroy is never called.
///
/// client: the client; it may be freed meanwhile.
/// options: what to ask for, copied; NULL sends the empty object.
/// callback: what to call; not NULL.
/// user_data: passed to callback and destroy, on another thread.
/// destroy: frees user_data; NULL for nothing to do.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a call that is yours: give it to zelf_call_free, at any time. On
/// failure NULL, and *error, if given, is yours for zelf_error_free; on success
/// *error is not written. Errors: ZELF_ERROR_INVALID_ARGUMENT,
/// ZELF_ERROR_SYSTEM when no thread could be started, ZELF_ERROR_SHUT_DOWN (also
/// at exit, when no callback would begin any more),
/// ZELF_ERROR_FORKED in a child whose parent used the client for asynchronous
/// calls, ZELF_ERROR_PANIC. Everything else comes to callback.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_create_async(
    client: Option<NonNull<zelf_client>>,
    options: *const zelf_session_options,
    callback: zelf_session_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    begin(callback, user_data, destroy, error, || {
        // SAFETY: a client or NULL, as the header asks.
        let client = unsafe { share(client) }?;
        // SAFETY: options or NULL, as the header asks. They are not looked at again: the
        // callback may free them.
        let options = unsafe { options.as_ref() };
        client.begin(session_options::or_default(options))
    })
}

/// Begins a call for a session, and puts it under way.
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
            // SAFETY: the host's own function with the host's own data, once.
            unsafe { callback(session, error, user_data) }
        },
    )
}

/// Begins a call of any kind, and puts it under way. `tell` calls back.
pub(super) fn start<C: Send + 'static>(
    callback: Option<C>,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
    prepare: impl FnOnce() -> Result<(AsyncCall, Unsent), Error>,
    tell: fn(C, Result<Yield, Error>, *mut c_void),
) -> *mut zelf_call {
    guard::pointer(error, || {
        let callback =
            callback.ok_or_else(|| Error::new(Status::InvalidArgument, "the callback is NULL"))?;
        let (call, unsent) = prepare()?;
        let call = Box::into_raw(Box::new(zelf_call(call)));
        let host = Host { user_data, destroy };
        // Last: the callback may run now, and free the call.
        unsent.submit(Box::new(move |outcome| {
            tell(callback, outcome, host.user_data());
            host.destroy();
        }));
        Ok(call)
    })
}

/// Returns what a callback is given: an object or an error, the other is NULL.
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

/// Cancels a call. Its callback runs with ZELF_ERROR_CANCELLED, within
/// milliseconds, wherever the call stood; the server may have carried it out all
/// the same. Of a call that has ended, or has been cancelled, nothing happens.
/// Does not wait for the callback. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_call_cancel(call: Option<NonNull<zelf_call>>) {
    guard::value((), || {
        if let Some(call) = call {
            // SAFETY: a live call, as the header asks; it is only read.
            unsafe { call.as_ref() }.0.cancel();
        }
    });
}

/// Lets go of a call, at any time, also inside its callback; it goes on and
/// calls back all the same. Nobody may use the object after that, so no other
/// thread may be about to cancel it. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_call_free(call: Option<Box<zelf_call>>) {
    guard::value((), || drop(call));
}

/// The host's side of a call.
struct Host {
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
}

// SAFETY: the header says on which threads the callbacks run.
unsafe impl Send for Host {}

impl Host {
    fn user_data(&self) -> *mut c_void {
        self.user_data
    }

    fn destroy(self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the host's own function with the host's own data, once.
            unsafe { destroy(self.user_data) }
        }
    }
}
