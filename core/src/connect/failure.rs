//! Why an attempt has failed, and the message for it.

use std::{io, time::Duration};

use rustls::Error as TlsError;

use crate::{
    connect::{
        dns::{NoAddress, Unfound},
        proxy::Proxy,
        socks, tls_failure,
        wire::Broken,
    },
    error::{Error, Status},
    host::refusals,
    http::no_answer::NoAnswer,
};

/// The peer of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Server,
    Proxy,
}

/// What a call is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    Peer(Peer),
    /// The server's answer has begun with this status.
    RestOfAnswer(u16),
}

impl Awaited {
    pub const SERVER: Self = Awaited::Peer(Peer::Server);
    pub const PROXY: Self = Awaited::Peer(Peer::Proxy);

    /// Returns what a call waits for after its request. `status`: that of the answer, or 0 before
    /// its head is complete.
    pub fn of_answer(status: u16) -> Self {
        match status {
            0 => Self::SERVER,
            _ => Awaited::RestOfAnswer(status),
        }
    }

    fn peer(self) -> Peer {
        match self {
            Awaited::Peer(peer) => peer,
            Awaited::RestOfAnswer(_) => Peer::Server,
        }
    }
}

#[derive(Debug)]
pub enum Failure {
    /// The time limit of the whole call has passed.
    OutOfTime(Awaited),
    /// The time limit for opening a connection has passed.
    ConnectTimeout(Awaited),
    NoAddress(Peer, NoAddress),
    /// No TCP connection could be opened.
    Tcp(Peer, io::Error),
    /// A TLS handshake failed.
    Handshake(Peer, Broken),
    /// The proxy did not answer a CONNECT.
    Tunnel(Broken),
    /// The proxy's answer is not HTTP, or is too large.
    NoTunnel(NoAnswer),
    /// The proxy has refused a CONNECT.
    Refused(Error),
    Socks(socks::Refusal),
    /// An open connection broke.
    Lost(Broken),
    /// The received bytes are not an answer.
    Answer(NoAnswer),
    /// This thread or this process cannot open a connection now. Others may be able to.
    NotHere(Error),
    /// A setting cannot be used.
    Other(Error),
}

/// The facts about the attempt that failed.
pub struct Attempt<'a> {
    /// `host:port` of the server.
    pub authority: &'a str,
    pub proxy: Option<&'a Proxy>,
    pub timeout: Duration,
    pub connect_timeout: Duration,
}

