use std::ffi::{CStr, c_char};

use crate::ffi::guard;

/// The version of the library that is running, such as "0.1.0".
///
/// A library that is not older than this header has all that it declares:
/// compare the first two numbers with ZELF_VERSION_MAJOR and
/// ZELF_VERSION_MINOR. A newer one is as good; do not ask for the same.
///
/// Returns a static string: never NULL, not to be freed.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_version() -> *const c_char {
    guard::value(VERSION.as_ptr(), || VERSION.as_ptr())
}

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL inside"),
    };
