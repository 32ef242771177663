//! The wire: what the server's answers mean.

mod claim;
mod claims;
mod created;
mod refused;
mod server_words;

pub(crate) use claims::{Claims, Payload, read as read_claims};
pub(crate) use created::session_from;
pub(crate) use refused::error_from;

use std::time::Duration;

use crate::secret::Secret;

/// A response, read whole and bounded, before anyone asked what it means.
pub(crate) struct Answer {
    pub(crate) http_status: u16,
    /// The server's clock in Unix seconds, from the `Date` header.
    pub(crate) date: Option<i64>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) location: Option<String>,
    pub(crate) body: Secret,
    /// The rest of the body never came. Only of an error is that an answer.
    pub(crate) is_cut_short: bool,
    /// Where it ends is beyond doubt and has been reached. Otherwise the next answer
    /// on its connection could be anything (RFC 9112, section 6.3).
    pub(crate) may_be_followed: bool,
    /// When the request left, on the clock that runs through sleep.
    pub(crate) sent_at: Duration,
}

#[cfg(test)]
impl Answer {
    pub(crate) fn of(http_status: u16, body: &str) -> Self {
        Self {
            http_status,
            date: None,
            retry_after: None,
            location: None,
            body: Vec::from(body).into(),
            is_cut_short: false,
            may_be_followed: true,
            sent_at: Duration::ZERO,
        }
    }
}
