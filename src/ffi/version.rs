use std::ffi::{CStr, c_char};

use crate::ffi::guard;

/// Returns the version of the running library, such as "0.1.0".
///
/// A library has all functions of this header if its major version is greater than
/// ZELF_VERSION_MAJOR, or equal and its minor version at least ZELF_VERSION_MINOR. The string is
/// static.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_version() -> *const c_char {
    guard::value(VERSION.as_ptr(), || VERSION.as_ptr())
}

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL inside"),
    };
