//! The calling thread's `errno`, or its last error on Windows.

use std::ffi::c_int;

use crate::host::system;

/// Restores `errno` when it is dropped. C callers expect that a successful call leaves it
/// unchanged.
///
/// On Windows this is the number of `GetLastError` and `WSAGetLastError`. The library does not use
/// the `errno` of a C runtime there.
pub struct KeepErrno(c_int);

impl KeepErrno {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(system::last_error())
    }
}

impl Drop for KeepErrno {
    fn drop(&mut self) {
        system::set_last_error(self.0);
    }
}
