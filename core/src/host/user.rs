//! The user that the process acts for.

/// Returns the effective user's id.
#[cfg(unix)]
pub fn effective_id() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether the process has more rights than the user who has started it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn is_privileged() -> bool {
    // SAFETY: it takes a number, and returns 0 for one that the system does not know.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub fn is_privileged() -> bool {
    // SAFETY: they take nothing and cannot fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}
