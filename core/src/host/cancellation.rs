//! Cancellation of the calling thread by `pthread_cancel`.

/// Disables cancellation of the thread until it is dropped.
///
/// Network waits, reads and closing a file are cancellation points, and a thread must not be
/// unwound through Rust code.
pub use crate::host::system::NoCancel;
