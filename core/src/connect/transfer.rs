//! One exchange over a wire, as far as the socket goes without waiting.

use std::io::{Read, Write};

use crate::{
    connect::{
        failure::Failure,
        wire::{Broken, Wire},
    },
    http::exchange::{Close, Exchange},
    moment::Moment,
};

/// How often a connection at rest is looked at before its use. A server that goes on
/// and on sending what means nothing gets no more of a call's time.
pub const MAX_LOOKS: usize = 8;

/// What a driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something has come; the time to wait may be another now.
    Moved,
    /// Wait until the socket is ready.
    Blocked,
    /// The answer is there.
    Done,
}

/// A request as far as the wire has not taken it: its parts, one behind the other.
///
/// The wire copies what it takes. So it is handed a large body piece by piece.
#[derive(Default)]
pub struct Outgoing<'a> {
    parts: [&'a [u8]; 2],
    /// It does not fit in one piece.
    is_large: bool,
    /// The wire has taken something.
    has_begun: bool,
    /// All of it was written. That stays true: what TLS has to say later is no part of it.
    is_sent: bool,
}

impl<'a> Outgoing<'a> {
    /// A request that is not larger is sent in one piece.
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

/// Writes what is to be written, and reads once.
///
/// A server may answer before it has read the request, and close. So a write that
/// fails is no failure before a read has failed too.
pub fn advance<S: Read + Write>(
    wire: &mut Wire,
    socket: &mut S,
    outgoing: &mut Outgoing<'_>,
    exchange: &mut Exchange,
    now: impl Fn() -> Moment,
) -> Result<Progress, Failure> {
    let written = write(wire, socket, outgoing);
    // A server may have answered while it ended the handshake.
    if wire.holds_text() {
        return take(wire, exchange, now);
    }
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
            // Its answer may have come before what broke it, in the same read.
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
        // In one write with what ends the handshake.
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

/// Hands the exchange what the wire has decrypted.
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

/// Reads what came on a connection at rest. Returns whether it means nothing for
/// the next request.
///
/// TLS has messages of that kind. An answer that nobody asked for, or the end of
/// the connection, must not meet the next request.
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

/// What has come of an error is its answer, even if the connection breaks then.
fn broke(exchange: &mut Exchange, why: Broken) -> Result<Progress, Failure> {
    match exchange.closed(Close::Broken) {
        Ok(()) => Ok(Progress::Done),
        Err(_) => Err(Failure::Lost(why)),
    }
}
