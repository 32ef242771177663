//! Who drives the I/O.

mod lane;

pub(crate) use lane::{Lane, Lanes};
