//! macOS, iOS and Apple's other systems.

use std::{ffi::c_int, io, os::fd::AsRawFd, ptr, time::Duration};

use super::unix;
pub use super::{
    missing::{
        CONNECTIONS, EVENT_LOOPS, FILES, LOOK_UPS, NOTIFIERS, RANDOM_NUMBERS, THREADS, WAITS,
        WITHOUT_A_WAY_OUT, call_on_nothing, check_verifier, reserved_stack, tick,
        without_size_signal,
    },
    unix::*,
};

/// `CLOCK_MONOTONIC` also runs while the system is asleep (clock_gettime(3) of Darwin).
/// `CLOCK_UPTIME_RAW` stops.
pub fn since_boot() -> Duration {
    unix::duration(unix::read_clock(libc::CLOCK_MONOTONIC))
}

pub fn boot_id() -> Option<String> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: a C string, a buffer with its length, and no new value.
    let outcome = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &mut length,
            ptr::null_mut(),
            0,
        )
    };
    let id = text.get(..length)?.split(|byte| *byte == 0).next()?;
    let id = std::str::from_utf8(id).ok()?;
    (outcome == 0 && !id.is_empty()).then(|| id.to_owned())
}

/// `PTHREAD_CANCEL_DISABLE` is 0 here.
pub type NoCancel = Uncancelled<0>;

/// There is no flag for a write. The event loop sets `SO_NOSIGPIPE` on each socket that it opens.
pub const NO_SIGNAL: c_int = 0;

/// Sets `SO_NOSIGPIPE` on both ends: the standard library does not do it for a pair.
pub fn socket_pair() -> io::Result<(Stream, Stream)> {
    let (one, other) = Stream::pair()?;
    for end in [&one, &other] {
        let on: c_int = 1;
        // SAFETY: an open socket, and a number with its size.
        let outcome = unsafe {
            libc::setsockopt(
                end.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_NOSIGPIPE,
                (&raw const on).cast(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        if outcome != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok((one, other))
}

/// Returns where the thread's error number is.
pub fn error_number() -> *mut c_int {
    // SAFETY: it takes no arguments, and its result is valid for the thread's life.
    unsafe { libc::__error() }
}
