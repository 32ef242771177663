//! The user that the process acts for.

/// Returns the effective user's id.
#[cfg(unix)]
pub fn effective_id() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}
