//! The orders for the I/O thread.

use std::{cell::Cell, sync::Arc};

use crate::{
    background::chore::Chore, connect::failure::Awaited, create::aim::Errand, moment::Moment,
};

pub enum Order {
    Start(Job, Task),
    /// The call of this number has been cancelled, so its task is dropped.
    Stop(u64),
    /// A chore that no call waits for.
    Keep(Box<dyn Chore>),
}

/// The work for a call.
pub enum Task {
    Errand(Arc<Errand>),
    Chore(Box<dyn Chore>),
}

pub struct Job {
    pub call: u64,
    pub deadline: Moment,
    /// The peer that the call is waiting for, for the message of a time-out.
    pub waits_for: Cell<Awaited>,
}
