//! The process's limits: descriptors, memory, threads.

use std::io;

use crate::error::{Error, Status};

/// Whether an operation failed because the process or the system has no descriptor,
/// memory or thread left.
pub fn is_reached(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN)
        )
}

/// Makes the error of such an operation. `failed` is what it could not do.
pub fn reached(failed: &str, why: &io::Error) -> Error {
    Error::new(
        Status::System,
        format!("{failed} ({why}); close files or threads, or raise the limit"),
    )
}
