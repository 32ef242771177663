//! The library's threads.

use std::{cell::Cell, thread::JoinHandle};

use crate::{
    error::Error,
    host::{cancellation::NoCancel, forced_unwind, refusals, signals::Mask, system},
};

/// Returns a number that identifies the calling thread while it lives.
pub fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

thread_local! {
    static DOES_IO: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as the I/O thread of a client.
pub fn this_does_io() {
    DOES_IO.set(true);
}

/// Returns whether the calling thread is the I/O thread of a client. Its stack is small.
pub fn does_io() -> bool {
    DOES_IO.get()
}

/// Returns whether `thread` is the calling thread.
///
/// This does not use the thread id of the standard library, which no longer exists when the host's
/// thread-specific destructors run.
pub fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    system::is_this_thread(thread)
}

/// Joins a thread that has ended, without waiting. Otherwise returns the thread. On Linux and
/// Windows, a thread has not ended while destructors of the host's thread-local data run.
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    system::try_join(thread)
}

/// Starts a thread that handles no signals for the host.
///
/// A new thread inherits the signal mask of its creator, so the creator blocks all signals while it
/// creates the thread.
pub fn spawn(
    name: &str,
    stack_size: usize,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    let builder = std::thread::Builder::new()
        .name(name.to_owned())
        // Thread-local variables of the program may be larger than the stack.
        .stack_size(stack_size + system::reserved_stack());
    let previous = Mask::ours().set();
    let thread = builder.spawn(|| {
        // A cancellation would unwind Rust frames.
        let _no_cancel = NoCancel::new();
        work();
    });
    previous.set();
    thread.map_err(refused)
}

/// Does the same for a thread that also runs the host's code, with the mask `hosts`.
pub fn spawn_for_host(
    name: &str,
    stack_size: usize,
    hosts: Mask,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    spawn(name, stack_size, move || {
        hosts.is_the_hosts_here();
        work();
        // The destructors of the host's thread-specific data run after this.
        forced_unwind::finish();
        hosts.set();
    })
}

fn refused(why: std::io::Error) -> Error {
    refusals::THREAD.refused("cannot start a thread", &why)
}
