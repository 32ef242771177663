//! A blocking socket as a reader and writer with a deadline.

use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::TcpStream,
    time::Duration,
};

use socket2::SockRef;

use crate::{
    connect::socket,
    host::{
        readiness::{self, Readiness, Wish},
        system,
    },
    moment::Moment,
};

/// The shortest limit that can be set: zero would mean no limit.
const SHORTEST: Duration = Duration::from_millis(1);

/// Returns `WouldBlock` when `until` has passed.
///
/// The limit is that of the socket (`SO_RCVTIMEO`, `SO_SNDTIMEO`). It takes two system calls to set
/// it, so a limit that is short enough is kept.
///
/// The timers of Linux are coarse, and may wait an eighth longer than the limit. So the limit is
/// set to seven eighths of the remaining time, repeatedly, until the time has passed.
///
/// On Windows sockets have no useful limits. There, the socket does not block, and a wait comes
/// before each further attempt.
pub struct TimedSocket<'a> {
    pub socket: &'a TcpStream,
    /// The limit that is set on the socket.
    pub limit: &'a mut Duration,
    /// Stops a write when bytes arrive: a server may refuse a large request before it has read all
    /// of it, and then read no more.
    pub is_watched: bool,
    pub until: Moment,
    pub now: fn() -> Moment,
}

impl TimedSocket<'_> {
    /// Runs an operation that the socket can carry out when `wish` is fulfilled.
    fn within_limit<T>(
        &mut self,
        wish: Wish,
        mut operation: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> io::Result<T> {
        self.shorten()?;
        loop {
            match operation(self.socket) {
                Err(error) if system::is_limit(&error) && !system::SOCKETS_HAVE_LIMITS => {
                    readiness::wait(&SockRef::from(self.socket), wish, self.left()?)?;
                }
                // The system restarts its limit after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => self.shorten()?,
                Err(error) if system::is_limit(&error) => {
                    let left = self.left()?;
                    self.set_limit(left)?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sets a new limit if the current one may end after `until`.
    fn shorten(&mut self) -> io::Result<()> {
        let left = self.left()?;
        if !system::SOCKETS_HAVE_LIMITS {
            return Ok(());
        }
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
    fn write_watched(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match socket::send_now(&SockRef::from(self.socket), bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let socket = SockRef::from(self.socket);
                    match readiness::wait(&socket, Wish::Either, self.left()?)? {
                        Readiness::Readable => return Err(ErrorKind::WouldBlock.into()),
                        Readiness::Writable | Readiness::Neither => {}
                    }
                }
                outcome => return outcome,
            }
        }
    }
}

impl Read for TimedSocket<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.within_limit(Wish::Read, |mut socket| socket.read(bytes))
    }
}

impl Write for TimedSocket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.is_watched {
            true => self.write_watched(bytes),
            false => self.within_limit(Wish::Write, |to| socket::send(&SockRef::from(to), bytes)),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_watched {
            let first = parts.iter().find(|part| !part.is_empty());
            return first.map_or(Ok(0), |part| self.write_watched(part));
        }
        self.within_limit(Wish::Write, |to| {
            socket::send_vectored(&SockRef::from(to), parts)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
