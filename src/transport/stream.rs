//! A socket that cannot raise SIGPIPE.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What HTTP is spoken over: plain or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A socket that is still in sight when HTTP has taken it.
#[derive(Clone)]
pub(super) struct Socket(Arc<Mutex<TcpStream>>);

/// What has come in and has not been read.
pub(super) enum Incoming {
    Nothing,
    Bytes,
    /// The server has closed it, or it has broken.
    End,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// Looks, past the event loop, and waits for nothing.
    pub(super) fn incoming(&self) -> Incoming {
        match SockRef::from(&*self.lock()).peek(&mut [MaybeUninit::uninit()]) {
            Ok(0) => Incoming::End,
            Ok(_) => Incoming::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Incoming::Nothing,
            Err(_) => Incoming::End,
        }
    }

    fn lock(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plain writes only. The standard library passes `MSG_NOSIGNAL` with those
/// and not with vectored ones, which TLS would use: a server that resets the
/// connection would kill a host that left SIGPIPE at its default. Blocking the
/// signal instead takes three system calls for every call of ours.
pub(super) struct QuietStream(pub(super) Socket);

impl AsyncRead for QuietStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(context, buffer)
    }
}

// `poll_write_vectored` keeps its default, which is a plain write.
impl AsyncWrite for QuietStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(context)
    }
}
