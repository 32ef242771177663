//! Numbers nobody can guess, from the operating system.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Status};

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new().fill(bytes).map_err(|_| {
        Error::new(
            Status::System,
            "the system gave no random numbers; try again",
        )
    })
}

/// For jitter: 0, and so no wait, in the unheard-of case that the system has
/// no random numbers.
pub(crate) fn uniform() -> u32 {
    let mut bytes = [0; 4];
    match fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}
