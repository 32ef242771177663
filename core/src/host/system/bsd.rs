//! FreeBSD, NetBSD, OpenBSD and other Unix systems.

use std::{ffi::c_int, time::Duration};

use super::unix;
pub use super::{
    missing::{
        CONNECTIONS, EVENT_LOOPS, FILES, LOOK_UPS, NOTIFIERS, RANDOM_NUMBERS, THREADS, WAITS,
        WITHOUT_A_WAY_OUT, boot_id, call_on_nothing, reserved_stack, tick, without_size_signal,
    },
    unix::*,
};

/// `CLOCK_MONOTONIC` may stop while the system is asleep.
pub fn since_boot() -> Duration {
    unix::duration(unix::read_clock(libc::CLOCK_MONOTONIC))
}

/// There is no identifier of the system's start.
pub const STORES_SESSIONS: bool = false;

/// Returns where the thread's error number is.
pub fn error_number() -> *mut c_int {
    #[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(target_os = "dragonfly")]
    use libc::__errno_location as location;
    #[cfg(target_os = "freebsd")]
    use libc::__error as location;
    // SAFETY: it takes no arguments, and its result is valid for the thread's life.
    unsafe { location() }
}
