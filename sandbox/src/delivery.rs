//! How a body goes out, where that is other than usual.

use std::time::Duration;

use crate::fault_kind::AnswerFraming;

/// How a body goes out. The default: with its length, whole, in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// `None`: by `Content-Length`.
    pub framing: Option<AnswerFraming>,
    /// So many bytes of the body are announced and never sent; the connection
    /// ends in their place.
    pub short: usize,
    /// So many bytes follow the body.
    pub long: usize,
    /// So many bytes at once. `None`: all, or chunks of [`Delivery::CHUNK`].
    pub piece: Option<usize>,
    /// The time between two pieces.
    pub pause: Duration,
}

impl Delivery {
    /// Odd: no buffer of a reader has this size.
    pub const CHUNK: usize = 10_007;

    pub fn is_usual(&self) -> bool {
        *self == Delivery::default()
    }
}
