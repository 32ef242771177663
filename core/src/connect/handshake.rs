//! Performs TLS handshakes.
//!
//! A verifier of the system may ask on the network whether a certificate is revoked, and cannot be
//! cancelled. So a separate thread receives the connection and the bytes from the server, and
//! verifies. A call whose time has passed does not wait for the thread, and other calls of the
//! client go on meanwhile. A verifier that only computes runs on the calling thread.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    sync::Arc,
    task::Poll,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, sync::oneshot};

use crate::{
    connect::{
        failure::{Failure, Peer},
        poll_socket::PollSocket,
        wire::{Broken, Wire},
    },
    error::{Error, Status},
    host::{panics, threads},
};

/// The system's verifier runs on this stack. On Android it calls Java.
const STACK_SIZE: usize = 1024 * 1024;

/// How many bytes the verifying thread receives at once. Their plain text fits into the buffer of
/// rustls.
const MAX_RECEIVED: usize = 4096;

pub struct Handshake {
    pub config: Arc<ClientConfig>,
    /// The expected name of the peer.
    pub name: ServerName<'static>,
    pub peer: Peer,
    /// The verifier may wait for the network.
    pub verifier_waits: bool,
}

impl Handshake {
    /// Adds a layer of TLS to `wire`, and completes its handshake. Its last message is sent later,
    /// together with the request.
    ///
    /// `early`: bytes of the lower layer that have arrived and were not read.
    pub async fn perform(
        self,
        socket: &mut TcpStream,
        wire: Wire,
        early: &[u8],
    ) -> Result<Wire, Failure> {
        let mut wire = wire
            .secured(self.config, self.name, early)
            .map_err(|why| Failure::Handshake(self.peer, why))?;
        loop {
            write(&mut wire, socket)
                .await
                .map_err(|why| Failure::Handshake(self.peer, why))?;
            if !wire.is_handshaking() {
                return Ok(wire);
            }
            let outcome = match self.verifier_waits {
                true => {
                    let received = receive(socket)
                        .await
                        .map_err(|why| Failure::Handshake(self.peer, why))?;
                    let read = read_elsewhere(wire, received);
                    let read = read.await.map_err(Failure::NotHere)?;
                    wire = read.wire;
                    if !read.alert.is_empty() {
                        try_write(socket, &read.alert).await;
                    }
                    read.outcome
                }
                false => read_here(&mut wire, socket).await,
            };
            outcome
                .and_then(|()| check_end(&mut wire))
                .map_err(|why| Failure::Handshake(self.peer, why))?;
        }
    }
}

/// Writes the messages of the handshake.
async fn write(wire: &mut Wire, socket: &mut TcpStream) -> Result<(), Broken> {
    poll_fn(|context| {
        if !wire.is_handshaking() || !wire.wants_write() {
            return Poll::Ready(Ok(()));
        }
        match wire.write_to(&mut PollSocket::new(socket, context)) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            outcome => Poll::Ready(outcome.map_err(Broken::Io)),
        }
    })
    .await
}

/// Writes an alert with the reason for a failure, if it can be written at once.
async fn try_write(socket: &mut TcpStream, alert: &[u8]) {
    poll_fn(|context| {
        let _ = PollSocket::new(socket, context).write(alert);
        Poll::Ready(())
    })
    .await;
}

/// Reads once, and verifies.
async fn read_here(wire: &mut Wire, socket: &mut TcpStream) -> Result<(), Broken> {
    poll_fn(
        |context| match wire.read_from(&mut PollSocket::new(socket, context)) {
            Err(why) if why.would_block() => Poll::Pending,
            outcome => Poll::Ready(outcome),
        },
    )
    .await
}

/// Returns bytes from the peer. At the end of the connection there are none.
async fn receive(socket: &mut TcpStream) -> Result<Vec<u8>, Broken> {
    let mut received = vec![0; MAX_RECEIVED];
    let count = poll_fn(
        |context| match PollSocket::new(socket, context).read(&mut received) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            outcome => Poll::Ready(outcome),
        },
    )
    .await?;
    received.truncate(count);
    Ok(received)
}

/// The result of a read on another thread.
struct ReadElsewhere {
    wire: Wire,
    outcome: Result<(), Broken>,
    /// Bytes for the peer.
    alert: Vec<u8>,
}

/// Reads the received bytes, and verifies, on a new thread. The thread keeps the connection if this
/// future is dropped.
async fn read_elsewhere(mut wire: Wire, received: Vec<u8>) -> Result<ReadElsewhere, Error> {
    let (sender, receiver) = oneshot::channel();
    threads::spawn("zelf-tls", STACK_SIZE, move || {
        let read = panics::catch(|| {
            let mut memory = Memory {
                received: &received,
                alert: Vec::new(),
            };
            let outcome = loop {
                match wire.read_from(&mut memory) {
                    Ok(()) if !memory.received.is_empty() => {}
                    outcome => break outcome,
                }
            };
            ReadElsewhere {
                wire,
                outcome,
                alert: memory.alert,
            }
        });
        // The receiver is gone if the call no longer waits.
        let _ = sender.send(read);
    })?;
    receiver.await.unwrap_or_else(|_| {
        Err(Error::new(
            Status::Panic,
            "the thread of a TLS handshake has ended early".to_owned(),
        ))
    })
}

/// Bytes that have arrived, in place of a socket.
struct Memory<'a> {
    received: &'a [u8],
    alert: Vec<u8>,
}

impl Read for Memory<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.received.read(bytes)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.alert.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns an error if the peer has closed the connection in the middle of the handshake.
fn check_end(wire: &mut Wire) -> Result<(), Broken> {
    // Bytes behind the handshake are for the exchange.
    if !wire.is_handshaking() {
        return Ok(());
    }
    let end = wire.take(|_| Ok::<(), Broken>(()))?;
    match end.is_some() && wire.is_handshaking() {
        true => Err(Broken::Io(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it ended during the TLS handshake",
        ))),
        false => Ok(()),
    }
}
