use std::ffi::{CStr, c_char};

use zelf_core::error::Status;

use crate::ffi::guard;

/// Why a call failed: ZELF_OK, or one of the ZELF_ERROR_ constants.
///
/// A number once given is never reused. A later version may add numbers, so
/// treat one you do not know as a failure.
pub type zelf_status = i32;

/// Success; not an error.
pub const ZELF_OK: zelf_status = 0;
/// An argument cannot be used: a NULL client, an option that is not UTF-8, out
/// of range or forbidden. The message names it. Nothing was sent.
pub const ZELF_ERROR_INVALID_ARGUMENT: zelf_status = 1;
/// A setting of the configuration cannot be used; the message names it.
pub const ZELF_ERROR_INVALID_CONFIG: zelf_status = 2;
/// A bug in this library, caught before it could harm your process.
pub const ZELF_ERROR_PANIC: zelf_status = 3;
/// The operating system refused something: no file descriptor or thread was
/// left.
pub const ZELF_ERROR_SYSTEM: zelf_status = 4;
/// The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or
/// zelf_client_free.
pub const ZELF_ERROR_CANCELLED: zelf_status = 5;
/// The client has been shut down and takes no more calls.
pub const ZELF_ERROR_SHUT_DOWN: zelf_status = 6;
/// The process is a forked child, and what was asked for needs threads that
/// only its parent has. Make a client in the child.
pub const ZELF_ERROR_FORKED: zelf_status = 7;
/// The name of the server, or of the proxy, could not be resolved.
pub const ZELF_ERROR_DNS: zelf_status = 10;
/// No connection to the server, or to the proxy, could be made; or a SOCKS proxy
/// could not make its own to the server.
pub const ZELF_ERROR_CONNECT: zelf_status = 11;
/// No secure connection could be made: the certificate is not trusted, has
/// expired or belongs to another host, or the peer does not speak TLS 1.2 or 1.3,
/// has no cipher in common, or wants a client certificate. The message says which.
pub const ZELF_ERROR_TLS: zelf_status = 12;
/// The time limit of the call, or that of connecting, has passed; or HTTP 408,
/// the server's or the proxy's own.
pub const ZELF_ERROR_TIMEOUT: zelf_status = 13;
/// The connection broke before the whole answer had arrived.
pub const ZELF_ERROR_CONNECTION_LOST: zelf_status = 14;
/// The server's certificate is trusted, but its key is none of those pinned
/// with zelf_config_add_pin.
pub const ZELF_ERROR_PIN_MISMATCH: zelf_status = 15;
/// The proxy refused, wants other credentials (HTTP 407), or does not speak its
/// protocol. What it says is in zelf_error_http_status and
/// zelf_error_server_message. Its 408, 429 and 5xx, which may pass, have the
/// status that they have from a server.
pub const ZELF_ERROR_PROXY: zelf_status = 16;
/// The answer is not a session: not HTTP, not JSON, no token, or a token that
/// cannot go into a header.
pub const ZELF_ERROR_BAD_RESPONSE: zelf_status = 20;
/// The answer is larger than any session (64 KiB) or has too many headers.
pub const ZELF_ERROR_RESPONSE_TOO_LARGE: zelf_status = 21;
/// The server redirects. That is never followed, since it would send the
/// request to a place you did not choose; correct the base URL.
pub const ZELF_ERROR_REDIRECTED: zelf_status = 22;
/// HTTP 403 "rejected": the server does not accept the origin.
pub const ZELF_ERROR_REJECTED_ORIGIN: zelf_status = 30;
/// HTTP 401: the server wants a token for this path; usually the base URL is
/// wrong.
pub const ZELF_ERROR_UNAUTHORIZED: zelf_status = 31;
/// Any other HTTP 403, for example from a firewall in front of the server.
pub const ZELF_ERROR_FORBIDDEN: zelf_status = 32;
/// HTTP 400, 413, 415 or 431: the server could not take the request.
pub const ZELF_ERROR_BAD_REQUEST: zelf_status = 33;
/// HTTP 409 or 422: the server refuses a value.
pub const ZELF_ERROR_VALIDATION: zelf_status = 34;
/// HTTP 404: there is no session API at this address.
pub const ZELF_ERROR_NOT_FOUND: zelf_status = 35;
/// HTTP 404 "Not Found", what the server says while it is starting, and said until
/// the time limit. A path that does not exist gets the same answer: check the base
/// URL.
pub const ZELF_ERROR_STARTING_UP: zelf_status = 36;
/// The session has been used more often than the server allows; create it
/// again with zelf_session_options_set_kill_session.
pub const ZELF_ERROR_LIMIT_EXCEEDED: zelf_status = 37;
/// HTTP 403 "Session is not active": the session has ended on the server.
pub const ZELF_ERROR_SESSION_NOT_ACTIVE: zelf_status = 38;
/// HTTP 429: too many requests, says the server or the proxy; see
/// zelf_error_retry_after_ms.
pub const ZELF_ERROR_RATE_LIMITED: zelf_status = 39;
/// HTTP 5xx, except 501, 505 and 511: the server, or a proxy on the way to it,
/// failed.
pub const ZELF_ERROR_SERVER: zelf_status = 40;
/// An HTTP status that the session API does not have. Also 501 and 505, with
/// which a server says that it never will, and 511, with which a network wants a
/// person to sign in first.
pub const ZELF_ERROR_UNEXPECTED_HTTP_STATUS: zelf_status = 41;
/// The server handed out a session that has already expired, by its own clock.
pub const ZELF_ERROR_SESSION_EXPIRED: zelf_status = 50;
/// The server handed out the session of another identifier.
pub const ZELF_ERROR_FOREIGN_SESSION: zelf_status = 51;
/// The server returned another session each time it was asked, so none of them
/// exists. Either the network has changed, and no session can be had until the old
/// one has ended; or the server mistakes the identifier for a date or a database key
/// (see zelf_session_options_set_identifier).
pub const ZELF_ERROR_GHOST_SESSION: zelf_status = 52;
/// The server returned a session that was made with another tag name, domain or
/// Ethereum address than the one asked for. It has ignored the new value. Use
/// zelf_session_options_set_kill_session, or another identifier.
pub const ZELF_ERROR_OTHER_OPTIONS: zelf_status = 53;

