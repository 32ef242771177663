//! Performs TLS handshakes.
//!
//! A verifier of the system may ask on the network whether a certificate is revoked, and cannot be
//! cancelled. So a separate thread receives the connection and the bytes from the server, and
//! verifies. A call whose time has passed does not wait for the thread, and other calls of the
//! client go on meanwhile. A verifier that only computes runs on the calling thread.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    mem,
    ops::RangeInclusive,
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

/// The length of the head of a TLS record.
const RECORD_HEAD: usize = 5;

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
    pub async fn perform(self, socket: &mut TcpStream, wire: Wire) -> Result<Wire, Failure> {
        let peer = self.peer;
        let failed = |why| Failure::Handshake(peer, why);
        let mut wire = wire.secured(self.config, self.name).map_err(failed)?;
        let mut arrived = Vec::new();
        loop {
            write(&mut wire, socket).await.map_err(failed)?;
            if !wire.is_handshaking() {
                if !arrived.is_empty() {
                    // A part of a record, for the exchange.
                    wire.receive(&arrived).map_err(failed)?;
                }
                return Ok(wire);
            }
            let outcome = match self.verifier_waits {
                true => {
                    let records = receive_records(socket, &mut arrived)
                        .await
                        .map_err(failed)?;
                    let read = read_elsewhere(wire, records)
                        .await
                        .map_err(Failure::Other)?;
                    wire = read.wire;
                    if read.outcome.is_err() {
                        send_alert(&mut wire, socket).await;
                    }
                    read.outcome
                }
                false => read_here(&mut wire, socket).await,
            };
            outcome
                .and_then(|()| check_end(&mut wire))
                .map_err(failed)?;
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

/// Sends an alert with the reason for a failure, if it can be sent at once.
async fn send_alert(wire: &mut Wire, socket: &mut TcpStream) {
    poll_fn(|context| {
        let _ = wire.write_to(&mut PollSocket::new(socket, context));
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

/// Takes the whole records from `arrived`, and first reads until there is one. A record in many small
/// pieces then needs one thread. At the end of the connection there may be none.
async fn receive_records(socket: &mut TcpStream, arrived: &mut Vec<u8>) -> Result<Vec<u8>, Broken> {
    let mut buffer = [0; 4096];
    loop {
        let length = records_length(arrived);
        if length > 0 {
            let rest = arrived.split_off(length);
            return Ok(mem::replace(arrived, rest));
        }
        let count = poll_fn(
            |context| match PollSocket::new(socket, context).read(&mut buffer) {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                outcome => Poll::Ready(outcome),
            },
        )
        .await?;
        if count == 0 {
            arrived.clear();
            return Ok(Vec::new());
        }
        arrived.extend_from_slice(&buffer[..count]);
    }
}

/// Returns the length of the whole records at the beginning of `bytes`. Bytes that are no records
/// count as some: rustls reports what is wrong with them.
fn records_length(bytes: &[u8]) -> usize {
    const HANDSHAKE_TYPES: RangeInclusive<u8> = 20..=23;
    let mut length = 0;
    while let Some(head) = bytes[length..].first_chunk::<RECORD_HEAD>() {
        if !HANDSHAKE_TYPES.contains(&head[0]) {
            return bytes.len();
        }
        let next = length + RECORD_HEAD + usize::from(u16::from_be_bytes([head[3], head[4]]));
        if next > bytes.len() {
            break;
        }
        length = next;
    }
    length
}

/// The result of a read on another thread.
struct ReadElsewhere {
    wire: Wire,
    outcome: Result<(), Broken>,
}

/// Decrypts records, and verifies, on a new thread. Without records, this is the end of the
/// connection. The thread keeps the connection if this future is dropped.
async fn read_elsewhere(mut wire: Wire, records: Vec<u8>) -> Result<ReadElsewhere, Error> {
    let (sender, receiver) = oneshot::channel();
    threads::spawn("zelf-tls", STACK_SIZE, move || {
        let read = panics::catch(|| {
            let outcome = match &records[..] {
                [] => wire.read_from(&mut NoSocket),
                records => wire.receive(records),
            };
            ReadElsewhere { wire, outcome }
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

/// A connection that the peer has closed.
struct NoSocket;

impl Read for NoSocket {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for NoSocket {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x01\x00";

    #[test]
    fn whole_records_are_taken_and_a_part_of_one_is_not() {
        for parts in 0..ALERT.len() {
            assert_eq!(records_length(&ALERT[..parts]), 0);
            assert_eq!(
                records_length(&[ALERT, ALERT, &ALERT[..parts]].concat()),
                14
            );
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_taken_at_once() {
        assert_eq!(records_length(b"HTTP/1.1 400"), 12);
        assert_eq!(records_length(&[ALERT, b"HTTP/1.1"].concat()), 15);
    }
}
