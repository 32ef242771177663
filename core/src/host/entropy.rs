//! Random numbers of the system.

use std::hash::RandomState;

use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    error::Error,
    host::{descriptors::StandardStreams, panics, refusals},
};

/// Fills `bytes` with unpredictable random numbers.
pub fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| refusals::no_random_numbers())
}

/// Reads random numbers for the first time. On a system without a call for that, this opens a
/// device, which stays open.
pub fn prepare_process() -> Result<(), Error> {
    let occupied = StandardStreams::occupy();
    let _occupied =
        occupied.map_err(|why| refusals::PLACEHOLDER.refused("cannot open a descriptor", &why))?;
    prepare_thread()?;
    fill(&mut [0])
}

/// Makes the standard library read the random keys for the hash tables of this thread. It does so
/// once for each thread, and panics if the system returns none.
pub fn prepare_thread() -> Result<(), Error> {
    let keys = panics::catch(RandomState::new);
    keys.map(drop).map_err(|_| refusals::no_random_numbers())
}
