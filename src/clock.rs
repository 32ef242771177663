//! The two clocks a session is judged by, in one value so that tests can turn
//! the hands.

use std::time::Duration;

use crate::sys;

#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// Runs on while the device sleeps and never jumps.
    pub(crate) since_boot: fn() -> Duration,
    /// What the user set, in Unix seconds; possibly hours off.
    pub(crate) wall: fn() -> i64,
}

impl Clock {
    pub(crate) const SYSTEM: Clock = Clock {
        since_boot: sys::time_since_boot,
        wall: sys::wall_clock,
    };
}
