use std::{
    ffi::{CStr, c_char, c_void},
    ptr,
};

use zelf_core::send::response::Response;

use crate::ffi::{guard, strings};

/// A complete answer of the server, with any status. It is immutable.
pub struct zelf_response(pub(super) Response);

/// Returns the HTTP status, such as 200.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_response_http_status(response: Option<&zelf_response>) -> i32 {
    guard::get(response, 0, |response| response.0.status().into())
}

/// Returns the value of the first header with this name, in any case. NULL if there is none.
///
/// It has the bytes that the server sent, which may not be UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_response_header(
    response: Option<&zelf_response>,
    name: *const c_char,
) -> *const c_char {
    guard::get(response, ptr::null(), |response| {
        if name.is_null() {
            return ptr::null();
        }
        // SAFETY: a C string, as the header requires.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        strings::lend_bytes(response.0.header_with_nul(name))
    })
}

/// Returns the body, without transfer coding. The library asks for no content coding.
///
/// A NUL that is not counted follows, so text can be read as a C string.
///
/// An empty body is not NULL.
///
/// length: receives the length in bytes, 0 if response is NULL; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_response_body(
    response: Option<&zelf_response>,
    length: *mut usize,
) -> *const c_void {
    let (bytes, count) = guard::get(response, (ptr::null(), 0), |response| {
        let bytes = response.0.body_with_nul().as_ptr();
        (bytes.cast(), response.0.body().len())
    });
    if !length.is_null() {
        // SAFETY: the caller passed a pointer to a number.
        unsafe { length.write(count) };
    }
    bytes
}

/// Returns the server's error message in a response with status 400 or more.
///
/// It is as in zelf_error_server_message. NULL if there is none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_response_server_message(
    response: Option<&zelf_response>,
) -> *const c_char {
    guard::get(response, ptr::null(), |response| {
        strings::lend_bytes(response.0.server_message_with_nul().map(str::as_bytes))
    })
}

/// Wipes and frees a response.
///
/// Buffers of the TLS library have held parts of the body and are not wiped.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_response_free(response: Option<Box<zelf_response>>) {
    guard::value((), || drop(response));
}
