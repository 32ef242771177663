//! The calling thread's `errno`.

/// Puts `errno` back when dropped. A C caller does not expect a library to
/// change it on success.
pub struct KeepErrno(#[cfg(unix)] libc::c_int);

#[cfg(unix)]
mod variable {
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "emscripten", target_os = "redox"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;

    pub(super) fn get() -> libc::c_int {
        // SAFETY: always a valid pointer to this thread's errno.
        unsafe { *location() }
    }

    pub(super) fn set(value: libc::c_int) {
        // SAFETY: as above.
        unsafe { *location() = value }
    }
}

impl KeepErrno {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(
            #[cfg(unix)]
            variable::get(),
        )
    }
}

impl Drop for KeepErrno {
    fn drop(&mut self) {
        #[cfg(unix)]
        variable::set(self.0);
    }
}
