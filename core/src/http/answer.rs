//! A complete response, before its meaning is decided.

use crate::http::{coding::Coding, retry_after::RetryAfter};

/// It borrows from the exchange that received it.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// The server's clock in Unix seconds, from the `Date` header.
    pub date: Option<i64>,
    pub retry_after: Option<RetryAfter>,
    /// The value of `Location`.
    pub location: Option<&'a [u8]>,
    /// The coding in `Content-Encoding`.
    pub coding: Option<Coding>,
    pub body: &'a [u8],
    /// The rest of the body is missing. This only happens for an error, whose status is useful
    /// without its message.
    pub is_cut_short: bool,
}

impl<'a> Answer<'a> {
    /// Creates an answer with only a status and a body.
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
