//! C strings in and out.

use std::ffi::{CStr, CString, c_char};

use zelf_core::text::Text;

/// Copies what the caller passed; NULL is "not set".
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

/// A string to lend to C. One with a NUL inside cannot be lent whole, so the
/// NULs are left out.
pub(super) fn owned(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let mut bytes = error.into_vec();
        bytes.retain(|byte| *byte != 0);
        CString::new(bytes).unwrap_or_default()
    })
}

/// Lends a string of an object, or NULL when there is none.
pub(super) fn lend(text: Option<&CStr>) -> *const c_char {
    text.map_or(std::ptr::null(), CStr::as_ptr)
}

/// Lends bytes that end with a NUL, or NULL when there are none.
pub(super) fn lend_bytes(text: Option<&[u8]>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr().cast())
}
