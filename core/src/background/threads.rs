//! The threads of a client.

use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    background::order::Order,
    host::threads::{is_this_thread, this_thread, try_join},
};

/// TLS handshakes included. Blocking calls do with 128 KiB.
pub const IO_STACK: usize = 512 * 1024;
/// The host's code runs on it.
pub const CALLBACK_STACK: usize = 2 * 1024 * 1024;

#[derive(Default)]
pub struct Threads {
    /// Where the I/O thread gets its orders. `None`: there is no I/O thread.
    pub orders: Option<UnboundedSender<Order>>,
    pub has_callback_thread: bool,
    /// How many threads were started and have not ended.
    running: usize,
    /// The running threads that are past their beginning.
    own: Vec<usize>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Gives the I/O thread an order. Returns whether there is a thread to take it.
    pub fn order(&self, order: Order) -> bool {
        let orders = self.orders.as_ref();
        orders.is_some_and(|orders| orders.send(order).is_ok())
    }

    pub fn has_started(&mut self, thread: JoinHandle<()>) {
        self.handles.push(thread);
        self.running += 1;
    }

    /// Said by a thread of ours at its beginning.
    pub fn begins_here(&mut self) {
        self.own.push(this_thread());
    }

    /// Said by a thread of ours at its end.
    pub fn ends_here(&mut self) {
        let here = this_thread();
        self.own.retain(|&own| own != here);
        self.running -= 1;
    }

    /// Whether the calling thread is one of these.
    pub fn is_own(&self) -> bool {
        self.own.contains(&this_thread())
    }

    pub fn running(&self) -> usize {
        self.running
    }

    /// Joins the threads that have ended. Returns how many have not, the calling
    /// one not counted.
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
