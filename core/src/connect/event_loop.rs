//! The event loop of a thread.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{
    error::Error,
    host::{descriptors::StandardStreams, entropy, refusals},
};

/// Creates an event loop for the calling thread.
pub fn new() -> Result<Runtime, Error> {
    entropy::prepare_thread()?;
    refusals::check_event_loop()?;
    let build = || -> io::Result<Runtime> {
        let _occupied = StandardStreams::occupy()?;
        Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
    };
    build().map_err(|why| refusals::EVENT_LOOP.refused("cannot create an event loop", &why))
}

/// Returns whether an event loop runs on the calling thread. A callback of the host may be inside.
pub fn runs_here() -> bool {
    Handle::try_current().is_ok()
}
