//! What a socket is ready for.

use std::{io, os::fd::AsRawFd, time::Duration};

/// What a wait for a socket has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Something has come, or the connection has ended.
    Readable,
    Writable,
    /// The time is over.
    Neither,
}

/// Waits until something can be read or written. A signal ends the wait early.
pub fn wait(socket: &impl AsRawFd, time: Duration) -> Readiness {
    let mut asked = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN | libc::POLLOUT,
        revents: 0,
    };
    // Rounded up: a wait of 0 ms would be repeated again and again.
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // SAFETY: one entry, with a descriptor that is open as long as it is borrowed.
    let count = unsafe { libc::poll(&mut asked, 1, milliseconds) };
    match count {
        // What is wrong with it, the next read says.
        -1 if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted => {
            Readiness::Readable
        }
        ..=0 => Readiness::Neither,
        _ if asked.revents & !libc::POLLOUT != 0 => Readiness::Readable,
        _ => Readiness::Writable,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[test]
    fn a_socket_is_writable_until_something_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let long = Duration::from_secs(10);
        assert_eq!(wait(&socket, long), Readiness::Writable);
        peer.write_all(b"x").unwrap();
        while wait(&socket, long) != Readiness::Readable {}
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(
            wait(&listener, Duration::from_millis(1)),
            Readiness::Neither
        );
    }
}
