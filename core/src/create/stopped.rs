//! A call that has reached its limits.

use crate::{error::Error, moment::Moment};

/// The error of a call that would have tried again, but has reached its time limit or its number of
/// attempts. An equal call with other limits may continue from here.
#[derive(Clone, Debug)]
pub struct Stopped {
    pub error: Error,
    /// When the next attempt may come.
    pub until: Moment,
}
