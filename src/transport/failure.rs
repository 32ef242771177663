//! From what the transport reports to a status and a sentence.

use std::{error::Error as StdError, io, time::Duration};

use rustls::{CertificateError, Error as TlsError};

use crate::{
    error::{Error, Status},
    transport::pin::Mismatch,
};

/// What is known about the attempt that failed.
pub(super) struct Attempt<'a> {
    /// `host:port` of the server.
    pub(super) authority: &'a str,
    pub(super) connect_timeout: Duration,
}

/// The error for a request that ended without a whole response.
pub(super) fn describe(error: &reqwest::Error, attempt: &Attempt<'_>) -> Error {
    let authority = attempt.authority;
    let cause = Cause::of(error);

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
    if error.is_connect() && error.is_timeout() {
        return Error::new(
            Status::Timeout,
            format!(
                "{authority} could not be reached within {} ms; check the network, or raise the connect timeout",
                attempt.connect_timeout.as_millis()
            ),
        );
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
    if error.is_dns() {
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
    if error.is_connect() {
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

/// What the chain of sources holds.
#[derive(Default)]
struct Cause {
    tls: Option<TlsError>,
    pin_mismatch: bool,
    proxy: bool,
    out_of_resources: bool,
    not_http: bool,
    headers_too_large: bool,
    /// The innermost sentence: the outer ones only say "error sending request".
    words: String,
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let mut cause = Cause::default();
        let mut next = error.source();
        while let Some(error) = next {
            cause.words = error.to_string();
            // The types of these two are not public.
            cause.proxy |= ["tunnel error", "SOCKS error"]
                .iter()
                .any(|proxy| cause.words.starts_with(proxy));
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
