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

/// An event loop. It may end on the thread of another one: a host may free a
/// client inside a log callback on the thread that does the I/O, and one must not
/// wait for the other.
struct EventLoop(Option<Runtime>);

impl Drop for EventLoop {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl EventLoop {
    fn new() -> Result<Self, Error> {
        // It asks which thread it is made on.
        sys::keep_main_thread_in_sight();
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| {
                Error::new(
                    Status::System,
                    format!(
                        "the system gave no event loop: {error}; close files or raise the limit"
                    ),
                )
            })?;
        Ok(Self(Some(runtime)))
    }
}

impl std::ops::Deref for EventLoop {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only when dropped")
    }
}

/// Tells threads apart, as long as they live.
fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