/// The name of a status, such as "ZELF_ERROR_TIMEOUT".
///
/// Returns a static string: never NULL, not to be freed. A number that this
/// version does not know gives "ZELF_ERROR_UNKNOWN".
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_status_name(status: zelf_status) -> *const c_char {
    guard::value(UNKNOWN.as_ptr(), || name(status).as_ptr())
}

const UNKNOWN: &CStr = c"ZELF_ERROR_UNKNOWN";

macro_rules! numbers {
    ($($status:ident => $number:ident,)*) => {
        impl From<Status> for Number {
            fn from(status: Status) -> Self {
                Number(match status { $(Status::$status => $number,)* })
            }
        }

        fn name(status: zelf_status) -> &'static CStr {
            const NAMES: &[(zelf_status, &str)] = &[
                (ZELF_OK, "ZELF_OK\0"),
                $(($number, concat!(stringify!($number), "\0")),)*
            ];
            NAMES
                .iter()
                .find(|(number, _)| *number == status)
                .and_then(|(_, name)| CStr::from_bytes_with_nul(name.as_bytes()).ok())
                .unwrap_or(UNKNOWN)
        }
    };
}

/// A status as C sees it.
pub(super) struct Number(pub(super) zelf_status);

numbers! {
    InvalidArgument => ZELF_ERROR_INVALID_ARGUMENT,
    InvalidConfig => ZELF_ERROR_INVALID_CONFIG,
    Panic => ZELF_ERROR_PANIC,
    System => ZELF_ERROR_SYSTEM,
    Cancelled => ZELF_ERROR_CANCELLED,
    ShutDown => ZELF_ERROR_SHUT_DOWN,
    Forked => ZELF_ERROR_FORKED,
    Dns => ZELF_ERROR_DNS,
    Connect => ZELF_ERROR_CONNECT,
    Tls => ZELF_ERROR_TLS,
    Timeout => ZELF_ERROR_TIMEOUT,
    ConnectionLost => ZELF_ERROR_CONNECTION_LOST,
    PinMismatch => ZELF_ERROR_PIN_MISMATCH,
    Proxy => ZELF_ERROR_PROXY,
    BadResponse => ZELF_ERROR_BAD_RESPONSE,
    ResponseTooLarge => ZELF_ERROR_RESPONSE_TOO_LARGE,
    Redirected => ZELF_ERROR_REDIRECTED,
    RejectedOrigin => ZELF_ERROR_REJECTED_ORIGIN,
    Unauthorized => ZELF_ERROR_UNAUTHORIZED,
    Forbidden => ZELF_ERROR_FORBIDDEN,
    BadRequest => ZELF_ERROR_BAD_REQUEST,
    Validation => ZELF_ERROR_VALIDATION,
    NotFound => ZELF_ERROR_NOT_FOUND,
    StartingUp => ZELF_ERROR_STARTING_UP,
    LimitExceeded => ZELF_ERROR_LIMIT_EXCEEDED,
    SessionNotActive => ZELF_ERROR_SESSION_NOT_ACTIVE,
    RateLimited => ZELF_ERROR_RATE_LIMITED,
    Server => ZELF_ERROR_SERVER,
    UnexpectedHttpStatus => ZELF_ERROR_UNEXPECTED_HTTP_STATUS,
    SessionExpired => ZELF_ERROR_SESSION_EXPIRED,
    ForeignSession => ZELF_ERROR_FOREIGN_SESSION,
    GhostSession => ZELF_ERROR_GHOST_SESSION,
    OtherOptions => ZELF_ERROR_OTHER_OPTIONS,
}
