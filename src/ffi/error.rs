use std::ffi::{CString, c_char};

use zelf_core::error::Error;

use crate::ffi::{
    guard,
    status::{Number, ZELF_OK, zelf_status},
    strings,
};

/// Why a call failed. It is immutable and never contains a token.
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
                u64::try_from(after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
            }),
        }
    }
}

/// Returns the kind of the failure, to branch on.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_status(error: Option<&zelf_error>) -> zelf_status {
    guard::get(error, ZELF_OK, |error| error.status)
}

/// Returns one English sentence that says what failed and what to do.
///
/// Its wording may change in any version: branch on the status instead.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_message(error: Option<&zelf_error>) -> *const c_char {
    guard::get(error, std::ptr::null(), |error| error.message.as_ptr())
}

/// Returns the HTTP status of the answer, such as 403.
///
/// It is the server's, or that of a proxy that did not connect to the server. A time-out has
/// one if an answer began but did not end. 0 if no answer came.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_http_status(error: Option<&zelf_error>) -> i32 {
    guard::get(error, 0, |error| error.http_status)
}

/// Returns the error message in the server's answer, or in a proxy's.
///
/// It is a proxy's if that did not connect to the server. It is one line of UTF-8 of at most 515
/// bytes, without control characters. Display it as plain text only: anyone between you and the
/// server may have written it. NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_server_message(error: Option<&zelf_error>) -> *const c_char {
    guard::get(error, std::ptr::null(), |error| {
        strings::lend(error.server_message.as_deref())
    })
}

/// Returns whether the same call may succeed later, unchanged.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_is_retryable(error: Option<&zelf_error>) -> bool {
    guard::get(error, false, |error| error.is_retryable)
}

/// Returns how long to wait before the next attempt, in milliseconds.
///
/// It is the Retry-After of the server or proxy; for an error of a provider, the time until the
/// provider's next attempt. For a provider's ghost session after a change of network, it is the
/// time until the server has removed the old session. It is rounded up; UINT64_MAX if it does
/// not fit. 0 if there is no such time.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_retry_after_ms(error: Option<&zelf_error>) -> u64 {
    guard::get(error, 0, |error| error.retry_after_ms)
}

/// Frees an error.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_error_free(error: Option<Box<zelf_error>>) {
    guard::value((), || drop(error));
}
