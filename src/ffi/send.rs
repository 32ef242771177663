use std::{ffi::c_void, ptr::NonNull};

use zelf_core::{
    background::yields::Yield,
    client::{AsyncCall, Unsent},
    error::{Error, Status},
    host::forced_unwind::contain,
    send::request::Request,
};

use crate::ffi::{
    call::{self, zelf_call},
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    provider::{self, zelf_session_provider},
    request::zelf_request,
    response::zelf_response,
    session::zelf_session,
};

/// Sends a request with the provider's session. Blocks for at most the request's time limit.
///
/// An answer of any status is a response, after the library has handled these:
///
/// - 403 "Session is not active": it renews the session (see
///   zelf_session_provider_invalidate) and sends the request again, with any method. After a
///   second such answer it does this once more, without killSession. After a third one the
///   call fails with ZELF_ERROR_GHOST_SESSION.
/// - 401 "Protected resource", perhaps an unknown path: it asks for a session without
///   killSession and sends the request again, once.
/// - 429, 502, 503, 504 and 404 "Not Found" as text (the server is starting): it repeats a
///   repeatable request, as zelf_config_set_max_attempts and Retry-After say.
///
/// A redirect is a response: the token goes only to the host of the base URL. So are answers
/// about the session's quota (docs/guide.md).
///
/// After a failed connection the library repeats a request that was not sent completely, if no
/// answer has begun, with any method; one that was sent completely only if it is repeatable. A
/// request that is not repeatable goes over a new connection or one that was used in the last
/// second. If the server may have carried it out when it fails, the message says so, and
/// zelf_error_is_retryable returns false.
///
/// A client sends at most 32 requests at once; more wait.
///
/// Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent;
/// ZELF_ERROR_RESPONSE_TOO_LARGE; ZELF_ERROR_CONNECTION_LOST, also for a body that is
/// shorter than announced; ZELF_ERROR_SHUT_DOWN; errors of the connection; those of
/// zelf_session_provider_get.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_send(
    provider: Option<NonNull<zelf_session_provider>>,
    request: Option<&zelf_request>,
    error: *mut *mut zelf_error,
) -> *mut zelf_response {
    // SAFETY: a live provider or NULL, as the header requires.
    let provider = unsafe { provider::to_ref(provider) };
    guard::object(error, || {
        provider::not_null(provider)?
            .send(not_null(request)?)
            .map(zelf_response)
    })
}

/// Receives the result of a request: exactly one of response and error is non-NULL.
///
/// The callback owns it and frees it with zelf_response_free or zelf_error_free.
pub type zelf_response_callback = Option<
    unsafe extern "C-unwind" fn(
        response: *mut zelf_response,
        error: *mut zelf_error,
        user_data: *mut c_void,
    ),
>;

/// Sends a request like zelf_session_provider_send, without blocking.
///
/// The request's time limit includes the wait for a connection. The request may be changed or
/// freed as soon as this function returns. The server may have carried out a cancelled call.
///
/// Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent, and those of
/// zelf_session_create_async.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_provider_send_async(
    provider: Option<NonNull<zelf_session_provider>>,
    request: Option<&zelf_request>,
    callback: zelf_response_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    let prepare = || {
        // SAFETY: a live provider or NULL, as the header requires.
        let provider = unsafe { provider::to_ref(provider) };
        provider::not_null(provider)?.begin_send(not_null(request)?)
    };
    begin(callback, user_data, destroy, error, prepare)
}

/// Sends a request with your session, or without one.
///
/// It is like zelf_session_provider_send, but does not renew: an answer that refuses the session
/// is a response.
///
/// session: the library sends its token; it must come from the same server. NULL sends no token.
///
/// Errors: those of zelf_session_provider_send, except those of a get.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_send(
    client: Option<NonNull<zelf_client>>,
    session: Option<&zelf_session>,
    request: Option<&zelf_request>,
    error: *mut *mut zelf_error,
) -> *mut zelf_response {
    guard::object(error, || {
        // SAFETY: a live client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        let session = session.map(|session| &session.0);
        client
            .send_once(not_null(request)?, session)
            .map(zelf_response)
    })
}

/// Sends a request like zelf_session_send, without blocking.
///
/// The request's time limit includes the wait for a connection. The session may be freed, and the
/// request changed or freed, as soon as this function returns. The server may have carried out a
/// cancelled call.
///
/// Errors: those of zelf_session_provider_send_async.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_session_send_async(
    client: Option<NonNull<zelf_client>>,
    session: Option<&zelf_session>,
    request: Option<&zelf_request>,
    callback: zelf_response_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    begin(callback, user_data, destroy, error, || {
        // SAFETY: a live client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        let session = session.map(|session| &session.0);
        client.begin_send(not_null(request)?, session)
    })
}

/// Begins a call for a response, and starts it.
fn begin(
    callback: zelf_response_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
    prepare: impl FnOnce() -> Result<(AsyncCall, Unsent), Error>,
) -> *mut zelf_call {
    call::start(
        callback,
        user_data,
        destroy,
        error,
        prepare,
        |callback, outcome, user_data| {
            let (response, error) = call::split(outcome.and_then(Yield::response), |response| {
                Box::into_raw(Box::new(zelf_response(response)))
            });
            // SAFETY: the host's function with the host's data, called once.
            contain(|| unsafe { callback(response, error, user_data) });
        },
    )
}

fn not_null(request: Option<&zelf_request>) -> Result<&Request, Error> {
    request.map(|request| &request.0).ok_or_else(|| {
        Error::new(
            Status::InvalidArgument,
            "the request is NULL; pass one of zelf_request_new",
        )
    })
}
