//! The library's duties towards the process that it runs in: fork, exit, panics, signals, threads,
//! `errno`.
//!
//! Apart from the C ABI, this is the only module that may use `unsafe`. What differs between systems
//! is in `system`.

pub mod at_end;
pub mod boot;
pub mod cancellation;
pub mod clock;
pub mod descriptors;
pub mod endings;
pub mod entropy;
pub mod errno;
pub mod exit;
pub mod file_lock;
pub mod forced_unwind;
pub mod fork;
pub mod panics;
pub mod probes;
pub mod readiness;
pub mod refusals;
pub mod signals;
pub mod system;
pub mod threads;
