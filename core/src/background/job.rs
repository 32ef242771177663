//! A call on its way to the I/O thread.

use std::sync::Arc;

use crate::{api::request::SessionRequest, moment::Moment};

pub struct Job {
    pub call: u64,
    pub request: Arc<SessionRequest>,
    pub deadline: Moment,
}
