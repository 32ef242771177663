//! Whether a socket is ready to be read or written.

use std::{io, time::Duration};

use socket2::Socket;

use crate::host::system;
pub use crate::host::system::{Readiness, Wish};

/// Waits for a socket, for at most this time. A signal may end the wait early.
pub fn wait(socket: &Socket, wish: Wish, time: Duration) -> io::Result<Readiness> {
    system::wait(socket, wish, time)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        net::{TcpListener, TcpStream},
    };

    use socket2::SockRef;

    use super::*;

    #[test]
    fn a_socket_is_writable_until_something_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let long = Duration::from_secs(10);
        assert_eq!(
            wait(&SockRef::from(&socket), Wish::Either, long).unwrap(),
            Readiness::Writable
        );
        peer.write_all(b"x").unwrap();
        while wait(&SockRef::from(&socket), Wish::Either, long).unwrap() != Readiness::Readable {}
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(
            wait(
                &SockRef::from(&listener),
                Wish::Either,
                Duration::from_millis(1)
            )
            .unwrap(),
            Readiness::Neither
        );
    }
}
