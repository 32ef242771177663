//! From options to a session worth handing out. Pure decisions, no I/O.

pub mod aim;
pub mod budget;
pub mod call;
pub mod keeper;
pub mod retry;
pub mod rules;
pub mod single_flight;
