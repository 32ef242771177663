//! What the I/O thread is told.

use std::{cell::Cell, sync::Arc};

use crate::{
    background::chore::Chore, connect::failure::Awaited, create::aim::Errand, moment::Moment,
};

pub enum Order {
    Start(Job, Task),
    /// The call of this number has ended otherwise. What is under way for it is
    /// dropped.
    Stop(u64),
    /// A chore that no call waits for.
    Keep(Box<dyn Chore>),
}

/// What a call is for.
pub enum Task {
    Errand(Arc<Errand>),
    Chore(Box<dyn Chore>),
}

pub struct Job {
    pub call: u64,
    pub deadline: Moment,
    /// What the call waits for at present.
    pub waits_for: Cell<Awaited>,
}
