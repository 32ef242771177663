//! Makes connections to one server: straight, or through a proxy.

use std::{
    future::poll_fn,
    io,
    sync::{Arc, OnceLock},
    task::Poll,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;

use crate::{
    connect::{
        dns::Resolver,
        endpoint::{Endpoint, without_brackets},
        failure::{Attempt, Failure, Peer},
        poll_socket::PollSocket,
        proxy::{Protocol, Proxy},
        socks::{FORBIDDEN, Refusal, Target, UNREACHABLE},
        tcp,
        trust::policy::Trust,
        tunnel,
        wire::{Broken, Wire},
    },
    error::{Error, Status},
};

/// Where to, by which way, and whom to trust.
pub struct Destination {
    pub endpoint: Endpoint,
    /// `host:port`, for messages.
    pub authority: String,
    pub proxy: Option<Proxy>,
    pub trust: Trust,
    pub user_agent: String,
    /// The limit of a whole call, for messages.
    pub timeout: Duration,
    /// The limit of one connection: name look-up, TCP, proxy and TLS together.
    pub connect_timeout: Duration,
}

impl Destination {
    /// What messages about an attempt need to know.
    pub fn attempt(&self) -> Attempt<'_> {
        Attempt {
            authority: &self.authority,
            proxy: self.proxy.as_ref(),
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
        }
    }
}

/// What the connections of one process share. It holds locks, so a forked child
/// makes its own.
#[derive(Default)]
pub struct Network {
    resolver: Resolver,
    tls_to_server: OnceLock<Arc<ClientConfig>>,
    tls_to_proxy: OnceLock<Arc<ClientConfig>>,
}

/// A connection over which requests can be sent.
pub struct Connected {
    pub socket: TcpStream,
    pub wire: Wire,
}

/// Makes a connection. The caller bounds it in time.
pub async fn connect(to: &Destination, network: &Network) -> Result<Connected, Failure> {
    let (mut socket, wire, early) = match &to.proxy {
        None => {
            let host = without_brackets(to.endpoint.host());
            let socket = dial(network, host, to.endpoint.port(), Peer::Server).await?;
            (socket, Wire::default(), Vec::new())
        }
        Some(proxy) => through(to, network, proxy).await?,
    };
    if !to.endpoint.is_https() {
        return Ok(Connected { socket, wire });
    }
    let config = shared(&network.tls_to_server, || to.trust.for_server())?;
    let name = to.endpoint.server_name.clone();
    let wire = secure(&mut socket, wire, config, name, &early, Peer::Server).await?;
    Ok(Connected { socket, wire })
}

async fn dial(network: &Network, host: &str, port: u16, peer: Peer) -> Result<TcpStream, Failure> {
    let found = network.resolver.find(host, port).await;
    let addresses = found.map_err(Failure::NoAddress)?;
    tcp::connect(addresses)
        .await
        .map_err(|why| Failure::Tcp(peer, why))
}

/// Returns a way to the server through a proxy, with bytes that have come on it.
async fn through(
    to: &Destination,
    network: &Network,
    proxy: &Proxy,
) -> Result<(TcpStream, Wire, Vec<u8>), Failure> {
    if proxy.protocol == Protocol::Socks5 {
        let socket = through_socks(to, network, proxy).await?;
        return Ok((socket, Wire::default(), Vec::new()));
    }
    let mut socket = dial(network, &proxy.host, proxy.port, Peer::Proxy).await?;
    let mut wire = Wire::default();
    let endpoint = &to.endpoint;
    let host = without_brackets(endpoint.host());
    let early = match proxy.protocol {
        Protocol::Http | Protocol::Https => {
            if proxy.protocol == Protocol::Https {
                let config = shared(&network.tls_to_proxy, || to.trust.for_proxy())?;
                let name = ServerName::try_from(proxy.host.clone()).map_err(|_| {
                    let what = "the proxy URL has a host that is neither a DNS name nor an address";
                    Failure::Other(Error::new(Status::InvalidConfig, what))
                })?;
                wire = secure(&mut socket, wire, config, name, &[], Peer::Proxy).await?;
            }
            let authority = &to.authority;
            tunnel::connect(&mut socket, &mut wire, proxy, authority, &to.user_agent).await?
        }
        Protocol::Socks5 | Protocol::Socks5h => {
            let target = match host.parse() {
                Ok(address) => Target::Address(address),
                Err(_) => Target::Name(host.to_owned()),
            };
            tunnel::socks(&mut socket, proxy, target, endpoint.port()).await?;
            Vec::new()
        }
    };
    Ok((socket, wire, early))
}

/// Has a SOCKS proxy try each address of the server. An address that it refuses is
/// followed by the next; a proxy that refuses us is not asked again.
async fn through_socks(
    to: &Destination,
    network: &Network,
    proxy: &Proxy,
) -> Result<TcpStream, Failure> {
    let endpoint = &to.endpoint;
    let host = without_brackets(endpoint.host());
    let found = network.resolver.find(host, endpoint.port()).await;
    let mut last = Failure::Socks(Refusal::Reply(UNREACHABLE));
    for address in found.map_err(Failure::NoAddress)? {
        let mut socket = dial(network, &proxy.host, proxy.port, Peer::Proxy).await?;
        let target = Target::Address(address.ip());
        match tunnel::socks(&mut socket, proxy, target, endpoint.port()).await {
            Ok(()) => return Ok(socket),
            Err(Failure::Socks(Refusal::Reply(code))) if code != FORBIDDEN => {
                last = Failure::Socks(Refusal::Reply(code));
            }
            Err(why) => return Err(why),
        }
    }
    Err(last)
}

/// Adds a layer of TLS, and waits for the end of its handshake.
async fn secure(
    socket: &mut TcpStream,
    wire: Wire,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    early: &[u8],
    peer: Peer,
) -> Result<Wire, Failure> {
    let mut wire = wire
        .secured(config, name, early)
        .map_err(|why| Failure::Handshake(peer, why))?;
    poll_fn(|context| {
        let socket = &mut PollSocket::new(socket, context);
        match shake_hands(&mut wire, socket) {
            Err(why) if why.would_block() => Poll::Pending,
            outcome => Poll::Ready(outcome.map_err(|why| Failure::Handshake(peer, why))),
        }
    })
    .await?;
    Ok(wire)
}

/// The last message of the handshake is left to go out with the request.
fn shake_hands(wire: &mut Wire, socket: &mut PollSocket<'_, '_>) -> Result<(), Broken> {
    while wire.is_handshaking() {
        if wire.wants_write() {
            wire.write_to(socket)?;
        }
        if !wire.is_handshaking() {
            break;
        }
        wire.read_from(socket)?;
        let end = wire.take(|_| Ok::<(), Broken>(()))?;
        if end.is_some() && wire.is_handshaking() {
            let why = "it ended in the TLS handshake";
            return Err(Broken::Io(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                why,
            )));
        }
    }
    Ok(())
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
