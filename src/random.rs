//! Numbers nobody can guess, from the operating system.

use ring::rand::{SecureRandom, SystemRandom};

/// 0 in the unheard-of case that the system has none to give: no wait, where
/// it is used for jitter.
pub(crate) fn uniform() -> u32 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}
