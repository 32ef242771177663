//! A response, read whole and bounded, before anyone asks what it means.

/// Borrows from the exchange that it came in.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    /// The server's clock in Unix seconds, from the `Date` header.
    pub date: Option<i64>,
    pub retry_after: Option<RetryAfter>,
    /// The value of `Location`.
    pub location: Option<&'a [u8]>,
    pub body: &'a [u8],
    /// The rest of the body never came. Such an answer is handed out for an
    /// error only: its status must not be lost with its words.
    pub is_cut_short: bool,
}

/// What a `Retry-After` header asks for (RFC 9110, section 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    /// Until then, in Unix seconds.
    Date(i64),
}

impl<'a> Answer<'a> {
    /// An answer with a status and a body, and nothing else.
    pub fn of(status: u16, body: &'a [u8]) -> Self {
        Self {
            status,
            date: None,
            retry_after: None,
            location: None,
            body,
            is_cut_short: false,
        }
    }
}
