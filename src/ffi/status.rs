use std::ffi::{CStr, c_char};

use zelf_core::error::Status;

use crate::ffi::guard;

/// The result of a call: ZELF_OK, or one of the ZELF_ERROR_ constants.
///
/// A number is never reused. A later version may add numbers: treat an unknown one as a
/// failure.
pub type zelf_status = i32;

/// Success.
pub const ZELF_OK: zelf_status = 0;
/// An argument is unusable: NULL, not UTF-8, out of range or forbidden. Or the function cannot
/// run on this thread, or with this client. The message says which. Nothing was sent.
pub const ZELF_ERROR_INVALID_ARGUMENT: zelf_status = 1;
/// A setting of the configuration is unusable. The message names it.
pub const ZELF_ERROR_INVALID_CONFIG: zelf_status = 2;
/// The library has a bug. It caught it before it could harm your process.
pub const ZELF_ERROR_PANIC: zelf_status = 3;
/// The operating system refused something.
///
/// No descriptor or thread was left, a system call found no memory, or a sandbox, container or
/// firewall forbids a system call. The message names the call. A forbidden call is not
/// retryable.
pub const ZELF_ERROR_SYSTEM: zelf_status = 4;
/// The call was cancelled: by zelf_call_cancel, zelf_client_shutdown or zelf_client_free, or a
/// callback ended the thread that does its I/O.
pub const ZELF_ERROR_CANCELLED: zelf_status = 5;
/// The client has been shut down and takes no more calls.
pub const ZELF_ERROR_SHUT_DOWN: zelf_status = 6;
/// The process is a forked child, and the client is bound to its parent. Make a client in the
/// child.
pub const ZELF_ERROR_FORKED: zelf_status = 7;
/// The name of the server or proxy could not be resolved.
pub const ZELF_ERROR_DNS: zelf_status = 10;
/// No connection to the server or proxy could be made, or a SOCKS proxy could not reach the
/// server.
pub const ZELF_ERROR_CONNECT: zelf_status = 11;
/// No secure connection could be made. The message says why.
///
/// The certificate is not trusted, has expired or is for another host; or the peer does not
/// speak TLS 1.2 or 1.3, shares no cipher, or wants a client certificate.
pub const ZELF_ERROR_TLS: zelf_status = 12;
/// A time limit has passed: that of the call, of connecting, or the server's or proxy's
/// (HTTP 408).
pub const ZELF_ERROR_TIMEOUT: zelf_status = 13;
/// The connection broke before the whole answer arrived.
pub const ZELF_ERROR_CONNECTION_LOST: zelf_status = 14;
/// The server's certificate is trusted, but its key is not pinned (zelf_config_add_pin).
pub const ZELF_ERROR_PIN_MISMATCH: zelf_status = 15;
/// The proxy refused, wants other credentials (HTTP 407), or does not speak its protocol.
///
/// zelf_error_http_status and zelf_error_server_message return what it said. A proxy's HTTP 408,
/// 429 and 5xx (not 501, 505 and 511) give the same status as from the server.
pub const ZELF_ERROR_PROXY: zelf_status = 16;
/// The answer is not a session: not HTTP, not JSON, no token, or a token that no header can
/// carry.
pub const ZELF_ERROR_BAD_RESPONSE: zelf_status = 20;
/// The answer is too large (64 KiB for a session) or has too many headers.
pub const ZELF_ERROR_RESPONSE_TOO_LARGE: zelf_status = 21;
/// The server redirects. The library does not follow: correct the base URL.
pub const ZELF_ERROR_REDIRECTED: zelf_status = 22;
/// HTTP 403 "rejected": the server does not accept the origin.
pub const ZELF_ERROR_REJECTED_ORIGIN: zelf_status = 30;
/// HTTP 401, except "Invalid session": the server wants a token for this path. Usually the base
/// URL is wrong.
pub const ZELF_ERROR_UNAUTHORIZED: zelf_status = 31;
/// HTTP 403, except "rejected", "Session is not active" and "... limit exceeded": for example
/// from a firewall in front of the server.
pub const ZELF_ERROR_FORBIDDEN: zelf_status = 32;
/// HTTP 400, 413, 415 or 431: the server cannot read the request.
pub const ZELF_ERROR_BAD_REQUEST: zelf_status = 33;
/// HTTP 409 or 422: the server refuses a value.
pub const ZELF_ERROR_VALIDATION: zelf_status = 34;
/// HTTP 404, except the text "Not Found": there is no session API at this address.
pub const ZELF_ERROR_NOT_FOUND: zelf_status = 35;
/// The server answered 404 "Not Found" until the time limit: it is starting, or the path does
/// not exist. Check the base URL.
pub const ZELF_ERROR_STARTING_UP: zelf_status = 36;
/// HTTP 401 "Invalid session" or 403 "... limit exceeded": the session's quota is used up. Create
/// a session with zelf_session_options_set_kill_session.
pub const ZELF_ERROR_LIMIT_EXCEEDED: zelf_status = 37;
/// HTTP 403 "Session is not active": the session has ended on the server.
pub const ZELF_ERROR_SESSION_NOT_ACTIVE: zelf_status = 38;
/// HTTP 429 from the server or proxy: too many requests (see zelf_error_retry_after_ms).
pub const ZELF_ERROR_RATE_LIMITED: zelf_status = 39;
/// HTTP 5xx, except 501, 505 and 511: the server or a proxy before it failed.
pub const ZELF_ERROR_SERVER: zelf_status = 40;
/// An HTTP status that the session API does not have.
///
/// This includes 501 and 505, which are permanent, and 511: the network wants a person to
/// sign in.
pub const ZELF_ERROR_UNEXPECTED_HTTP_STATUS: zelf_status = 41;
/// The server returned a session that has expired by the server's own clock.
pub const ZELF_ERROR_SESSION_EXPIRED: zelf_status = 50;
/// The server returned the session of another identifier.
pub const ZELF_ERROR_FOREIGN_SESSION: zelf_status = 51;
/// The server returned sessions that do not exist.
///
/// The causes: the network has changed, and the server makes no session until the old one has
/// ended; another process replaced the session at the same time; or the server misreads the
/// identifier (see zelf_session_options_set_identifier). A send also fails with it if the server
/// refuses three sessions.
pub const ZELF_ERROR_GHOST_SESSION: zelf_status = 52;
/// The server returned a session with another tag name, domain or Ethereum address.
///
/// It ignored the new value. Use zelf_session_options_set_kill_session or another identifier.
pub const ZELF_ERROR_OTHER_OPTIONS: zelf_status = 53;

