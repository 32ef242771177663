use std::{
    ffi::{CStr, c_char, c_void},
    ptr,
};

use zelf_core::send::response::Response;

use crate::ffi::{guard, strings};

/// A whole answer of the server, of any status. Immutable: any number of threads may read
/// it at once. The getters make no system call and accept NULL. The first call of
/// zelf_response_header and of zelf_response_server_message reads the answer, and another
/// thread that calls it meanwhile waits for that.
pub struct zelf_response(pub(super) Response);

/// Returns the HTTP status, 200 for example. 0 for NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_response_http_status(response: Option<&zelf_response>) -> i32 {
    guard::get(response, 0, |response| response.0.status().into())
}

/// Returns the value of a header, without the spaces around it: of the first with this
/// name, in any case. The text lives as long as the response. NULL when there is none.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_response_header(
    response: Option<&zelf_response>,
    name: *const c_char,
) -> *const c_char {
    guard::get(response, ptr::null(), |response| {
        if name.is_null() {
            return ptr::null();
        }
        // SAFETY: a C string, as the header asks.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        strings::lend_bytes(response.0.header_with_nul(name))
    })
}

/// Returns the body as the server has sent it, after any chunked coding. A NUL follows
/// that is not counted, so a text can be read as a C string.
///
/// length: where to put the length in bytes, or NULL.
///
/// Returns bytes that live as long as the response. NULL only for NULL; *length is 0
/// then.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_response_body(
    response: Option<&zelf_response>,
    length: *mut usize,
) -> *const c_void {
    let count = guard::get(response, 0, |response| response.0.body().len());
    if !length.is_null() {
        // SAFETY: the caller passed a place for a number.
        unsafe { length.write(count) };
    }
    guard::get(response, ptr::null(), |response| {
        response.0.body_with_nul().as_ptr().cast()
    })
}

/// Returns the server's words in a response whose status is 400 or more, for a person, as
/// zelf_error_server_message does. The text lives as long as the response. NULL when
/// there are none.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_response_server_message(response: Option<&zelf_response>) -> *const c_char {
    guard::get(response, ptr::null(), |response| {
        strings::lend_bytes(response.0.server_message_with_nul().map(str::as_bytes))
    })
}

/// Wipes and frees a response. Buffers of the TLS library have held parts of the body, and
/// are not wiped. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_response_free(response: Option<Box<zelf_response>>) {
    guard::value((), || drop(response));
}
