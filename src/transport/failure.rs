//! From what the transport reports to a status and a sentence.

use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use crate::{
    error::{Error, Status},
    transport::{pin::Mismatch, proxy::Route},
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
pub(crate) struct NoAddress {
    pub(super) name: String,
    pub(super) why: Arc<io::Error>,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl StdError for NoAddress {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.why)
    }
}

/// What is known about the attempt that failed.
pub(super) struct Attempt<'a> {
    /// `host:port` of the server.
    pub(super) authority: &'a str,
    pub(super) proxy: Option<&'a Route>,
    pub(super) connect_timeout: Duration,
}

impl Attempt<'_> {
    /// Whoever may have shown a certificate.
    fn tls_peers(&self) -> String {
        match self.proxy {
            Some(route) if route.tls_host.is_some() => {
                format!("{} or of the proxy {}", self.authority, route.authority)
            }
            _ => self.authority.to_owned(),
        }
    }
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
    if connecting && cause.too_slow {
        return too_slow(attempt);
    }

    if cause.pin_mismatch {
        return Error::new(
            Status::PinMismatch,
            format!(
                "{authority} has a trusted certificate, but none of the pinned keys; expect an interception, or add its new pin"
            ),
        );
    }
    // On a connection that was made it is what broke that connection: noise on
    // the way, or somebody who wants it to end. A new one may do, unless the server
    // has said why it wants none: in TLS 1.3 it says so only then.
    if let Some(tls) = &cause.tls
        && (connecting || is_refusal(tls))
    {
        return Error::new(Status::Tls, tls_sentence(tls, &attempt.tls_peers()));
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
    if let Some(name) = &cause.no_address {
        return Error::new(
            Status::Dns,
            format!(
                "the address of {name} could not be found ({}); check the network and the URL",
                cause.words
            ),
        );
    }
    if cause.proxy_unreachable {
        return Error::new(
            Status::Connect,
            format!(
                "no connection to the proxy {} could be made ({}); check the network, the proxy's URL and that it runs",
                attempt.proxy.map_or("", |route| &*route.authority),
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
            format!(
                "{authority} sent more headers, or said that more is to come, than is accepted"
            ),
        );
    }
    if cause.not_http && cause.tls.is_none() {
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
    let through = match attempt.proxy {
        Some(route) if !route.has_exceptions => {
            format!(" through the proxy {}", route.authority)
        }
        _ => String::new(),
    };
    Error::new(
        Status::Timeout,
        format!(
            "{}{through} could not be reached within {} ms; check the network, or raise the connect timeout",
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
    no_address: Option<String>,
    proxy: bool,
    proxy_unreachable: bool,
    too_slow: bool,
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
            if let Some(what) = ["tunnel error: ", "SOCKS error: "]
                .iter()
                .find_map(|proxy| cause.words.strip_prefix(proxy))
            {
                cause.proxy = true;
                cause.proxy_unreachable = what.starts_with("failed to create");
            }
            if let Some(unknown) = error.downcast_ref::<NoAddress>() {
                cause.no_address = Some(unknown.name.clone());
            }
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
                    // Our own timers' word; the system's has a number.
                    cause.too_slow |=
                        io.kind() == io::ErrorKind::TimedOut && io.raw_os_error().is_none();
                    // A chunk without a size, trailers without an end.
                    cause.not_http |= matches!(
                        io.kind(),
                        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                    ) && io.raw_os_error().is_none();
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

fn is_refusal(error: &TlsError) -> bool {
    use AlertDescription as Alert;
    // The others tell of what arrived, which may have been changed on the way.
    matches!(
        error,
        TlsError::AlertReceived(
            Alert::HandshakeFailure
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::InsufficientSecurity
                | Alert::CertificateRequired
        )
    )
}

fn is_out_of_resources(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN)
    )
}

fn tls_sentence(error: &TlsError, peers: &str) -> String {
    let TlsError::InvalidCertificate(certificate) = error else {
        return format!(
            "no secure connection to {peers} could be made ({error}); check that the port speaks TLS 1.2 or 1.3"
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
    format!("the certificate of {peers} {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTEMPT: Attempt<'_> = Attempt {
        authority: "api.test:443",
        proxy: None,
        connect_timeout: Duration::from_secs(5),
    };

    fn tls_error() -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, TlsError::DecryptError)
    }

    #[test]
    fn noise_on_a_connection_that_was_made_ends_the_connection_only() {
        let error = describe(&Failure::exchange(tls_error()), &ATTEMPT);
        assert_eq!(error.status, Status::ConnectionLost);
        let error = describe(&Failure::connect(tls_error()), &ATTEMPT);
        assert_eq!(error.status, Status::Tls);
    }

    #[test]
    fn a_server_that_refuses_us_after_the_handshake_has_refused_us() {
        for (alert, status) in [
            (AlertDescription::CertificateRequired, Status::Tls),
            (AlertDescription::InternalError, Status::ConnectionLost),
            (AlertDescription::RecordOverflow, Status::ConnectionLost),
        ] {
            let said = io::Error::other(TlsError::AlertReceived(alert));
            let error = describe(&Failure::exchange(said), &ATTEMPT);
            assert_eq!(error.status, status);
        }
    }

    #[test]
    fn a_name_without_address_is_named_whoever_looked_for_it() {
        let why = Arc::new(io::Error::other("nobody knows"));
        let name = "where.test".to_owned();
        let error = describe(&Failure::connect(NoAddress { name, why }), &ATTEMPT);
        assert_eq!(error.status, Status::Dns);
        assert!(
            error.message.contains("of where.test "),
            "{}",
            error.message
        );
    }

    #[test]
    fn our_own_limit_for_connecting_is_a_timeout_and_the_systems_is_not() {
        let ours = io::Error::from(io::ErrorKind::TimedOut);
        let error = describe(&Failure::connect(ours), &ATTEMPT);
        assert_eq!(error.status, Status::Timeout);
        let systems = io::Error::from_raw_os_error(libc::ETIMEDOUT);
        let error = describe(&Failure::connect(systems), &ATTEMPT);
        assert_eq!(error.status, Status::Connect);
    }
}
