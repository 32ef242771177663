//! What the I/O thread is told.

use std::sync::Arc;

use crate::{api::request::SessionRequest, moment::Moment};

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
}
