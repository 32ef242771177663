//! Errors: a status, a message with advice, and the server's message.

use std::{fmt, time::Duration};

/// Why a call failed. `ffi::status` assigns the numbers and the names in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    // The program or the device.
    InvalidArgument,
    InvalidConfig,
    Panic,
    System,
    Cancelled,
    ShutDown,
    Forked,
    // The connection.
    Dns,
    Connect,
    Tls,
    Timeout,
    ConnectionLost,
    PinMismatch,
    Proxy,
    // The format of the answer.
    BadResponse,
    ResponseTooLarge,
    Redirected,
    // The server's refusal.
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
    UnexpectedHttpStatus,
    // The received session.
    SessionExpired,
    ForeignSession,
    GhostSession,
    OtherOptions,
}

impl Status {
    pub const ALL: &[Status] = &[
        Status::InvalidArgument,
        Status::InvalidConfig,
        Status::Panic,
        Status::System,
        Status::Cancelled,
        Status::ShutDown,
        Status::Forked,
        Status::Dns,
        Status::Connect,
        Status::Tls,
        Status::Timeout,
        Status::ConnectionLost,
        Status::PinMismatch,
        Status::Proxy,
        Status::BadResponse,
        Status::ResponseTooLarge,
        Status::Redirected,
        Status::RejectedOrigin,
        Status::Unauthorized,
        Status::Forbidden,
        Status::BadRequest,
        Status::Validation,
        Status::NotFound,
        Status::StartingUp,
        Status::LimitExceeded,
        Status::SessionNotActive,
        Status::RateLimited,
        Status::Server,
        Status::UnexpectedHttpStatus,
        Status::SessionExpired,
        Status::ForeignSession,
        Status::GhostSession,
        Status::OtherOptions,
    ];

    /// Returns whether the same call may succeed a little later.
    pub fn is_retryable(self) -> bool {
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

/// The error of a failed call. It never contains a token.
#[derive(Clone, Debug)]
pub struct Error {
    pub status: Status,
    pub message: String,
    /// 0 if no response arrived.
    pub http_status: u16,
    pub server_message: Option<String>,
    pub retry_after: Option<Duration>,
    /// Whether the same call may succeed a little later, if its status does not decide this.
    pub is_retryable: Option<bool>,
}

impl Error {
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            http_status: 0,
            server_message: None,
            retry_after: None,
            is_retryable: None,
        }
    }

    /// Returns whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
            .unwrap_or_else(|| self.status.is_retryable())
    }

    pub fn with_http_status(mut self, http_status: u16) -> Self {
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
