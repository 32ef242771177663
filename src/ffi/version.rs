use std::ffi::{CStr, c_char};

use crate::ffi::guard;

/// The version of the library that is running, such as "0.1.0".
///
/// Compare it with ZELF_VERSION, the version of this header, to see whether
/// both belong together.
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
