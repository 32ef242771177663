//! The identifiers and names that a check makes for itself.

use std::io;

use crate::random;

/// Values that no other client has, and the origin to send.
#[derive(Clone, Debug)]
pub struct Made {
    /// Three identifiers: 32 lower-case hex digits, which the
    /// service never mistakes for something else.
    pub a: String,
    pub b: String,
    pub c: String,
    /// Part of names, also 32 hex digits.
    pub name: String,
    pub origin: String,
}

impl Made {
    pub fn new(origin: String) -> io::Result<Self> {
        Ok(Made {
            a: hex()?,
            b: hex()?,
            c: hex()?,
            name: hex()?,
            origin,
        })
    }
}

fn hex() -> io::Result<String> {
    let bytes: [u8; 16] = random::bytes()?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
