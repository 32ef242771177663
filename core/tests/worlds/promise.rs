//! A promise, and the error that it was broken.

use std::fmt;

/// A promise that was broken, and how.
#[derive(Debug)]
pub struct Broken {
    pub promise: &'static str,
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}: {}", self.promise, self.how)
    }
}

pub fn require(
    is_kept: bool,
    promise: &'static str,
    how: impl FnOnce() -> String,
) -> Result<(), Broken> {
    match is_kept {
        true => Ok(()),
        false => Err(Broken {
            promise,
            how: how(),
        }),
    }
}
