//! What whole worlds in virtual time have in common.

pub mod events;
pub mod promise;
pub mod random;
pub mod seeds;
