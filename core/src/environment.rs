//! The clocks and random numbers of the drivers. Tests replace them.

use crate::{
    host::{clock, entropy},
    moment::Moment,
};

#[derive(Clone, Copy, Debug)]
pub struct Environment {
    pub now: fn() -> Moment,
    /// Returns a number that changes when `now` may have changed, or 0 if that is unknown.
    pub tick: fn() -> u64,
    /// Returns the wall clock in Unix seconds. The user can set it, and it may be hours off.
    pub wall: fn() -> i64,
    /// Returns a random number, uniform over all values of its type.
    pub random: fn() -> u32,
}

impl Environment {
    pub const SYSTEM: Environment = Environment {
        now: clock::since_boot,
        tick: clock::tick,
        wall: clock::wall,
        random,
    };
}

/// Returns a random number for jitter, or 0 if the system has none.
fn random() -> u32 {
    let mut bytes = [0; 4];
    match entropy::fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}
