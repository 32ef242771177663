//! Cancellation of the calling thread by `pthread_cancel`.

/// Turns cancellation off until it is dropped.
///
/// Waiting for the network, reading and closing a file are cancellation points,
/// and a thread cannot be unwound through Rust code.
#[cfg(all(unix, not(target_os = "android")))]
pub struct NoCancel(libc::c_int);

#[cfg(all(unix, not(target_os = "android")))]
mod state {
    #[cfg(target_vendor = "apple")]
    pub(super) const DISABLE: libc::c_int = 0;
    #[cfg(not(target_vendor = "apple"))]
    pub(super) const DISABLE: libc::c_int = 1;

    unsafe extern "C" {
        #[link_name = "pthread_setcancelstate"]
        pub(super) fn set(state: libc::c_int, previous: *mut libc::c_int) -> libc::c_int;
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl NoCancel {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let mut previous = 0;
        // SAFETY: a valid state, and a place for the previous one.
        unsafe { state::set(state::DISABLE, &mut previous) };
        Self(previous)
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl Drop for NoCancel {
    fn drop(&mut self) {
        let mut disabled = 0;
        // SAFETY: the state that was in force before.
        unsafe { state::set(self.0, &mut disabled) };
    }
}

/// Does nothing: threads cannot be cancelled on this system.
#[cfg(not(all(unix, not(target_os = "android"))))]
pub struct NoCancel;

#[cfg(not(all(unix, not(target_os = "android"))))]
impl NoCancel {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self
    }
}
