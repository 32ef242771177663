//! Tunnels through proxies: CONNECT and SOCKS 5.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    task::Poll,
    time::Duration,
};

use tokio::net::TcpStream;

use crate::{
    connect::{
        failure::Failure,
        poll_socket::PollSocket,
        proxy::Proxy,
        socks::{Handshake, Step, Target},
        transfer::{Progress, advance},
        wire::{Broken, Wire},
    },
    http::{
        exchange::{Exchange, Rules},
        head::Method,
        request::RequestHead,
    },
    moment::Moment,
};

/// The bounds of a proxy's answer. Nothing of its body is used.
const RULES: Rules = Rules {
    method: Method::Connect,
    max_body: 64 * 1024,
    error_body_time: Duration::ZERO,
    is_whole: |_| false,
};

/// Asks an HTTP proxy for a tunnel to `authority`. Returns the bytes that came
/// behind its answer: they belong to the server.
pub async fn connect(
    socket: &mut TcpStream,
    wire: &mut Wire,
    proxy: &Proxy,
    authority: &str,
    user_agent: &str,
) -> Result<Vec<u8>, Failure> {
    let basic = proxy
        .credentials
        .as_ref()
        .map(|credentials| credentials.basic());
    let mut headers = vec![("host", authority), ("user-agent", user_agent)];
    if let Some(basic) = &basic {
        headers.push(("proxy-authorization", basic));
    }
    let request = RequestHead::new("CONNECT", authority, &headers).alone();
    wire.send(&request)
        .map_err(|error| Failure::Tunnel(Broken::Io(error)))?;

    let mut exchange = Exchange::new(RULES);
    poll_fn(|context| {
        let mut socket = PollSocket::new(socket, context);
        loop {
            match advance(wire, &mut socket, &mut exchange, || Moment::ZERO) {
                Ok(Progress::Done) => return Poll::Ready(Ok(())),
                // The status of a refusal is enough.
                Ok(_) if exchange.status() >= 300 => return Poll::Ready(Ok(())),
                Ok(Progress::Moved) => {}
                Ok(Progress::Blocked) => return Poll::Pending,
                Err(Failure::Lost(why)) => return Poll::Ready(Err(Failure::Tunnel(why))),
                Err(Failure::Answer(why)) => return Poll::Ready(Err(Failure::NoTunnel(why))),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
    })
    .await?;
    match exchange.status() {
        200..300 => Ok(exchange.left_over().to_vec()),
        status => Err(Failure::Refused(status)),
    }
}

/// Asks a SOCKS proxy for a connection.
pub async fn socks(
    socket: &mut TcpStream,
    proxy: &Proxy,
    target: Target,
    port: u16,
) -> Result<(), Failure> {
    let broken = |error| Failure::Tunnel(Broken::Io(error));
    let mut handshake = Handshake::new(target, port, proxy.credentials.clone());
    let mut bytes = [0; 512];
    loop {
        match handshake.step() {
            Step::Send(message) => write_all(socket, &message).await.map_err(broken)?,
            Step::Read(count) => {
                let bytes = &mut bytes[..count];
                read_exact(socket, bytes).await.map_err(broken)?;
                handshake.received(bytes).map_err(Failure::Socks)?;
            }
            Step::Done => return Ok(()),
        }
    }
}

async fn write_all(socket: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = poll(socket, |socket| socket.write(bytes)).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}

async fn read_exact(socket: &mut TcpStream, bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match poll(socket, |socket| socket.read(&mut bytes[filled..])).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}

/// Waits until an operation on the socket has an outcome.
pub async fn poll<T>(
    socket: &mut TcpStream,
    mut operation: impl FnMut(&mut PollSocket<'_, '_>) -> io::Result<T>,
) -> io::Result<T> {
    poll_fn(
        |context| match operation(&mut PollSocket::new(socket, context)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            outcome => Poll::Ready(outcome),
        },
    )
    .await
}
