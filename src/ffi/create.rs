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
/// If the server returns a session that has expired or has under 2 s left, the library
/// replaces it once with killSession, if an identifier is set, the server cannot have found the
/// session by the tag name, and the clocks agree (docs/guide.md). Otherwise the call fails with
/// ZELF_ERROR_SESSION_EXPIRED.
///
/// Calls of one client for one identifier take turns. Calls with equal options share one
/// request and its outcome, and each gets its own session object. docs/guide.md has the
/// details.
///
/// options: NULL sends an empty object.
///
/// Errors: any except ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_CANCELLED and ZELF_ERROR_FORKED.
#[unsafe(no_mangle)]
#[must_use]
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
/// "Asynchronous calls" and "Callbacks" at the top say when and where callback and destroy run.
/// callback may run before this function returns. If it needs the returned pointer: lock a mutex
/// before this call, unlock it when the pointer is stored, and lock it in callback.
///
/// All asynchronous calls of a client share its I/O thread and, for session calls, 32
/// connections. Further calls wait in order. The time limit includes all waiting.
///
/// options: copied; NULL sends an empty object.
/// callback: must not be NULL.
/// destroy: frees user_data; may be NULL.
///
/// Returns a call; free it with zelf_call_free at any time.
///
/// Errors: ZELF_ERROR_INVALID_ARGUMENT; ZELF_ERROR_SYSTEM if no thread can be started;
/// ZELF_ERROR_SHUT_DOWN, also late during exit; ZELF_ERROR_FORKED. callback receives all other
/// errors.
#[unsafe(no_mangle)]
#[must_use]
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
