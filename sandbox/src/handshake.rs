//! The server's side of a TLS handshake, and its faults.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::connection::strike;
use crate::fault::Listener;
use crate::fault_kind::FaultKind;
use crate::schedule::Point;
use crate::state::State;
use crate::sync::wait;
use crate::transport::Transport as _;

/// How long a client may take for its handshake.
const PATIENCE: Duration = Duration::from_secs(60);

/// Performs the handshake. Returns `None` if the connection has ended.
pub async fn handshake(
    state: &State,
    stream: TcpStream,
    number: usize,
) -> Option<TlsStream<TcpStream>> {
    let mut config = Arc::clone(&state.tls.good);
    for fault in state.faults.strike(Point::Tls, Listener::Https) {
        state.log(|| format!("connection {number} fault={fault}"));
        match fault {
            FaultKind::Delay { ms, .. } => wait(Duration::from_millis(ms)).await,
            FaultKind::Certificate { wrong, hang_up } => {
                config = Arc::clone(state.tls.wrong(wrong));
                if hang_up {
                    let _ = flight_and_hang_up(config, stream).await;
                    return None;
                }
            }
            fault => {
                after_client_hello(stream, &fault).await;
                return None;
            }
        }
    }
    match timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            state.log(|| format!("connection {number} handshake failed: {error}"));
            None
        }
        Err(_) => {
            state.log(|| format!("connection {number} handshake took too long"));
            None
        }
    }
}

async fn after_client_hello(mut stream: TcpStream, fault: &FaultKind) {
    let mut hello = [0; 4096];
    if stream.read(&mut hello).await.is_ok_and(|length| length > 0) {
        strike(stream, fault).await;
    }
}

/// Sends the server's whole flight, a FIN and a RST, without waiting for the client. The client's
/// alert about the certificate is then sent on a dead socket, which raises a SIGPIPE in a program
/// that does not prevent it.
async fn flight_and_hang_up(config: Arc<ServerConfig>, mut stream: TcpStream) -> io::Result<()> {
    let mut tls = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    let mut piece = [0; 4096];
    while !tls.wants_write() {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        tls.read_tls(&mut &piece[..length])?;
        tls.process_new_packets().map_err(io::Error::other)?;
    }
    let mut flight = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut flight)?;
    }
    stream.write_all(&flight).await?;
    stream.shutdown().await?;
    stream.reset();
    Ok(())
}
