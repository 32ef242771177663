//! Opens connections to one server, directly or through a proxy.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::{ClientConfig, Error as TlsError, InvalidMessage, pki_types::ServerName};
use tokio::{net::TcpStream, time::Instant};

use crate::{
    connect::{
        dns::Resolver,
        endpoint::{Endpoint, without_brackets},
        failure::{Attempt, Awaited, Failure, Peer},
        handshake::Handshake,
        proxy::{Protocol, Proxy},
        socks::{HOST_UNREACHABLE, Refusal, Target, is_no_route, is_transient},
        tcp,
        trust::policy::Trust,
        tunnel,
        wire::{Broken, Wire},
    },
    error::{Error, Status},
};

/// The server, the way to it, and the trusted certificates.
pub struct Destination {
    pub endpoint: Endpoint,
    /// `host:port`, for messages.
    pub authority: String,
    pub proxy: Option<Proxy>,
    pub trust: Trust,
    pub user_agent: String,
    /// The limit for a whole call, for messages.
    pub timeout: Duration,
    /// The limit for one connection: name look-up, TCP, proxy and TLS together.
    pub connect_timeout: Duration,
}

impl Destination {
    /// Returns the facts that messages about an attempt need.
    pub fn attempt(&self) -> Attempt<'_> {
        Attempt {
            authority: &self.authority,
            proxy: self.proxy.as_ref(),
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
        }
    }
}

/// State that the connections of one process share. It holds locks, so a forked child creates its
/// own.
#[derive(Default)]
pub struct Network {
    resolver: Resolver,
    tls_to_server: OnceLock<Arc<ClientConfig>>,
    tls_to_proxy: OnceLock<Arc<ClientConfig>>,
}

/// A connection that is ready for requests.
pub struct Connected {
    pub socket: TcpStream,
    pub wire: Wire,
}

/// How long to wait for a connection, and for which peer at present. At first this is the server.
pub struct Patience<'a> {
    pub until: Instant,
    pub waits_for: &'a Cell<Awaited>,
}

/// Opens a connection. The caller drops this future when the time of `patience` has passed.
pub async fn connect(
    to: &Destination,
    network: &Network,
    patience: &Patience<'_>,
) -> Result<Connected, Failure> {
    let (mut socket, wire, early) = match &to.proxy {
        None => {
            let host = without_brackets(to.endpoint.host());
            let socket = dial(
                network,
                host,
                to.endpoint.port(),
                Peer::Server,
                patience.until,
            )
            .await?;
            (socket, Wire::default(), Vec::new())
        }
        Some(proxy) => through(to, network, proxy, patience).await?,
    };
    patience.waits_for.set(Awaited::SERVER);
    if !to.endpoint.is_https() {
        return Ok(Connected { socket, wire });
    }
    let handshake = Handshake {
        config: shared(&network.tls_to_server, || to.trust.for_server())?,
        name: to.endpoint.server_name.clone(),
        peer: Peer::Server,
        verifier_waits: to.trust.verifier_waits(),
    };
    if !early.is_empty() {
        // A TLS server waits for the client's first message.
        let why = TlsError::InvalidMessage(InvalidMessage::InvalidContentType);
        return Err(Failure::Handshake(Peer::Server, Broken::Tls(why)));
    }
    let wire = handshake.perform(&mut socket, wire).await?;
    Ok(Connected { socket, wire })
}

async fn dial(
    network: &Network,
    host: &str,
    port: u16,
    peer: Peer,
    until: Instant,
) -> Result<TcpStream, Failure> {
    let found = network.resolver.find(host, port).await;
    let addresses = found.map_err(|why| Failure::NoAddress(peer, why))?;
    tcp::connect(addresses, until)
        .await
        .map_err(|why| Failure::Tcp(peer, why))
}