/// Returns the name of a status, such as "ZELF_ERROR_TIMEOUT".
///
/// The string is static. An unknown number gives "ZELF_ERROR_UNKNOWN".
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_status_name(status: zelf_status) -> *const c_char {
    guard::value(UNKNOWN.name.as_ptr(), || meaning(status).name.as_ptr())
}

/// Returns the meaning of a status, such as "a time limit has passed".
///
/// For functions that return only a status: zelf_error_message says more about an error.
/// The string is English and static, its wording may change. An unknown number gives "unknown status".
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_status_message(status: zelf_status) -> *const c_char {
    guard::value(UNKNOWN.message.as_ptr(), || {
        meaning(status).message.as_ptr()
    })
}

/// The name and the message of a number.
struct Meaning {
    number: zelf_status,
    name: &'static CStr,
    message: &'static CStr,
}

const UNKNOWN: Meaning = Meaning {
    number: -1,
    name: c"ZELF_ERROR_UNKNOWN",
    message: c"unknown status",
};

/// Returns the part of a text before its NUL.
const fn until_nul(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_until_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => UNKNOWN.name,
    }
}

macro_rules! numbers {
    ($($status:ident => $number:ident, $message:literal;)*) => {
        impl From<Status> for Number {
            fn from(status: Status) -> Self {
                Number(match status { $(Status::$status => $number,)* })
            }
        }

        fn meaning(status: zelf_status) -> &'static Meaning {
            const MEANINGS: &[Meaning] = &[
                Meaning {
                    number: ZELF_OK,
                    name: c"ZELF_OK",
                    message: c"success",
                },
                $(Meaning {
                    number: $number,
                    name: until_nul(concat!(stringify!($number), "\0")),
                    message: $message,
                },)*
            ];
            MEANINGS
                .iter()
                .find(|meaning| meaning.number == status)
                .unwrap_or(&UNKNOWN)
        }
    };
}

