use std::{
    ffi::c_void,
    ptr::{self, NonNull},
};

use zelf_core::{
    error::{Error, Status},
    provider::session_provider::Provider,
};

use crate::ffi::{
    call::{self, zelf_call, zelf_session_callback},
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    provider_options::{self, zelf_provider_options},
    session::{give, zelf_session},
    session_options::{self, zelf_session_options},
    strings,
};

/// Keeps one session for your program and renews it, so that a valid token is always there.
///
/// Confirmation. A new session may not exist on the server (see
/// zelf_session_options_set_confirm). So the provider asks the server a second time, 250 ms
/// after the session came or later. With background, the client's I/O thread asks. Otherwise one
/// get asks, and waits for up to 2 s. Other gets return the session at once.
///
/// Failures. After a failed renewal the provider pauses for up to 30 s, or for a Retry-After of
/// up to 10 minutes (docs/guide.md). Then the client's thread (with background) or the next get
/// tries again. During the pause a get without a valid session fails at once with the same
/// error.
///
/// Several processes. Processes with one identifier renew one at a time, by a lock file in the
/// directory of zelf_provider_options_set_directory, else in XDG_RUNTIME_DIR, TMPDIR or /tmp, on
/// Windows in the folder zelf of LOCALAPPDATA. While another process renews, a get without a
/// session may fail with ZELF_ERROR_TIMEOUT. If no private lock file can be made, or the process
/// that holds it is suspended, they continue without it and log that (docs/guide.md).
///
/// A forked child starts with its parent's session and renews on its own.
pub struct zelf_session_provider(Provider);

/// Makes a provider.
///
/// It makes no request and starts no thread, except with
/// zelf_provider_options_set_background: then the client's thread asks for a session at
/// once.
///
/// client: may be freed or shut down before the provider is freed. Renewals and sends then fail
///   with ZELF_ERROR_SHUT_DOWN, and gets return the current session while it is valid.
/// options: copied. They must have an identifier and must not kill.
/// provider: copied; NULL for the defaults.
///
/// Errors: ZELF_ERROR_INVALID_ARGUMENT; with background also those of
/// zelf_session_create_async.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_new(
    client: Option<NonNull<zelf_client>>,
    options: Option<&zelf_session_options>,
    provider: Option<&zelf_provider_options>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session_provider {
    guard::object(error, || {
        // SAFETY: a live client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        let options = session_options::or_default(options);
        let provider = provider_options::or_default(provider);
        Provider::new(client, options, provider).map(zelf_session_provider)
    })
}

/// Returns a session with at least min_valid seconds left.
///
/// Several calls may return the same object; free it once per call. With
/// ZELF_RENEWAL_NEVER_KILL the session may have less left.
///
/// Usually the provider holds a valid session, and this takes nanoseconds: no lock, no system
/// call, no allocation (except in the first call of a thread). Without background, two calls wait
/// although the session is valid: one that confirms a new session, for up to 2 s, and one that
/// renews early (ZELF_RENEWAL_EARLY). If there is no valid session, one caller asks the server,
/// and all wait for its result, up to the client's time limit.
///
/// Errors: those of zelf_session_create; ZELF_ERROR_SESSION_NOT_ACTIVE if the server keeps
/// returning an invalidated session. zelf_error_retry_after_ms returns the time until the next
/// attempt.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_get(
    provider: Option<NonNull<zelf_session_provider>>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { to_ref(provider) };
    // This is not in the guard, which takes longer than this. Nothing here can panic, be cancelled
    // or set errno.
    if let Some(session) = provider.and_then(|provider| provider.0.warm()) {
        return give(session);
    }
    get_cold(provider, error)
}

/// Gets a session when there is no valid one. It is separate from the fast path, which then needs
/// less stack.
#[cold]
#[inline(never)]
fn get_cold(
    provider: Option<&zelf_session_provider>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    guard::pointer(error, || not_null(provider)?.get(), give)
}

/// Gets a session like zelf_session_provider_get, without blocking.
///
/// callback and destroy run as for every asynchronous call, also if the session is already
/// there. min_valid counts from the moment the session came: check
/// zelf_session_seconds_left if your callbacks run late. Cancelling a call while it replaces
/// a session does not stop that request; later calls use its result.
///
/// Errors: those of zelf_session_create_async.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_get_async(
    provider: Option<NonNull<zelf_session_provider>>,
    callback: zelf_session_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { to_ref(provider) };
    call::begin(callback, user_data, destroy, error, || {
        not_null(provider)?.begin_get()
    })
}

