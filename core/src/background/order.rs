//! What the I/O thread is told.

use std::{cell::Cell, sync::Arc};

use crate::{api::request::SessionRequest, connect::failure::Awaited, moment::Moment};

pub enum Order {
    Start(Job),
    /// The call of this number has ended otherwise. What is under way for it is
    /// dropped.
    Stop(u64),
}

pub struct Job {
    pub call: u64,
    pub request: Arc<SessionRequest>,
    pub deadline: Moment,
    /// What the call waits for at present.
    pub waits_for: Cell<Awaited>,
}
