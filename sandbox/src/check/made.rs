//! The identifiers and names that a check creates.

use std::io;

use crate::random;

/// Values that no other client uses, and the origin to send.
#[derive(Clone, Debug)]
pub struct Made {
    /// Three identifiers of 32 lower-case hex digits, which the service never interprets as
    /// something else.
    pub a: String,
    pub b: String,
    pub c: String,
    /// A part of names, also 32 hex digits.
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