/// Returns the session that a get returns at once, else NULL. Free it.
///
/// It never blocks and makes no request. After NULL, call zelf_session_provider_get_async: its
/// callback gets a session or an error.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_current(
    provider: Option<NonNull<zelf_session_provider>>,
) -> *mut zelf_session {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { to_ref(provider) };
    guard::value(ptr::null_mut(), || {
        let current = provider.and_then(|provider| provider.0.warm());
        current.map_or(ptr::null_mut(), give)
    })
}

/// Tells the provider that a route refused its session.
///
/// Call it for 403 "Session is not active", then repeat your request with the session of the
/// next zelf_session_provider_get. That get asks the server: it takes a different session as it
/// is, and replaces the same one with one killSession (except with ZELF_RENEWAL_NEVER_KILL). The
/// function makes no request. With a directory it reads and removes the stored session's file.
///
/// Do not call it for other answers: a 401 may mean a path that does not exist, and "Invalid
/// session" and "... limit exceeded" a quota. A new session would end the token of everyone with
/// the identifier. zelf_session_provider_invalidate_if_refused tells them apart.
///
/// rejected: the refused session; it stays yours.
///
/// Returns true for the first report of a session that the provider holds. Repeat your request
/// also after false: another thread has reported the session.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_provider_invalidate(
    provider: Option<NonNull<zelf_session_provider>>,
    rejected: Option<&zelf_session>,
) -> bool {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { to_ref(provider) };
    guard::value(false, || match (provider, rejected) {
        (Some(provider), Some(rejected)) => provider.0.invalidate(&rejected.0),
        _ => false,
    })
}

/// Invalidates the session if an answer refuses it. For programs with another HTTP client.
///
/// 403 "Session is not active" and 401 "Protected resource" refuse it. If the function returns
/// true, repeat your request once, with the session of the next zelf_session_provider_get. After
/// a 401 that get does not kill. The function makes no request. With a directory it reads and
/// removes the stored session's file.
///
/// session: the session that you sent; it stays yours.
/// http_status: the status of the answer.
/// body, length: the body of the answer, without content coding; may be NULL. More than 4096
///   bytes are never a refusal.
///
/// Returns whether the answer refuses the session.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_provider_invalidate_if_refused(
    provider: Option<NonNull<zelf_session_provider>>,
    session: Option<&zelf_session>,
    http_status: i32,
    body: *const c_void,
    length: usize,
) -> bool {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { to_ref(provider) };
    guard::value(false, || match (provider, session) {
        (Some(provider), Some(session)) => {
            // SAFETY: the host's bytes, as the header requires.
            let body = unsafe { strings::bytes(body, length) };
            let status = u16::try_from(http_status).unwrap_or(0);
            provider
                .0
                .invalidate_if_refused(&session.0, status, body.unwrap_or_default())
        }
        _ => false,
    })
}

/// Returns why the last renewal failed. Free it. NULL if it worked, or there was none.
///
/// zelf_error_retry_after_ms returns the time until the next attempt.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C-unwind" fn zelf_session_provider_last_error(
    provider: Option<&zelf_session_provider>,
) -> Option<Box<zelf_error>> {
    guard::value(None, || {
        let error = provider?.0.last_error()?;
        Some(Box::new(zelf_error::from(error)))
    })
}

/// Frees a provider.
///
/// No other thread may be inside a function of the provider, or call one later. Its
/// asynchronous calls continue, and so does a renewal on the client's I/O thread: destroy of
/// zelf_provider_options_set_renewed_callback may run there until the client's time limit.
/// Sessions of the provider stay valid.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_provider_free(provider: Option<Box<zelf_session_provider>>) {
    guard::value((), || drop(provider));
}

/// Returns a reference to a provider.
///
/// # Safety
///
/// `provider` came from zelf_session_provider_new and was not freed, or is NULL.
pub(super) unsafe fn to_ref<'a>(
    provider: Option<NonNull<zelf_session_provider>>,
) -> Option<&'a zelf_session_provider> {
    // SAFETY: the caller's promise. A provider may be used by many threads at once.
    provider.map(|provider| unsafe { provider.as_ref() })
}

pub(super) fn not_null(provider: Option<&zelf_session_provider>) -> Result<&Provider, Error> {
    provider.map(|provider| &provider.0).ok_or_else(|| {
        Error::new(
            Status::InvalidArgument,
            "the provider is NULL; pass one of zelf_session_provider_new",
        )
    })
}
