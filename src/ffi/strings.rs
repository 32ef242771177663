//! C strings from and to the caller.

use std::{
    ffi::{CStr, CString, c_char, c_void},
    slice,
};

use zelf_core::text::Text;

/// Copies a string of the caller. NULL means that it is not set.
///
/// # Safety
///
/// `text` is NULL or points to a NUL-terminated string.
pub(super) unsafe fn copy(text: *const c_char) -> Text {
    if text.is_null() {
        return Text::new(None);
    }
    // SAFETY: the caller's promise.
    Text::new(Some(unsafe { CStr::from_ptr(text) }.to_bytes()))
}

/// Borrows bytes that the caller passed. Returns `None` for NULL and for a length that no object
/// can have.
///
/// # Safety
///
/// `bytes` is NULL or points to `length` readable bytes, which stay unchanged for `'a`.
pub(super) unsafe fn bytes<'a>(bytes: *const c_void, length: usize) -> Option<&'a [u8]> {
    let is_there = !bytes.is_null() && isize::try_from(length).is_ok();
    // SAFETY: the caller's promise.
    is_there.then(|| unsafe { slice::from_raw_parts(bytes.cast(), length) })
}

/// Returns a C string. NULs inside are removed, because a C string ends at the first one.
pub(super) fn owned(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let mut bytes = error.into_vec();
        bytes.retain(|byte| *byte != 0);
        CString::new(bytes).unwrap_or_default()
    })
}

/// Returns a pointer to a string of an object, or NULL if there is none.
pub(super) fn lend(text: Option<&CStr>) -> *const c_char {
    text.map_or(std::ptr::null(), CStr::as_ptr)
}

/// Returns a pointer to bytes that end with a NUL, or NULL if there are none.
pub(super) fn lend_bytes(text: Option<&[u8]>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr().cast())
}
