//! Threads of the host that are ending.
//!
//! The host may call the library in destructors of its thread-specific data. By then, the
//! thread-local variables of the standard library and of the event loop may be destroyed, and they
//! panic when they are used. So the library checks first.

use tokio::runtime::Handle;

use crate::{
    error::{Error, Status},
    host::system,
};

/// Fails on a thread that is ending, where no event loop can be created.
pub fn refuse_if_ending() -> Result<(), Error> {
    let is_gone = Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed());
    match is_gone || have_destructors_run() {
        false => Ok(()),
        true => Err(Error::new(
            Status::InvalidArgument,
            "the calling thread or the process is already ending, so no connection can be opened and no thread started; make this call earlier or on another thread",
        )),
    }
}

/// Returns whether this thread's destructors of thread-specific data have run. Those before the
/// first call of this function do not count.
fn have_destructors_run() -> bool {
    system::have_destructors_run()
}
