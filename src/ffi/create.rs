use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use crate::ffi::{
    call::{self, zelf_call, zelf_session_callback},
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    session::{give, zelf_session},
    session_options::{self, zelf_session_options},
};

/// Creates a session with POST /api/sessions. Blocks until the answer or the time limit.
///
/// Expired sessions: the server may return a session that has expired or has under 2 s left.
/// If an identifier is set, the library replaces it once with killSession, unless the server
/// may have found it by the tag name. It does so only if the time in the token and the Date
/// header both say that it has expired; without a time in the token, the Date header and the
/// device's clock. A slow answer is no reason. Otherwise the call fails with
/// ZELF_ERROR_SESSION_EXPIRED.
///
/// Other options: a session that was made with another tag name, domain or Ethereum address
/// is ZELF_ERROR_OTHER_OPTIONS.
///
/// Concurrent calls: calls of one client for one identifier take turns; without an
/// identifier, calls with one tag name do. Calls with equal options share one request and
/// its outcome, and each gets its own session object. A call that waits behind a kill (see
/// zelf_session_options_set_kill_session) never gets the ended session. An error that only
/// one call's time limit or number of attempts caused is not shared: the next call continues,
/// after the pause before a retry. When the client's retry budget is empty
/// (zelf_config_set_max_attempts), it may be shared.
///
/// A name look-up runs on a helper thread, which may outlive the call.
///
/// options: NULL sends an empty object.
///
/// Errors: any except ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_CANCELLED and ZELF_ERROR_FORKED.
/// A thread that is ending (thread-specific destructor, atexit handler) gets
/// ZELF_ERROR_INVALID_ARGUMENT if it is too late to open a connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_create(
    client: Option<NonNull<zelf_client>>,
    options: Option<&zelf_session_options>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    let create = || {
        // SAFETY: a live client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        let options = session_options::or_default(options);
        client.create_session(options)
    };
    guard::pointer(error, create, |session| give(Arc::new(session)))
}

/// Creates a session like zelf_session_create, without blocking.
///
/// If this function returns a call, callback runs exactly once, and destroy exactly once
/// after it, in the process that made the call. If it returns NULL, neither runs, and
/// user_data stays yours. "Exit" at the top says what happens at the end of the process.
///
/// Callbacks of asynchronous calls of a client run one at a time, on its callback thread with
/// a stack of 2 MiB, or in zelf_client_dispatch. They never run on your thread inside this
/// function, but callback may run before it returns: if callback needs the returned pointer,
/// hold a lock around this call and take it in callback. A callback may block, and may call
/// any function of the library, also to free the call and the client. A child forked in a
/// callback on the client's thread ends when the callback returns.
///
/// All asynchronous calls of a client share its I/O thread and, for session calls, 32
/// connections. Further calls wait in order. The time limit includes all waiting.
///
/// options: copied; NULL sends an empty object.
/// callback: must not be NULL.
/// destroy: frees user_data; may be NULL.
///
/// Returns a call; free it with zelf_call_free at any time. Errors:
/// ZELF_ERROR_INVALID_ARGUMENT; ZELF_ERROR_SYSTEM if no thread can be started;
/// ZELF_ERROR_SHUT_DOWN, also late during exit; ZELF_ERROR_FORKED. callback receives all
/// other errors.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_create_async(
    client: Option<NonNull<zelf_client>>,
    options: *const zelf_session_options,
    callback: zelf_session_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    call::begin(callback, user_data, destroy, error, || {
        // SAFETY: a client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        // SAFETY: options or NULL, as the header requires. They are not used later, because the
        // callback may free them.
        let options = unsafe { options.as_ref() };
        client.begin(session_options::or_default(options))
    })
}
