//! A response, read whole and bounded, before anyone asks what it means.

use crate::http::{coding::Coding, retry_after::RetryAfter};

/// Borrows from the exchange that it came in.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// The server's clock in Unix seconds, from the `Date` header.
    pub date: Option<i64>,
    pub retry_after: Option<RetryAfter>,
    /// The value of `Location`.
    pub location: Option<&'a [u8]>,
    /// What `Content-Encoding` says of the body.
    pub coding: Option<Coding>,
    pub body: &'a [u8],
    /// The rest of the body never came. Such an answer is handed out for an
    /// error only: its status must not be lost with its words.
    pub is_cut_short: bool,
}

impl<'a> Answer<'a> {
    /// An answer with a status and a body, and nothing else.
    pub fn of(status: u16, body: &'a [u8]) -> Self {
        Self {
            status,
            date: None,
            retry_after: None,
            location: None,
            coding: None,
            body,
            is_cut_short: false,
        }
    }
}
