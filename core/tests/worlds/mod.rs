//! What whole worlds in virtual time have in common.

pub mod events;
pub mod promise;
// Not all of them roll all dice.
#[allow(dead_code)]
pub mod random;
pub mod seeds;
