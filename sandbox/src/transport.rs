//! A connection's bytes, and the socket under them.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long a closed connection is read on, so that the kernel does not turn
/// our FIN into a RST because of bytes nobody read.
const LINGER: Duration = Duration::from_secs(1);

/// Bytes with or without TLS, over a TCP socket that faults can get at.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + Sized {
    fn tcp(&mut self) -> &mut TcpStream;

    /// Ends the connection as a healthy server does: `close_notify`, FIN.
    fn close(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let _ = self.shutdown().await;
            linger(self.tcp()).await;
        }
    }

    /// Ends it as a server that went away: FIN alone.
    fn hang_up(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let _ = self.tcp().shutdown().await;
            linger(self.tcp()).await;
        }
    }

    /// Ends it with a RST.
    fn reset(mut self) {
        let _ = self.tcp().set_zero_linger();
    }

    /// Does nothing until the client has gone away.
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

/// Waits for the client's FIN or RST without reading what it sent before.
async fn gone(tcp: &TcpStream) {
    while let Ok(ready) = tcp.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // Forget this readiness; the next event brings another.
        let _ = tcp.try_io(Interest::READABLE, || {
            io::Result::<()>::Err(io::ErrorKind::WouldBlock.into())
        });
    }
}
