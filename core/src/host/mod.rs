//! What the library owes the process that it is a guest in: fork, exit, panics,
//! signals, threads, `errno`.
//!
//! With the skin of the C ABI this is the only place where `unsafe` may stand.
//! Each function has a portable fallback.

pub mod boot;
pub mod cancellation;
pub mod clock;
pub mod descriptors;
pub mod errno;
pub mod exit;
#[cfg(unix)]
pub mod file_lock;
pub mod fork;
pub mod limits;
pub mod panics;
#[cfg(unix)]
pub mod readiness;
pub mod threads;
#[cfg(unix)]
pub mod user;