/// Connects to the server through a proxy. Returns the connection, and bytes that have already
/// arrived on it.
async fn through(
    to: &Destination,
    network: &Network,
    proxy: &Proxy,
    patience: &Patience<'_>,
) -> Result<(TcpStream, Wire, Vec<u8>), Failure> {
    let host = without_brackets(to.endpoint.host());
    let (socket, wire, early) = match proxy.protocol {
        Protocol::Http | Protocol::Https => {
            patience.waits_for.set(Awaited::PROXY);
            let mut socket = dial(
                network,
                &proxy.host,
                proxy.port,
                Peer::Proxy,
                patience.until,
            )
            .await?;
            let mut wire = Wire::default();
            if proxy.protocol == Protocol::Https {
                let config = shared(&network.tls_to_proxy, || to.trust.for_proxy())?;
                let name = ServerName::try_from(proxy.host.clone()).map_err(|_| {
                    let what = "the proxy URL has a host that is neither a DNS name nor an address; correct it";
                    Failure::Other(Error::new(Status::InvalidConfig, what))
                })?;
                let handshake = Handshake {
                    config,
                    name,
                    peer: Peer::Proxy,
                    verifier_waits: to.trust.verifier_waits(),
                };
                wire = handshake.perform(&mut socket, wire).await?;
            }
            let asked = tunnel::Asked {
                proxy,
                authority: &to.authority,
                user_agent: &to.user_agent,
            };
            let early = tunnel::connect(&mut socket, &mut wire, &asked, patience.until).await?;
            (socket, wire, early)
        }
        Protocol::Socks5h => {
            patience.waits_for.set(Awaited::PROXY);
            let target = match host.parse() {
                Ok(address) => Target::Address(address),
                Err(_) => Target::Name(host.to_owned()),
            };
            let socket = through_socks(to, network, proxy, target, patience.until).await?;
            (socket, Wire::default(), Vec::new())
        }
        Protocol::Socks5 => {
            let found = network.resolver.find(host, to.endpoint.port()).await;
            let addresses = found.map_err(|why| Failure::NoAddress(Peer::Server, why))?;
            patience.waits_for.set(Awaited::PROXY);
            let socket = to_one_of(to, network, proxy, addresses, patience.until).await?;
            (socket, Wire::default(), Vec::new())
        }
    };
    Ok((socket, wire, early))
}

/// Connects to one of the server's addresses through a SOCKS proxy. If the proxy refuses the client
/// and not the address, it is not asked again.
async fn to_one_of(
    to: &Destination,
    network: &Network,
    proxy: &Proxy,
    addresses: Vec<SocketAddr>,
    until: Instant,
) -> Result<TcpStream, Failure> {
    let attempts = tcp::alternating(addresses)
        .into_iter()
        .map(|address| async move {
            let target = Target::Address(address.ip());
            match through_socks(to, network, proxy, target, until).await {
                Err(
                    why @ (Failure::Socks(Refusal::Reply(_))
                    | Failure::Tunnel(_)
                    | Failure::Tcp(..)),
                ) => Err(why),
                outcome => Ok(outcome),
            }
        });
    match tcp::race(attempts, until, vagueness).await {
        Ok(outcome) => outcome,
        Err(why) => Err(why.unwrap_or(Failure::Socks(Refusal::Reply(HOST_UNREACHABLE)))),
    }
}

/// Orders the replies of a SOCKS proxy about several addresses. A temporary error of one address is
/// reported rather than a permanent error of another.
fn vagueness(why: &Failure) -> u8 {
    match why {
        Failure::Socks(Refusal::Reply(code)) if !is_transient(*code) => {
            2 + u8::from(is_no_route(*code))
        }
        Failure::Socks(Refusal::Reply(code)) => u8::from(is_no_route(*code)),
        _ => 0,
    }
}

async fn through_socks(
    to: &Destination,
    network: &Network,
    proxy: &Proxy,
    target: Target,
    until: Instant,
) -> Result<TcpStream, Failure> {
    let mut socket = dial(network, &proxy.host, proxy.port, Peer::Proxy, until).await?;
    tunnel::socks(&mut socket, proxy, target, to.endpoint.port()).await?;
    Ok(socket)
}

fn shared(
    config: &OnceLock<Arc<ClientConfig>>,
    make: impl FnOnce() -> Result<ClientConfig, Error>,
) -> Result<Arc<ClientConfig>, Failure> {
    if let Some(config) = config.get() {
        return Ok(Arc::clone(config));
    }
    let made = Arc::new(make().map_err(Failure::Other)?);
    Ok(Arc::clone(config.get_or_init(|| made)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_refusal_of_one_address_is_reported_before_a_final_one_of_another() {
        let order = [1, 5, 6, 3, 4, 2, 7, 8];
        let vagueness = |code: u8| vagueness(&Failure::Socks(Refusal::Reply(code)));
        assert!(order.is_sorted_by_key(|code| vagueness(*code)));
        for (clearer, vaguer) in [(4, 8), (3, 8), (1, 2), (1, 4), (2, 8)] {
            assert!(vagueness(clearer) < vagueness(vaguer), "{clearer} {vaguer}");
        }
    }
}
