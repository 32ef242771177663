//! A blocking socket, as a reader and writer that waits until a moment.

use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::TcpStream,
    time::Duration,
};

use socket2::SockRef;

#[cfg(unix)]
use crate::host::readiness::{self, Readiness};
use crate::{connect::socket, moment::Moment};

/// The shortest limit that is set: zero means none.
const SHORTEST: Duration = Duration::from_millis(1);

/// Returns `WouldBlock` when the moment has passed.
///
/// The limit is the socket's own (`SO_RCVTIMEO`, `SO_SNDTIMEO`). Setting it takes
/// two system calls, so a limit that is short enough is kept.
///
/// Linux may wait an eighth longer than it is told, as its timers are coarse. So
/// seven eighths of the time are set, and again of what is left then, until nothing
/// is left.
pub struct TimedSocket<'a> {
    pub socket: &'a TcpStream,
    /// The limit that the socket has.
    pub limit: &'a mut Duration,
    /// A write ends when something comes: a server may refuse a large request before it
    /// has read it, and read no more.
    pub is_watched: bool,
    pub until: Moment,
    pub now: fn() -> Moment,
}

impl TimedSocket<'_> {
    fn within_limit<T>(
        &mut self,
        mut operation: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        self.shorten()?;
        loop {
            match operation(self.socket) {
                // The system's limit begins anew.
                Err(error) if error.kind() == ErrorKind::Interrupted => self.shorten()?,
                Err(error) if is_limit(&error) => {
                    let left = self.left()?;
                    self.set_limit(left)?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sets the limit anew if it may last longer than the time.
    fn shorten(&mut self) -> io::Result<()> {
        let left = self.left()?;
        match self.limit.saturating_add(*self.limit / 8) > left {
            true => self.set_limit(left),
            false => Ok(()),
        }
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_sub((self.now)());
        match left.is_zero() {
            true => Err(ErrorKind::WouldBlock.into()),
            false => Ok(left),
        }
    }

    fn set_limit(&mut self, left: Duration) -> io::Result<()> {
        let limit = (left - left / 8).max(SHORTEST);
        self.socket.set_read_timeout(Some(limit))?;
        self.socket.set_write_timeout(Some(limit))?;
        *self.limit = limit;
        Ok(())
    }
}

impl TimedSocket<'_> {
    #[cfg(unix)]
    fn write_watched(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match socket::send_now(&SockRef::from(self.socket), bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match readiness::wait(self.socket, self.left()?) {
                        Readiness::Readable => return Err(ErrorKind::WouldBlock.into()),
                        Readiness::Writable | Readiness::Neither => {}
                    }
                }
                outcome => return outcome,
            }
        }
    }

    #[cfg(not(unix))]
    fn write_watched(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.within_limit(|to| socket::send(&SockRef::from(to), bytes))
    }
}

/// Windows says `TimedOut`.
fn is_limit(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        && error.raw_os_error() != Some(libc::ETIMEDOUT)
}

impl Read for TimedSocket<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.within_limit(|mut socket| socket.read(bytes))
    }
}

impl Write for TimedSocket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.is_watched {
            true => self.write_watched(bytes),
            false => self.within_limit(|to| socket::send(&SockRef::from(to), bytes)),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_watched {
            let first = parts.iter().find(|part| !part.is_empty());
            return first.map_or(Ok(0), |part| self.write_watched(part));
        }
        self.within_limit(|to| socket::send_vectored(&SockRef::from(to), parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
