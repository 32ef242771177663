use std::ffi::{CString, c_char};

use zelf_core::error::Error;

use crate::ffi::{
    guard,
    status::{Number, ZELF_OK, zelf_status},
    strings,
};

/// Why one call failed. Immutable: any number of threads may read it at once.
/// It never holds a token.
pub struct zelf_error {
    status: zelf_status,
    message: CString,
    http_status: i32,
    server_message: Option<CString>,
    is_retryable: bool,
    retry_after_ms: u64,
}

impl From<Error> for zelf_error {
    fn from(error: Error) -> Self {
        let is_retryable = error.is_retryable();
        Self {
            status: Number::from(error.status).0,
            message: strings::owned(error.message),
            http_status: error.http_status.into(),
            is_retryable,
            server_message: error.server_message.map(strings::owned),
            retry_after_ms: error.retry_after.map_or(0, |after| {
                u64::try_from(after.as_millis()).unwrap_or(u64::MAX)
            }),
        }
    }
}

/// What kind of failure it was, to branch on. ZELF_OK when error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_status(error: Option<&zelf_error>) -> zelf_status {
    guard::get(error, ZELF_OK, |error| error.status)
}

/// One sentence in English for a person: what failed and what can be done.
/// Its wording may change in any version; branch on the status instead.
///
/// Borrowed from error, valid until zelf_error_free. NULL when error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_message(error: Option<&zelf_error>) -> *const c_char {
    guard::get(error, std::ptr::null(), |error| error.message.as_ptr())
}

/// The HTTP status of the answer, such as 403: the server's, or that of a proxy
/// which did not connect to it. A time-out has it too when an answer began and did
/// not end. 0 when no answer came, or error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_http_status(error: Option<&zelf_error>) -> i32 {
    guard::get(error, 0, |error| error.http_status)
}

/// The words of the server, or of a proxy that did not connect to it: one line
/// of UTF-8 text of at most 515 bytes (without the NUL), without control
/// characters. Show it as text only: anyone on the way may have chosen it.
///
/// Borrowed from error, valid until zelf_error_free. NULL when nothing was said,
/// or error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_server_message(error: Option<&zelf_error>) -> *const c_char {
    guard::get(error, std::ptr::null(), |error| {
        strings::lend(error.server_message.as_deref())
    })
}

/// Whether the same call may succeed a little later without any change. false
/// when error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_is_retryable(error: Option<&zelf_error>) -> bool {
    guard::get(error, false, |error| error.is_retryable)
}

/// How long the server, or the proxy, asks to wait before the next attempt (its
/// Retry-After header), in milliseconds. A provider's error says when its next attempt
/// may come. A part of a second is rounded up to a whole
/// one. A number too large for the type is UINT64_MAX. 0 when it did not say, or
/// error is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_retry_after_ms(error: Option<&zelf_error>) -> u64 {
    guard::get(error, 0, |error| error.retry_after_ms)
}

/// Frees an error and the strings borrowed from it. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_error_free(error: Option<Box<zelf_error>>) {
    guard::value((), || drop(error));
}
