//! One exchange over a wire, as far as it can proceed without waiting.

use std::io::{Read, Write};

use crate::{
    connect::{
        failure::Failure,
        wire::{Broken, Wire},
    },
    host::refusals,
    http::{
        exchange::{Close, Exchange},
        no_answer::NoAnswer,
    },
    moment::Moment,
};

/// How many times bytes on an idle connection are read before its use. A server that continues to
/// send irrelevant bytes must not delay a call.
pub const MAX_LOOKS: usize = 8;

/// The result of [`advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes have arrived, so the time to wait may be different now.
    Moved,
    /// The socket is not ready.
    Blocked,
    /// The answer is complete.
    Done,
}

/// The unsent rest of a request: its head, then its body.
///
/// The wire copies the bytes that it gets, so a large body is passed to it in pieces.
#[derive(Default)]
pub struct Outgoing<'a> {
    parts: [&'a [u8]; 2],
    /// The request is larger than one piece.
    is_large: bool,
    /// The first piece was passed to the wire.
    has_begun: bool,
    /// The whole request was written. Later messages of TLS do not change this.
    is_sent: bool,
}

impl<'a> Outgoing<'a> {
    /// A request up to this size is sent in one piece.
    pub const PIECE: usize = 16 * 1024;

    pub fn new(head: &'a [u8], body: &'a [u8]) -> Self {
        Self {
            parts: [head, body],
            is_large: head.len() + body.len() > Self::PIECE,
            has_begun: false,
            is_sent: false,
        }
    }

    pub fn is_sent(&self) -> bool {
        self.is_sent
    }

    pub fn is_large(&self) -> bool {
        self.is_large
    }

    fn next(&mut self) -> &'a [u8] {
        self.has_begun = true;
        let Some(part) = self.parts.iter_mut().find(|part| !part.is_empty()) else {
            return &[];
        };
        let (piece, rest) = part.split_at(part.len().min(Self::PIECE));
        *part = rest;
        piece
    }
}

/// Writes as much of the request as possible, and reads once.
///
/// A server may answer before it has read the whole request, and then close the connection. So a
/// failed write is not a failure until a read has failed too. If the system refuses to write the
/// request, and no answer has begun, that is a failure at once: the server waits for the request.
pub fn advance<S: Read + Write>(
    wire: &mut Wire,
    socket: &mut S,
    outgoing: &mut Outgoing<'_>,
    exchange: &mut Exchange,
    now: impl Fn() -> Moment,
) -> Result<Progress, Failure> {
    let written = write(wire, socket, outgoing);
    // The server may have sent its answer together with the end of the handshake.
    if wire.holds_text() {
        return take(wire, exchange, now);
    }
    let written = match written {
        Err(why) if refusals::is_refusal(&why) && !outgoing.is_sent() && !exchange.has_heard() => {
            return broke(exchange, Broken::Io(why));
        }
        written => written,
    };
    match wire.read_from(socket) {
        Ok(()) => {}
        Err(broken) if broken.would_block() => {
            return match written {
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
                    broke(exchange, Broken::Io(error))
                }
                _ => Ok(Progress::Blocked),
            };
        }
        Err(broken) => {
            // The same read may have brought the answer and then the error.
            return match take(wire, exchange, now) {
                Ok(Progress::Done) => Ok(Progress::Done),
                _ => broke(exchange, broken),
            };
        }
    }
    take(wire, exchange, now)
}

fn write<S: Write>(
    wire: &mut Wire,
    socket: &mut S,
    outgoing: &mut Outgoing<'_>,
) -> std::io::Result<()> {
    if !outgoing.has_begun {
        // This is one write with the last message of the handshake.
        wire.send(outgoing.next())?;
    }
    loop {
        if wire.wants_write() {
            wire.write_to(socket)?;
        }
        match outgoing.next() {
            [] => {
                outgoing.is_sent = true;
                return Ok(());
            }
            piece => wire.send(piece)?,
        }
    }
}

/// Passes the decrypted bytes to the exchange.
fn take(
    wire: &mut Wire,
    exchange: &mut Exchange,
    now: impl Fn() -> Moment,
) -> Result<Progress, Failure> {
    let end = wire
        .take(|bytes| exchange.received(bytes, now()).map(drop))
        .map_err(Failure::Answer)?;
    match end {
        _ if exchange.is_done() => Ok(Progress::Done),
        None => Ok(Progress::Moved),
        Some(end) => exchange
            .closed(end)
            .map(|()| Progress::Done)
            .map_err(Failure::Answer),
    }
}

/// Reads the bytes on an idle connection. Returns whether they are irrelevant for the next request.
///
/// TLS has such messages. If the bytes are an unexpected answer, or the end of the connection, it
/// must not be used.
pub fn means_nothing<S: Read + Write>(
    wire: &mut Wire,
    socket: &mut S,
    exchange: &mut Exchange,
) -> bool {
    exchange.begin();
    let now = || Moment::ZERO;
    wire.read_from(socket).is_ok()
        && matches!(take(wire, exchange, now), Ok(Progress::Moved))
        && !exchange.has_heard()
}

/// Ends an exchange whose connection broke. The part of an error that has arrived is its answer.
fn broke(exchange: &mut Exchange, why: Broken) -> Result<Progress, Failure> {
    match exchange.closed(Close::Broken) {
        Ok(()) => Ok(Progress::Done),
        Err(NoAnswer::Ended) => Err(Failure::Lost(why)),
        Err(failure) => Err(Failure::Answer(failure)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};

    use super::*;
    use crate::http::{exchange::Rules, head::Method};

    const RULES: Rules = Rules {
        method: Method::Usual,
        max_body: 1000,
        error_body_time: None,
        is_whole: |_| true,
    };

    /// Fails every write with this error, and has nothing to read.
    struct Unwritable {
        why: ErrorKind,
        reads: u32,
    }

    impl Read for Unwritable {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.reads += 1;
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Unwritable {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.why.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reads_after(why: ErrorKind) -> u32 {
        let mut socket = Unwritable { why, reads: 0 };
        let outcome = advance(
            &mut Wire::default(),
            &mut socket,
            &mut Outgoing::new(b"GET / HTTP/1.1\r\n\r\n", b""),
            &mut Exchange::new(RULES),
            || Moment::ZERO,
        );
        let Err(Failure::Lost(Broken::Io(error))) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(error.kind(), why);
        socket.reads
    }

    #[test]
    fn no_answer_is_awaited_after_a_write_that_the_system_refuses() {
        assert_eq!(reads_after(ErrorKind::OutOfMemory), 0);
    }

    #[test]
    fn an_answer_is_read_after_a_write_that_the_server_ends() {
        assert_eq!(reads_after(ErrorKind::BrokenPipe), 1);
    }
}
