use std::{ffi::c_void, ptr::NonNull};

use zelf_core::{
    background::yields::Yield,
    error::{Error, Status},
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

/// Sends a request with the provider's session, on the calling thread.
///
/// An answer of any status is a response. These answers are not handed over at once:
///
/// - 403 "Session is not active": the server has done no work. The session is renewed (see
///   zelf_session_provider_invalidate) and the request is sent again, whatever its
///   method. After a second such answer the server is asked without killSession, and the
///   request is sent once more. The third such answer is ZELF_ERROR_GHOST_SESSION.
/// - 401 "Protected resource": the server is asked for a session without killSession, and
///   the request is sent again once. The server says the same of an unknown path, so the
///   second such answer is the response.
/// - 429, 502, 503, 504: a repeatable request is sent again, as often and with such pauses
///   as zelf_config_set_max_attempts says. Retry-After is kept, within the time limit. The
///   last such answer is the response.
/// - 404 "Not Found" as text: the server is starting. A repeatable request is sent again
///   within the time limit.
///
/// "Invalid session" and "... limit exceeded" are responses: the session's quota is used
/// up, and only zelf_session_options_set_kill_session resets it. A redirect is a response
/// too, and is not followed: the token goes to the host of the base URL only.
///
/// What failed before it was sent whole is sent again, whatever its method, within the
/// attempts and the time limit. What was sent whole is sent again only if it is
/// repeatable. A request that is not repeatable goes over a new connection, or over one
/// that was used in the last second. If that connection turns out to be dead, the error is
/// ZELF_ERROR_CONNECTION_LOST: nobody knows whether the server has carried it out.
///
/// Uses the client's connections, trust, proxy and log. Bodies are not logged. A client
/// makes at most 32 requests at once; more wait. Threads, stack, signals and errno are as
/// for zelf_session_create. Blocks for at most the request's time limit.
///
/// error: where to put the reason on failure, or NULL.
///
/// Returns a response that is yours: give it to zelf_response_free. On failure NULL, and
/// *error, if given, is yours for zelf_error_free; on success *error is not written.
/// Errors: ZELF_ERROR_INVALID_ARGUMENT for a request that cannot be sent;
/// ZELF_ERROR_RESPONSE_TOO_LARGE; ZELF_ERROR_CONNECTION_LOST for a body that is shorter
/// than it says; ZELF_ERROR_SHUT_DOWN; those of a connection, and those of
/// zelf_session_provider_get. Where the server may have carried out a request that is not
/// repeatable, the message says so, and zelf_error_is_retryable says false.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_send(
    provider: Option<NonNull<zelf_session_provider>>,
    request: Option<&zelf_request>,
    error: *mut *mut zelf_error,
) -> *mut zelf_response {
    // SAFETY: a live provider or NULL, as the header asks.
    let provider = unsafe { provider::to_ref(provider) };
    guard::object(error, || {
        provider::not_null(provider)?
            .send(not_null(request)?)
            .map(zelf_response)
    })
}

/// Receives what zelf_session_provider_send_async came to: a response or an error, the
/// other is NULL. It is yours, for zelf_response_free or zelf_error_free.
pub type zelf_response_callback = Option<
    unsafe extern "C" fn(
        response: *mut zelf_response,
        error: *mut zelf_error,
        user_data: *mut c_void,
    ),
>;

/// Sends a request as zelf_session_provider_send does, without waiting for it: callback
/// receives the response as that of zelf_session_create_async receives a session, with
/// the same promises. The request's time limit runs from here, also while the call waits
/// for a connection.
///
/// The request may be changed or freed at once. A call that is cancelled may have been
/// carried out.
///
/// Returns a call that is yours: give it to zelf_call_free, at any time. On failure NULL,
/// and neither callback nor destroy ever runs. Errors: ZELF_ERROR_INVALID_ARGUMENT for a
/// request that cannot be sent, and those of zelf_session_create_async.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_send_async(
    provider: Option<NonNull<zelf_session_provider>>,
    request: Option<&zelf_request>,
    callback: zelf_response_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    let prepare = || {
        // SAFETY: a live provider or NULL, as the header asks.
        let provider = unsafe { provider::to_ref(provider) };
        provider::not_null(provider)?.begin_send(not_null(request)?)
    };
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
            // SAFETY: the host's own function with the host's own data, once.
            unsafe { callback(response, error, user_data) }
        },
    )
}

/// Sends a request with a session, on the calling thread, as zelf_session_provider_send
/// does. The session is not renewed: an answer that refuses it is a response.
///
/// client: the client; another thread may free it meanwhile.
/// session: whose token to send, of the same server; NULL sends none.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a response that is yours: give it to zelf_response_free. On failure NULL, and
/// *error, if given, is yours for zelf_error_free; on success *error is not written.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_send(
    client: Option<NonNull<zelf_client>>,
    session: Option<&zelf_session>,
    request: Option<&zelf_request>,
    error: *mut *mut zelf_error,
) -> *mut zelf_response {
    guard::object(error, || {
        // SAFETY: a live client or NULL, as the header asks.
        let client = unsafe { share(client) }?;
        let session = session.map(|session| &session.0);
        client
            .send_once(not_null(request)?, session)
            .map(zelf_response)
    })
}

fn not_null(request: Option<&zelf_request>) -> Result<&Request, Error> {
    request
        .map(|request| &request.0)
        .ok_or_else(|| Error::new(Status::InvalidArgument, "the request is NULL"))
}