/// The number of a status in C.
pub(super) struct Number(pub(super) zelf_status);

numbers! {
    InvalidArgument => ZELF_ERROR_INVALID_ARGUMENT, c"an argument is unusable";
    InvalidConfig => ZELF_ERROR_INVALID_CONFIG, c"a setting of the configuration is unusable";
    Panic => ZELF_ERROR_PANIC, c"the library has a bug";
    System => ZELF_ERROR_SYSTEM, c"the operating system refused something that the library needs";
    Cancelled => ZELF_ERROR_CANCELLED, c"the call was cancelled";
    ShutDown => ZELF_ERROR_SHUT_DOWN, c"the client has been shut down";
    Forked => ZELF_ERROR_FORKED, c"the client is bound to the parent of this forked process";
    Dns => ZELF_ERROR_DNS, c"the name of the server or proxy could not be resolved";
    Connect => ZELF_ERROR_CONNECT, c"no connection to the server or proxy could be made";
    Tls => ZELF_ERROR_TLS, c"no secure connection could be made";
    Timeout => ZELF_ERROR_TIMEOUT, c"a time limit has passed";
    ConnectionLost => ZELF_ERROR_CONNECTION_LOST, c"the connection broke before the whole answer arrived";
    PinMismatch => ZELF_ERROR_PIN_MISMATCH, c"the server's key is not pinned";
    Proxy => ZELF_ERROR_PROXY, c"the proxy refused or does not speak its protocol";
    BadResponse => ZELF_ERROR_BAD_RESPONSE, c"the answer is not a session";
    ResponseTooLarge => ZELF_ERROR_RESPONSE_TOO_LARGE, c"the answer is too large or has too many headers";
    Redirected => ZELF_ERROR_REDIRECTED, c"the server redirects, which the library does not follow";
    RejectedOrigin => ZELF_ERROR_REJECTED_ORIGIN, c"the server does not accept the origin";
    Unauthorized => ZELF_ERROR_UNAUTHORIZED, c"the server wants a token for this path";
    Forbidden => ZELF_ERROR_FORBIDDEN, c"the server or a firewall forbids the request";
    BadRequest => ZELF_ERROR_BAD_REQUEST, c"the server cannot read the request";
    Validation => ZELF_ERROR_VALIDATION, c"the server refuses a value";
    NotFound => ZELF_ERROR_NOT_FOUND, c"there is no session API at this address";
    StartingUp => ZELF_ERROR_STARTING_UP, c"the server is starting, or the path does not exist";
    LimitExceeded => ZELF_ERROR_LIMIT_EXCEEDED, c"the quota of the session is used up";
    SessionNotActive => ZELF_ERROR_SESSION_NOT_ACTIVE, c"the session has ended on the server";
    RateLimited => ZELF_ERROR_RATE_LIMITED, c"the server or proxy received too many requests";
    Server => ZELF_ERROR_SERVER, c"the server or a proxy before it failed";
    UnexpectedHttpStatus => ZELF_ERROR_UNEXPECTED_HTTP_STATUS, c"the answer has an HTTP status that the session API does not have";
    SessionExpired => ZELF_ERROR_SESSION_EXPIRED, c"the server returned an expired session";
    ForeignSession => ZELF_ERROR_FOREIGN_SESSION, c"the server returned the session of another identifier";
    GhostSession => ZELF_ERROR_GHOST_SESSION, c"the server returned sessions that do not exist";
    OtherOptions => ZELF_ERROR_OTHER_OPTIONS, c"the server returned a session that was made with other options";
}
