//! The system's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::host::system;

/// Reads the clock that never jumps and that runs while the device is suspended. It starts at an
/// arbitrary time, which is the same for all processes.
///
/// A session expires on the server while a phone sleeps. With a clock that stops during sleep, it
/// would seem valid.
pub fn since_boot() -> Duration {
    system::since_boot()
}

/// Returns a number that changes every few milliseconds, and after each suspend. It counts the
/// ticks of the system's clock. Returns 0 if the system has no such number.
///
/// It takes a quarter of the time of [`since_boot`]. It changes after a suspend because the kernel
/// updates the clock when it suspends.
pub fn tick() -> u64 {
    system::tick()
}

/// Reads the wall clock in Unix seconds. Users can set it, so it is the last resort.
pub fn wall() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
