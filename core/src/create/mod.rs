//! The decisions of a session call: attempts, retries, renewals and turns. No I/O.

pub mod aim;
pub mod budget;
pub mod call;
pub mod keeper;
pub mod retry;
pub mod rules;
pub mod single_flight;
pub mod stopped;
