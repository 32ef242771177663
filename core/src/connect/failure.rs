//! Why an attempt brought no answer, and what a person is told.

use std::{io, time::Duration};

use rustls::Error as TlsError;

use crate::{
    connect::{dns::NoAddress, proxy::Proxy, socks, tls_failure, wire::Broken},
    error::{Error, Status},
    host::limits,
    http::no_answer::NoAnswer,
};

/// Who was spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Server,
    Proxy,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    Peer(Peer),
    /// The server's answer has begun with this status.
    RestOfAnswer(u16),
}

impl Awaited {
    pub const SERVER: Self = Awaited::Peer(Peer::Server);
    pub const PROXY: Self = Awaited::Peer(Peer::Proxy);

    /// `status`: that of the answer, or 0 before its head is there.
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
    /// The time of the whole call is over.
    OutOfTime(Awaited),
    /// The time for making a connection is over.
    ConnectTimeout(Awaited),
    NoAddress(Peer, NoAddress),
    /// No TCP connection could be made.
    Tcp(Peer, io::Error),
    /// A TLS handshake failed.
    Handshake(Peer, Broken),
    /// The proxy did not answer a CONNECT.
    Tunnel(Broken),
    /// The answer of the proxy is none.
    NoTunnel(NoAnswer),
    /// The proxy has answered a CONNECT, and opens no tunnel.
    Refused(Error),
    Socks(socks::Refusal),
    /// A connection broke that had been made.
    Lost(Broken),
    /// What came is no answer.
    Answer(NoAnswer),
    /// This thread, or this process, cannot make a connection now. Others may.
    NotHere(Error),
    /// A setting proved useless.
    Other(Error),
}

/// What is known about the attempt that failed.
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
                    "{name} answered HTTP {status}, but the answer did not end within {limit} ms; try again, or check what stands between"
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
        if limits::is_reached(why) {
            return out_of_resources(why);
        }
        let message = match (peer, self.proxy) {
            (Peer::Proxy, Some(proxy)) => format!(
                "no connection to the proxy {} could be made ({why}); check the network, the proxy's URL and that it runs",
                proxy.authority
            ),
            _ => format!(
                "no connection to {} could be made ({why}); check the network, the base URL and that the server runs",
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
                    "{} has a trusted certificate, but none of the pinned keys; expect an interception, or add its new pin",
                    self.authority
                ),
            );
        }
        let name = self.name(peer);
        let name = match (peer, self.proxy) {
            // What answers may be the proxy, or stand behind it.
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
            socks::Refusal::Credentials => self.refused("it wants other credentials"),
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
            NoAnswer::NotHttp(_) => self.refused("it does not answer in HTTP"),
            NoAnswer::HeadTooLarge | NoAnswer::BodyTooLarge => {
                self.refused("its answer is too large")
            }
        }
    }

    /// Says that a connection broke: by noise on the way, or by somebody who wants
    /// it to end. Another connection may do, unless the server has said why it
    /// wants none. In TLS 1.3 it says so only after the handshake.
    fn lost(&self, why: Broken) -> Error {
        match why {
            Broken::Io(why) if limits::is_reached(&why) => out_of_resources(&why),
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
                "the connection to {} broke off ({why}); try again",
                self.authority
            ),
        )
    }

    fn no_answer(&self, why: NoAnswer) -> Error {
        let authority = self.authority;
        match why {
            NoAnswer::Ended => self.broke_off("it ended before the answer did"),
            NoAnswer::NotHttp(why) => Error::new(
                Status::BadResponse,
                format!("{authority} did not answer in HTTP ({why}); check the base URL"),
            ),
            NoAnswer::HeadTooLarge => Error::new(
                Status::ResponseTooLarge,
                format!(
                    "{authority} sent more headers, or said that more is to come, than is accepted"
                ),
            ),
            NoAnswer::BodyTooLarge => Error::new(
                Status::ResponseTooLarge,
                format!("{authority} sent more than any session needs; check the base URL"),
            ),
        }
    }
}

fn no_address(peer: Peer, unknown: &NoAddress) -> Error {
    if limits::is_reached(&unknown.why) {
        return out_of_resources(&unknown.why);
    }
    Error::new(
        Status::Dns,
        format!(
            "the address of {}{} could not be found ({}); check the network and the URL",
            match peer {
                Peer::Server => "",
                Peer::Proxy => "the proxy ",
            },
            unknown.name,
            unknown.why
        ),
    )
}

fn out_of_resources(why: &io::Error) -> Error {
    limits::reached("no connection could be opened", why)
}

#[cfg(test)]
mod tests;
