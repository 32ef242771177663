//! The threads of a client.

use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedSender, error::SendError};

use crate::{
    background::order::Order,
    error::Error,
    host::{
        panics,
        signals::Mask,
        threads::{is_this_thread, this_thread, try_join},
    },
};

/// The task of a thread of a client.
#[derive(Clone, Copy)]
pub enum Role {
    Io,
    Callbacks,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Io => "zelf-io",
            Self::Callbacks => "zelf-callbacks",
        }
    }

    pub fn stack(self) -> usize {
        match self {
            Self::Io => IO_STACK,
            Self::Callbacks => CALLBACK_STACK,
        }
    }
}

/// Enough for a TLS handshake. Blocking calls use up to 128 KiB of stack.
const IO_STACK: usize = 512 * 1024;
/// The host's callbacks run on this stack.
const CALLBACK_STACK: usize = 2 * 1024 * 1024;

/// Why the I/O thread cannot take an order, or `None` if the client has ended. The order may own the
/// client, whose destructor takes the engine's lock: so it is dropped without the lock.
pub struct NotSent(pub Option<Error>, pub Option<Order>);

#[derive(Default)]
pub struct Threads {
    /// Sends orders to the I/O thread. `None` if it does not run.
    pub orders: Option<UnboundedSender<Order>>,
    pub has_callback_thread: bool,
    /// Callbacks need a callback thread, and none could be started: after the host has ended the
    /// last one, or has freed the client on an I/O thread.
    pub lacks_callback_thread: bool,
    /// Why the I/O thread has ended early.
    pub broken: Option<Error>,
    /// How many threads were started and have not ended.
    running: usize,
    /// The running threads that have passed `begins_here`.
    own: Vec<usize>,
    handles: Vec<JoinHandle<()>>,
    /// The signal mask of the thread that started the first of these threads.
    hosts_mask: Option<Mask>,
}

impl Threads {
    /// Sends an order to the I/O thread.
    pub fn order(&self, order: Order) -> Result<(), NotSent> {
        let Some(orders) = &self.orders else {
            return Err(NotSent(self.broken.clone(), Some(order)));
        };
        // `send` panics if the thread cannot be woken.
        match panics::catch(|| orders.send(order)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SendError(order))) => Err(NotSent(self.broken.clone(), Some(order))),
            Err(why) => Err(NotSent(Some(why), None)),
        }
    }

    /// Returns whether all needed threads are running. A host that dispatches needs no callback
    /// thread.
    pub fn are_all_there(&self, is_dispatched: bool) -> bool {
        self.orders.is_some() && (is_dispatched || self.has_callback_thread)
    }

    /// Returns the signal mask for the host's code.
    pub fn hosts_mask(&mut self) -> Mask {
        *self.hosts_mask.get_or_insert_with(Mask::of_this_thread)
    }

    pub fn has_started(&mut self, thread: JoinHandle<()>) {
        self.handles.push(thread);
        self.running += 1;
    }

    /// Registers the calling thread. Each thread of the client calls this when it starts.
    pub fn begins_here(&mut self) {
        self.own.push(this_thread());
    }

    /// Removes the calling thread. Each thread of the client calls this when it ends.
    pub fn ends_here(&mut self) {
        let here = this_thread();
        self.own.retain(|&own| own != here);
        self.running -= 1;
    }

    /// Returns whether the calling thread is one of these.
    pub fn is_own(&self) -> bool {
        self.own.contains(&this_thread())
    }

    pub fn running(&self) -> usize {
        self.running
    }

    /// Joins the threads that have ended. Returns how many are left, without the calling one.
    pub fn join_ended(&mut self) -> usize {
        let mut others = 0;
        for started in std::mem::take(&mut self.handles) {
            let is_here = is_this_thread(&started);
            let alive = match is_here {
                true => Some(started),
                false => try_join(started),
            };
            others += usize::from(!is_here && alive.is_some());
            self.handles.extend(alive);
        }
        others
    }
}
