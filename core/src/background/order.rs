//! What the I/O thread is told.

use std::{cell::Cell, sync::Arc};

use crate::{connect::failure::Awaited, create::aim::Errand, moment::Moment};

pub enum Order {
    Start(Job),
    /// The call of this number has ended otherwise. What is under way for it is
    /// dropped.
    Stop(u64),
}

pub struct Job {
    pub call: u64,
    pub errand: Arc<Errand>,
    pub deadline: Moment,
    /// What the call waits for at present.
    pub waits_for: Cell<Awaited>,
}
