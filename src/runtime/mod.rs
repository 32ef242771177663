//! Who drives the I/O: the caller's thread ([`Lane`]), or one of ours
//! ([`Engine`]).

mod doorbell;
mod ending;
mod engine;
mod io_thread;
mod lane;
mod threads;

use tokio::runtime::{Builder, Runtime};

use crate::{
    error::{Error, Status},
    sys,
};

use doorbell::Doorbell;
pub(crate) use engine::{Engine, Finish, shut_down};
pub(crate) use lane::{Lane, Lanes};

fn event_loop() -> Result<Runtime, Error> {
    // An event loop asks which thread it is made on.
    sys::keep_main_thread_in_sight();
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| {
            Error::new(
                Status::System,
                format!("the system gave no event loop: {error}; close files or raise the limit"),
            )
        })
}

/// Tells threads apart, as long as they live.
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
