//! From what the transport reports to a status and a sentence.

use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use rustls::{CertificateError, Error as TlsError};

use crate::{
    error::{Error, Status},
    transport::pin::Mismatch,
};

pub(super) type Source = Box<dyn StdError + Send + Sync>;

/// Why there is no whole response, and how far the attempt had come.
#[derive(Debug)]
pub(super) enum Failure {
    ConnectTimeout,
    Connect(Source),
    Exchange(Source),
}

impl Failure {
    pub(super) fn connect(error: impl Into<Source>) -> Self {
        Self::Connect(error.into())
    }

    pub(super) fn exchange(error: impl Into<Source>) -> Self {
        Self::Exchange(error.into())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::ConnectTimeout,
            (true, false) => Self::connect(error),
            (false, _) => Self::exchange(error),
        }
    }
}

/// A host name without an address. Our own resolver says so, whoever asks it.
#[derive(Debug)]
pub(crate) struct NoAddress(pub(super) Arc<io::Error>);

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NoAddress {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// What is known about the attempt that failed.
pub(super) struct Attempt<'a> {
    /// `host:port` of the server.
    pub(super) authority: &'a str,
    pub(super) connect_timeout: Duration,
}

/// The error for a request that ended without a whole response.
pub(super) fn describe(failure: &Failure, attempt: &Attempt<'_>) -> Error {
    let authority = attempt.authority;
    let (connecting, error) = match failure {
        Failure::ConnectTimeout => return too_slow(attempt),
        Failure::Connect(error) => (true, error),
        Failure::Exchange(error) => (false, error),
    };
    let cause = Cause::of(error.as_ref());

    if cause.pin_mismatch {
        return Error::new(
            Status::PinMismatch,
            format!(
                "{authority} has a trusted certificate, but none of the pinned keys; expect an interception, or add its new pin"
            ),
        );
    }
    if let Some(tls) = &cause.tls {
        let what = tls_sentence(tls, authority);
        return Error::new(Status::Tls, what);
    }
    if cause.out_of_resources {
        return Error::new(
            Status::System,
            format!(
                "no connection could be opened ({}); close files or threads, or raise the limit",
                cause.words
            ),
        );
    }
    if cause.no_address {
        return Error::new(
            Status::Dns,
            format!(
                "the address of {authority} could not be found ({}); check the network and the base URL",
                cause.words
            ),
        );
    }
    if cause.proxy {
        return Error::new(
            Status::Proxy,
            format!(
                "the proxy did not connect to {authority} ({}); check its URL and credentials",
                cause.words
            ),
        );
    }
    if connecting {
        return Error::new(
            Status::Connect,
            format!(
                "no connection to {authority} could be made ({}); check the network, the base URL and that the server runs",
                cause.words
            ),
        );
    }
    if cause.headers_too_large {
        return Error::new(
            Status::ResponseTooLarge,
            format!("{authority} sent more headers than are accepted"),
        );
    }
    if cause.not_http {
        return Error::new(
            Status::BadResponse,
            format!(
                "{authority} did not answer in HTTP ({}); check the base URL",
                cause.words
            ),
        );
    }
    Error::new(
        Status::ConnectionLost,
        format!(
            "the connection to {authority} broke off ({}); try again",
            cause.words
        ),
    )
}

fn too_slow(attempt: &Attempt<'_>) -> Error {
    Error::new(
        Status::Timeout,
        format!(
            "{} could not be reached within {} ms; check the network, or raise the connect timeout",
            attempt.authority,
            attempt.connect_timeout.as_millis()
        ),
    )
}

/// What the chain of sources holds.
#[derive(Default)]
struct Cause {
    tls: Option<TlsError>,
    pin_mismatch: bool,
    no_address: bool,
    proxy: bool,
    out_of_resources: bool,
    not_http: bool,
    headers_too_large: bool,
    /// The innermost sentence: the outer ones only say "error sending request".
    words: String,
}

impl Cause {
    fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Cause::default();
        let mut next = Some(error);
        while let Some(error) = next {
            cause.words = error.to_string();
            // The types of these two are not public.
            cause.proxy |= ["tunnel error", "SOCKS error"]
                .iter()
                .any(|proxy| cause.words.starts_with(proxy));
            cause.no_address |= error.is::<NoAddress>();
            if let Some(tls) = error.downcast_ref::<TlsError>() {
                cause.pin_mismatch |= is_pin_mismatch(tls);
                cause.tls = Some(tls.clone());
            }
            if let Some(http) = error.downcast_ref::<hyper::Error>() {
                // hyper names this case in words only when built for clients.
                cause.headers_too_large |= http.is_parse() && cause.words.contains("too large");
                cause.not_http |= http.is_parse();
            }
            next = match error.downcast_ref::<io::Error>() {
                Some(io) => {
                    cause.out_of_resources |= is_out_of_resources(io);
                    // `io::Error::source` skips the error it wraps.
                    io.get_ref().map(|inner| inner as &dyn StdError)
                }
                None => error.source(),
            };
        }
        cause
    }
}

fn is_pin_mismatch(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<Mismatch>()
    )
}

fn is_out_of_resources(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN)
    )
}

fn tls_sentence(error: &TlsError, authority: &str) -> String {
    let TlsError::InvalidCertificate(certificate) = error else {
        return format!(
            "no secure connection to {authority} could be made ({error}); check that the port speaks TLS 1.2 or 1.3"
        );
    };
    let why = match certificate {
        CertificateError::UnknownIssuer => {
            "is not signed by an authority that is trusted here; set the right CA file, or expect an interception".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired; check this device's date first".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet; check this device's date first".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "belongs to another host; check the base URL".to_owned()
        }
        CertificateError::Revoked => "has been revoked".to_owned(),
        other => format!("is not acceptable ({other})"),
    };
    format!("the certificate of {authority} {why}")
}
