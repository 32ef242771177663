//! Unusual ways to send a body.

use std::time::Duration;

use crate::fault_kind::AnswerFraming;

/// How a body is sent. By default with its length, completely, in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// `None`: with `Content-Length`.
    pub framing: Option<AnswerFraming>,
    /// This many bytes of the body are announced and not sent. The connection ends instead.
    pub short: usize,
    /// This many bytes follow the body.
    pub long: usize,
    /// The size of a piece. `None`: everything at once, or chunks of [`Delivery::CHUNK`].
    pub piece: Option<usize>,
    /// The time between two pieces.
    pub pause: Duration,
}

impl Delivery {
    /// Odd, so that it differs from the buffer sizes of readers.
    pub const CHUNK: usize = 10_007;

    pub fn is_usual(&self) -> bool {
        *self == Delivery::default()
    }
}
