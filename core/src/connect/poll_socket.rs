//! A socket of the event loop, as a reader and writer that never waits.

use std::{
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, Interest, ReadBuf},
    net::TcpStream,
};

use crate::connect::socket;

/// Returns `WouldBlock` instead of waiting. The task is woken when the socket is ready.
pub struct PollSocket<'a, 'b> {
    socket: &'a mut TcpStream,
    context: &'a mut Context<'b>,
}

impl<'a, 'b> PollSocket<'a, 'b> {
    pub fn new(socket: &'a mut TcpStream, context: &'a mut Context<'b>) -> Self {
        Self { socket, context }
    }

    fn send(&mut self, write: impl Fn(&SockRef<'_>) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match self.socket.poll_write_ready(self.context) {
                Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
                Poll::Ready(ready) => ready?,
            }
            let socket = &*self.socket;
            match socket.try_io(Interest::WRITABLE, || write(&SockRef::from(socket))) {
                // The readiness was out of date.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

impl Read for PollSocket<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        match Pin::new(&mut *self.socket).poll_read(self.context, &mut buffer) {
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            Poll::Ready(outcome) => outcome.map(|()| buffer.filled().len()),
        }
    }
}

impl Write for PollSocket<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(|to| socket::send(to, bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send(|to| socket::send_vectored(to, parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