impl Attempt<'_> {
    /// Returns the error for a failure.
    pub fn describe(&self, failure: Failure) -> Error {
        match failure {
            Failure::Handshake(_, Broken::Tls(why) | Broken::TlsBelow(why))
            | Failure::Tunnel(Broken::Tls(why) | Broken::TlsBelow(why))
            | Failure::Lost(Broken::Tls(why) | Broken::TlsBelow(why))
                if why == TlsError::FailedToGetRandomBytes =>
            {
                refusals::no_random_numbers()
            }
            Failure::OutOfTime(awaited) => self.out_of_time(awaited),
            Failure::ConnectTimeout(awaited) => self.connect_timeout(awaited.peer()),
            Failure::NoAddress(peer, unknown) => no_address(peer, &unknown),
            Failure::Tcp(peer, why) => self.no_connection(peer, &why),
            Failure::Handshake(peer, Broken::Io(why)) => self.no_connection(peer, &why),
            Failure::Handshake(peer, Broken::Tls(why)) => self.no_tls(peer, &why),
            Failure::Handshake(_, Broken::TlsBelow(why)) => self.no_tls(Peer::Proxy, &why),
            Failure::Tunnel(Broken::Io(why)) => self.no_connection(Peer::Proxy, &why),
            Failure::Tunnel(Broken::Tls(why) | Broken::TlsBelow(why))
                if tls_failure::is_refusal(&why) =>
            {
                self.no_tls(Peer::Proxy, &why)
            }
            Failure::Tunnel(Broken::Tls(why) | Broken::TlsBelow(why)) => {
                self.no_connection(Peer::Proxy, &io::Error::other(tls_failure::reason(&why)))
            }
            Failure::NoTunnel(why) => self.no_tunnel(why),
            Failure::Socks(refusal) => self.no_socks(&refusal),
            Failure::Lost(why) => self.lost(why),
            Failure::Answer(why) => self.no_answer(why),
            Failure::Refused(error) | Failure::NotHere(error) | Failure::Other(error) => error,
        }
    }

    pub fn out_of_time(&self, awaited: Awaited) -> Error {
        let limit = self.timeout.as_millis();
        let name = self.name(awaited.peer());
        match awaited {
            Awaited::Peer(_) => Error::new(
                Status::Timeout,
                format!("{name} did not answer within {limit} ms; try again, or raise the timeout"),
            ),
            Awaited::RestOfAnswer(status) => Error::new(
                Status::Timeout,
                format!(
                    "{name} answered HTTP {status}, but the answer was incomplete after {limit} ms; try again, or check the proxies and firewalls on the way"
                ),
            )
            .with_http_status(status),
        }
    }

    fn connect_timeout(&self, peer: Peer) -> Error {
        let limit = self.connect_timeout.as_millis();
        let name = self.name(peer);
        let what = match (peer, self.proxy) {
            (Peer::Proxy, _) => format!("{name} did not answer within {limit} ms"),
            (Peer::Server, None) => format!("{name} could not be reached within {limit} ms"),
            (Peer::Server, Some(proxy)) => format!(
                "{name} could not be reached through the proxy {} within {limit} ms",
                proxy.authority
            ),
        };
        Error::new(
            Status::Timeout,
            format!("{what}; check the network, or raise the connect timeout"),
        )
    }

    fn name(&self, peer: Peer) -> String {
        match (peer, self.proxy) {
            (Peer::Proxy, Some(proxy)) => format!("the proxy {}", proxy.authority),
            _ => self.authority.to_owned(),
        }
    }

    fn no_connection(&self, peer: Peer, why: &io::Error) -> Error {
        if refusals::is_refusal(why) {
            return refusals::CONNECTION.refused("cannot open a connection", why);
        }
        let message = match (peer, self.proxy) {
            (Peer::Proxy, Some(proxy)) => format!(
                "cannot connect to the proxy {} ({why}); check the network, the proxy's URL and that the proxy is running",
                proxy.authority
            ),
            _ => format!(
                "cannot connect to {} ({why}); check the network, the base URL and that the server is running",
                self.authority
            ),
        };
        Error::new(Status::Connect, message)
    }

    fn no_tls(&self, peer: Peer, why: &TlsError) -> Error {
        if tls_failure::is_pin_mismatch(why) {
            return Error::new(
                Status::PinMismatch,
                format!(
                    "the certificate of {} is trusted, but its key is not pinned; check for interception, or add the new pin",
                    self.authority
                ),
            );
        }
        let name = self.name(peer);
        let name = match (peer, self.proxy) {
            // The answer may come from the proxy or from a machine behind it.
            (Peer::Server, Some(proxy)) if tls_failure::is_no_tls(why) => {
                format!("{name} through the proxy {}", proxy.authority)
            }
            _ => name,
        };
        Error::new(Status::Tls, tls_failure::sentence(why, &name))
    }

    fn refused(&self, why: &str) -> Error {
        Error::new(
            Status::Proxy,
            format!(
                "{} did not connect to {} ({why}); check its URL and credentials",
                self.name(Peer::Proxy),
                self.authority
            ),
        )
    }

    fn no_socks(&self, why: &socks::Refusal) -> Error {
        match why {
            socks::Refusal::NotSocks => self.refused("it does not speak SOCKS 5"),
            socks::Refusal::Credentials => self.refused("it requires other credentials"),
            socks::Refusal::Reply(code) if socks::is_transient(*code) => Error::new(
                Status::Connect,
                format!(
                    "{} could not connect to {} ({}); try again",
                    self.name(Peer::Proxy),
                    self.authority,
                    socks::meaning(*code)
                ),
            ),
            socks::Refusal::Reply(code) => self.refused(socks::meaning(*code)),
        }
    }

    fn no_tunnel(&self, why: NoAnswer) -> Error {
        match why {
            NoAnswer::Ended => {
                self.no_connection(Peer::Proxy, &io::Error::from(io::ErrorKind::UnexpectedEof))
            }
            NoAnswer::NotHttp(_) => self.refused("its answer is not HTTP"),
            NoAnswer::HeadTooLarge | NoAnswer::BodyTooLarge => {
                self.refused("its answer is too large")
            }
        }
    }

    /// Returns the error for an open connection that broke: by a fault of the network, or because
    /// the peer has ended it. Another connection may succeed, unless the server has refused the
    /// client. In TLS 1.3 a server refuses only after the handshake.
    fn lost(&self, why: Broken) -> Error {
        match why {
            Broken::Io(why) if refusals::is_refusal(&why) => {
                refusals::EXCHANGE.refused("cannot use the connection", &why)
            }
            Broken::Io(why) => self.broke_off(&why.to_string()),
            Broken::Tls(why) => self.lost_tls(Peer::Server, &why),
            Broken::TlsBelow(why) => self.lost_tls(Peer::Proxy, &why),
        }
    }

    fn lost_tls(&self, peer: Peer, why: &TlsError) -> Error {
        if tls_failure::is_refusal(why) {
            return self.no_tls(peer, why);
        }
        let reason = tls_failure::reason(why);
        match (peer, self.proxy) {
            (Peer::Proxy, Some(proxy)) => {
                self.broke_off(&format!("at the proxy {}: {reason}", proxy.authority))
            }
            _ => self.broke_off(reason),
        }
    }

    fn broke_off(&self, why: &str) -> Error {
        Error::new(
            Status::ConnectionLost,
            format!(
                "the connection to {} was lost ({why}); try again",
                self.authority
            ),
        )
    }

    fn no_answer(&self, why: NoAnswer) -> Error {
        let authority = self.authority;
        match why {
            NoAnswer::Ended => self.broke_off("it ended before the end of the answer"),
            NoAnswer::NotHttp(why) => Error::new(
                Status::BadResponse,
                format!("the answer of {authority} is not HTTP ({why}); check the base URL"),
            ),
            NoAnswer::HeadTooLarge => Error::new(
                Status::ResponseTooLarge,
                format!(
                    "{authority} sent too many headers, or announced too large a body; check the base URL"
                ),
            ),
            NoAnswer::BodyTooLarge => Error::new(
                Status::ResponseTooLarge,
                format!("{authority} sent more bytes than a session needs; check the base URL"),
            ),
        }
    }
}

fn no_address(peer: Peer, unknown: &NoAddress) -> Error {
    let whose = match peer {
        Peer::Server => "",
        Peer::Proxy => "the proxy ",
    };
    let failed = format!("cannot resolve {whose}{}", unknown.name);
    let why = match &unknown.why {
        Unfound::Refused(error) => return error.clone(),
        Unfound::LookUp(why) => why,
    };
    if refusals::is_refusal(why) {
        return refusals::LOOK_UP.refused(&failed, why);
    }
    // `getaddrinfo` reports most refused system calls as errors of the network.
    if let Some(refused) = refusals::LOOK_UP.refused_behind(&failed) {
        return refused;
    }
    let message = format!("{failed}: {why}; check the network and the URL");
    Error::new(Status::Dns, message)
}

#[cfg(test)]
mod tests;
