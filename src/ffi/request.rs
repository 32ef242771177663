use std::{
    ffi::{c_char, c_void},
    slice,
};

use zelf_core::send::request::Request;

use crate::ffi::{guard, strings};

/// A request to any route of the server, for zelf_session_provider_send and
/// zelf_session_send.
///
/// It is made once and can be sent any number of times. The setters copy what they are
/// given and never fail. Sending checks everything and names the first thing that is
/// wrong. The setters ignore a NULL request.
///
/// Any number of threads may send it at once. No thread may change it meanwhile.
pub struct zelf_request(pub(super) Request);

/// New request.
///
/// method: "GET", "POST" or another method of HTTP, as the server wants it written. Not
///   CONNECT.
/// target: a path with a query, at most 8192 bytes: "/api/tags/search?tagName=a.zelf". It
///   is appended to the path of the base URL and is sent as it is. It begins with "/", is
///   percent-encoded and has no fragment. Any other target is refused when it is sent.
///
/// Returns an object that is yours: give it to zelf_request_free. NULL only for a bug in
/// this library.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_request_new(
    method: *const c_char,
    target: *const c_char,
) -> Option<Box<zelf_request>> {
    guard::value(None, || {
        // SAFETY: C strings or NULL, as the header asks.
        let (method, target) = unsafe { (strings::copy(method), strings::copy(target)) };
        Some(Box::new(zelf_request(Request::new(method, target))))
    })
}

/// Sets a header, in place of one of the same name (in any case). NULL for the value
/// removes it.
///
/// The library sets Host, Origin, User-Agent, Authorization, Content-Length and
/// Accept-Encoding (identity). It refuses these names, and those that concern the
/// connection: Connection, Transfer-Encoding, Upgrade, Expect, TE, Trailer, Keep-Alive,
/// HTTP2-Settings, Proxy-Connection and Proxy-Authorization. A value is visible ASCII
/// with spaces and tabs inside, at most 8192 bytes. At most 64 headers can be set.
///
/// Default: Accept: any type.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_request_set_header(
    request: Option<&mut zelf_request>,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: C strings or NULL, as the header asks.
    set(request, |request| unsafe {
        request.set_header(strings::copy(name), strings::copy(value));
    });
}

/// Sets the body. The copy is wiped before it is freed.
///
/// bytes: the body, of this length; they may hold NULs. NULL with a length of 0 takes the
///   body back. An empty body is a pointer with a length of 0.
/// content_type: what Content-Type says; NULL sends no such header.
///
/// Default: none. POST, PUT and PATCH say Content-Length: 0 then.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_request_set_body(
    request: Option<&mut zelf_request>,
    bytes: *const c_void,
    length: usize,
    content_type: *const c_char,
) {
    set(request, |request| {
        let is_there = !bytes.is_null() && isize::try_from(length).is_ok();
        // SAFETY: the host has so many bytes there, as the header asks.
        let bytes = is_there.then(|| unsafe { slice::from_raw_parts(bytes.cast(), length) });
        // SAFETY: a C string or NULL, as the header asks.
        request.set_body(bytes, length, unsafe { strings::copy(content_type) });
    });
}

/// Limits the time of the whole call, in milliseconds: for a session, all attempts, and
/// the response. 0 means the default.
///
/// Default: 30000.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_request_set_timeout_ms(request: Option<&mut zelf_request>, ms: u32) {
    set(request, |request| request.timeout_ms = ms);
}

/// Limits the body of the response, in bytes. A longer one is
/// ZELF_ERROR_RESPONSE_TOO_LARGE. 0 means the default.
///
/// Default: 8388608 (8 MiB).
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_request_set_max_response_bytes(
    request: Option<&mut zelf_request>,
    bytes: usize,
) {
    set(request, |request| request.max_response_bytes = bytes);
}

/// Whether the server may carry the request out more than once.
///
/// A repeatable request is sent again after a lost connection, 429, 502 to 504, and the
/// 404 of a server that is starting. A request that is not is sent again only where the
/// server has certainly not carried it out.
///
/// Default: GET and HEAD are repeatable, other methods are not.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_request_set_repeatable(
    request: Option<&mut zelf_request>,
    repeatable: bool,
) {
    set(request, |request| request.is_repeatable = Some(repeatable));
}

/// Frees a request, and wipes its body. Calls that are under way keep what they need of
/// it. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_request_free(request: Option<Box<zelf_request>>) {
    guard::value((), || drop(request));
}

fn set(request: Option<&mut zelf_request>, change: impl FnOnce(&mut Request)) {
    guard::value((), || {
        if let Some(request) = request {
            change(&mut request.0);
        }
    });
}
