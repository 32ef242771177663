//! System calls on a socket that differ between systems.
//!
//! No write here raises SIGPIPE. A server that resets the connection would kill a
//! host that left the signal at its default. The standard library passes
//! `MSG_NOSIGNAL` with plain writes and not with vectored ones.

use std::io::{self, IoSlice};

use socket2::SockRef;

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
const NO_SIGNAL: libc::c_int = libc::MSG_NOSIGNAL;
/// Apple's systems have an option of the socket instead, which the standard
/// library sets. Windows has no such signal.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
)))]
const NO_SIGNAL: libc::c_int = 0;

pub fn send(socket: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL)
}

/// Sends what can be sent without waiting.
#[cfg(unix)]
pub fn send_now(socket: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    socket.send_with_flags(bytes, NO_SIGNAL | libc::MSG_DONTWAIT)
}

pub fn send_vectored(socket: &SockRef<'_>, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    match parts {
        [one] => send(socket, one),
        parts => socket.send_vectored_with_flags(parts, NO_SIGNAL),
    }
}

/// What has come in and has not been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    Nothing,
    Bytes,
    /// The server has closed the connection, or it has broken.
    End,
}

/// Looks at a blocking socket without waiting.
#[cfg(unix)]
pub fn look(socket: &SockRef<'_>) -> Incoming {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    let peeked = socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT);
    incoming(peeked)
}

#[cfg(not(unix))]
pub fn look(socket: &SockRef<'_>) -> Incoming {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    if socket.set_nonblocking(true).is_err() {
        return Incoming::End;
    }
    let peeked = socket.peek(&mut byte);
    match socket.set_nonblocking(false) {
        Ok(()) => incoming(peeked),
        Err(_) => Incoming::End,
    }
}

fn incoming(peeked: io::Result<usize>) -> Incoming {
    match peeked {
        Ok(0) => Incoming::End,
        Ok(_) => Incoming::Bytes,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Incoming::Nothing,
        Err(_) => Incoming::End,
    }
}
