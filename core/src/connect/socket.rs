//! System calls on a socket that differ between systems.
//!
//! No write raises SIGPIPE here. Otherwise a server that resets the connection would kill a host
//! that does not handle the signal. The standard library passes `MSG_NOSIGNAL` with plain writes,
//! but not with vectored ones.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::TcpStream,
};

use socket2::SockRef;

use crate::host::system::{LOOK, NO_SIGNAL, NOW, SOCKETS_HAVE_LIMITS};

/// Prepares a socket of an event loop for blocking calls.
pub fn prepare_for_blocking(socket: &TcpStream) -> io::Result<()> {
    socket.set_nonblocking(!SOCKETS_HAVE_LIMITS)
}

pub fn send(socket: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL)
}

/// Sends the bytes that can be sent without waiting.
pub fn send_now(socket: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL | NOW)
}

pub fn send_vectored(socket: &SockRef<'_>, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    match parts {
        [one] => send(socket, one),
        parts => socket.send_vectored_with_flags(parts, NO_SIGNAL),
    }
}

/// The result of looking at the unread bytes of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    Nothing,
    Bytes,
    /// The server has closed the connection, or it has broken.
    End,
}

/// Looks at a socket without waiting.
pub fn look(socket: &SockRef<'_>) -> Incoming {
    let mut byte = [MaybeUninit::uninit()];
    match socket.recv_with_flags(&mut byte, LOOK) {
        Ok(0) => Incoming::End,
        Ok(_) => Incoming::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Incoming::Nothing,
        Err(_) => Incoming::End,
    }
}
