use std::ffi::{c_char, c_void};

use zelf_core::send::request::Request;

use crate::ffi::{guard, strings};

/// A request to any route of the server.
///
/// It can be sent any number of times, by any number of threads at once. No thread may change
/// it meanwhile. Setters copy their arguments and never fail: sending checks everything and
/// names the first wrong thing.
pub struct zelf_request(pub(super) Request);

/// Makes a request.
///
/// method: an HTTP method such as "GET" or "POST", in the upper or lower case that the server
///   expects; not CONNECT.
/// target: path and query, such as "/api/tags/search?tagName=a.zelf", at most 8192 bytes. It
///   begins with "/", is percent-encoded, has no fragment, and is sent unchanged, appended to
///   the path of the base URL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_request_new(
    method: *const c_char,
    target: *const c_char,
) -> Option<Box<zelf_request>> {
    guard::value(None, || {
        // SAFETY: C strings or NULL, as the header requires.
        let (method, target) = unsafe { (strings::copy(method), strings::copy(target)) };
        Some(Box::new(zelf_request(Request::new(method, target))))
    })
}

/// Sets a header, and replaces one with the same name in any case. NULL as value removes it.
///
/// The library refuses the headers that it sets (Host, Origin, User-Agent, Authorization,
/// Content-Length, Accept-Encoding) and those of the connection (such as Connection,
/// Transfer-Encoding, Expect, Upgrade). A value is visible ASCII with spaces and tabs inside,
/// at most 8192 bytes. A request has at most 64 headers.
///
/// Default: an Accept header for all types.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_request_set_header(
    request: Option<&mut zelf_request>,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: C strings or NULL, as the header requires.
    set(request, |request| unsafe {
        request.set_header(strings::copy(name), strings::copy(value));
    });
}

/// Sets the body. The copy is wiped before it is freed.
///
/// bytes: the body; NULL with length 0 removes it, any other pointer with length 0 is an
///   empty body. With NULL and another length, the send fails.
/// content_type: the Content-Type header; NULL sends none.
///
/// Default: none. POST, PUT and PATCH then send Content-Length: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_request_set_body(
    request: Option<&mut zelf_request>,
    bytes: *const c_void,
    length: usize,
    content_type: *const c_char,
) {
    set(request, |request| {
        // SAFETY: the host has this many bytes there, as the header requires.
        let bytes = unsafe { strings::bytes(bytes, length) };
        // SAFETY: a C string or NULL, as the header requires.
        request.set_body(bytes, length, unsafe { strings::copy(content_type) });
    });
}

/// Limits the time of the whole call, in milliseconds: session, all attempts and response.
///
/// 0 restores the default.
///
/// Default: 30000.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_request_set_timeout_ms(request: Option<&mut zelf_request>, ms: u32) {
    set(request, |request| request.timeout_ms = ms);
}

/// Limits the body of the response, in bytes.
///
/// A longer body gives ZELF_ERROR_RESPONSE_TOO_LARGE. 0 restores the default.
///
/// Default: 8388608 (8 MiB).
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_request_set_max_response_bytes(
    request: Option<&mut zelf_request>,
    bytes: usize,
) {
    set(request, |request| request.max_response_bytes = bytes);
}

/// Sets whether the server may carry the request out more than once.
///
/// The library repeats a repeatable request after a lost connection, 429, 502, 503, 504 and
/// the 404 of a starting server; any other only if the server has certainly not carried it out.
///
/// Default: true for GET and HEAD, false for other methods.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_request_set_repeatable(
    request: Option<&mut zelf_request>,
    repeatable: bool,
) {
    set(request, |request| request.is_repeatable = Some(repeatable));
}

/// Frees a request and wipes its body. Calls under way keep a copy of what they need.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_request_free(request: Option<Box<zelf_request>>) {
    guard::value((), || drop(request));
}

fn set(request: Option<&mut zelf_request>, change: impl FnOnce(&mut Request)) {
    guard::value((), || {
        if let Some(request) = request {
            change(&mut request.0);
        }
    });
}
