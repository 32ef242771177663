//! What can go wrong, as a value: a status, a sentence to act on, and the
//! server's own words.

use std::{fmt, time::Duration};

/// Why a call failed. `ffi::status` gives each its number and its name in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    // The caller's side.
    InvalidArgument,
    InvalidConfig,
    Panic,
    System,
    Cancelled,
    ShutDown,
    Forked,
    // On the way.
    Dns,
    Connect,
    Tls,
    Timeout,
    ConnectionLost,
    PinMismatch,
    Proxy,
    // The server's answer, as an answer.
    BadResponse,
    ResponseTooLarge,
    Redirected,
    // What the server said.
    RejectedOrigin,
    Unauthorized,
    Forbidden,
    BadRequest,
    Validation,
    NotFound,
    StartingUp,
    LimitExceeded,
    SessionNotActive,
    RateLimited,
    Server,
    UnexpectedHttp,
    // The session that came.
    SessionExpired,
    ForeignSession,
}

impl Status {
    /// Whether the same call may well succeed a little later.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(
            self,
            Status::System
                | Status::Dns
                | Status::Connect
                | Status::Timeout
                | Status::ConnectionLost
                | Status::StartingUp
                | Status::RateLimited
                | Status::Server
        )
    }
}

/// A failed call. Never holds a token.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub(crate) status: Status,
    pub(crate) message: String,
    /// 0: no response arrived.
    pub(crate) http_status: u16,
    pub(crate) server_message: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            http_status: 0,
            server_message: None,
            retry_after: None,
        }
    }

    pub(crate) fn with_http_status(mut self, http_status: u16) -> Self {
        self.http_status = http_status;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
