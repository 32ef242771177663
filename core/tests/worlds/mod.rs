//! Code shared by the worlds in virtual time.

pub mod events;
pub mod promise;
// Not every test uses all kinds of random numbers.
#[allow(dead_code)]
pub mod random;
pub mod seeds;
