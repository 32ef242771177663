//! A connection's bytes, and the socket below them.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long to read from a closed connection. With unread bytes, the kernel would send a RST
/// instead of a FIN.
const LINGER: Duration = Duration::from_secs(1);

/// A connection with or without TLS, whose TCP socket is accessible for faults.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + Sized {
    fn tcp(&mut self) -> &mut TcpStream;

    /// Ends the connection like a healthy server: `close_notify`, then FIN.
    fn close(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let _ = self.shutdown().await;
            linger(self.tcp()).await;
        }
    }

    /// Ends the connection like a server that has crashed: only FIN.
    fn hang_up(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let _ = self.tcp().shutdown().await;
            linger(self.tcp()).await;
        }
    }

    /// Ends the connection with a RST.
    fn reset(mut self) {
        let _ = self.tcp().set_zero_linger();
    }

    /// Does nothing until the client has closed the connection.
    fn stall(mut self) -> impl Future<Output = ()> + Send {
        async move { gone(self.tcp()).await }
    }
}

impl Transport for TcpStream {
    fn tcp(&mut self) -> &mut TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&mut self) -> &mut TcpStream {
        self.get_mut().0
    }
}

async fn linger(tcp: &mut TcpStream) {
    let mut rest = [0; 4096];
    let all = async { while tcp.read(&mut rest).await.is_ok_and(|length| length > 0) {} };
    let _ = timeout(LINGER, all).await;
}

/// Waits for the client's FIN or RST without reading the bytes before it.
async fn gone(tcp: &TcpStream) {
    while let Ok(ready) = tcp.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // Clear this readiness. The next event sets it again.
        let _ = tcp.try_io(Interest::READABLE, || {
            io::Result::<()>::Err(io::ErrorKind::WouldBlock.into())
        });
    }
}
