//! The time for decisions.

use std::time::Duration;

/// A time on a clock that runs while the device sleeps and never jumps. It is counted from an
/// arbitrary start.
pub type Moment = Duration;
