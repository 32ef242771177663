//! The clocks and random numbers that drivers read. Tests replace them.

use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    error::{Error, Status},
    host::clock,
    moment::Moment,
};

#[derive(Clone, Copy, Debug)]
pub struct Environment {
    pub now: fn() -> Moment,
    /// Returns a number that changes when `now` may have. 0: it may have at any time.
    pub tick: fn() -> u64,
    /// Reads the clock that the user sets, in Unix seconds. It may be hours off.
    pub wall: fn() -> i64,
    /// Returns a number that is uniform over all values of its type.
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

/// Fills `bytes` with numbers that nobody can guess.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| {
        Error::new(
            Status::System,
            "the system gave no random numbers; try again",
        )
    })
}

/// Serves jitter. Without random numbers there is no jitter.
fn random() -> u32 {
    let mut bytes = [0; 4];
    match fill_random(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}
