//! The time that decisions are made by.

use std::time::Duration;

/// A moment on the clock that runs while the device sleeps, counted from an
/// arbitrary start. It never jumps.
pub type Moment = Duration;
