//! A connection of blocking calls. Later calls use it again.

use std::{net::TcpStream, time::Duration};

use socket2::SockRef;

use crate::{
    blocking::timed_socket::TimedSocket,
    connect::{
        failure::{Awaited, Failure},
        socket::{self, Incoming},
        transfer::{MAX_LOOKS, Outgoing, Progress, advance, means_nothing},
        wire::Wire,
    },
    http::exchange::{Close, Exchange, Rules, Whole},
    moment::Moment,
};

/// The time limit for a read when bytes are already there.
const BRIEF: Duration = Duration::from_secs(1);

pub struct Connection {
    socket: TcpStream,
    wire: Wire,
    exchange: Exchange,
    /// The last request was sent completely.
    is_sent: bool,
    /// The time limit that is set on the socket.
    limit: Duration,
    now: fn() -> Moment,
}

impl Connection {
    pub fn new(socket: TcpStream, wire: Wire, exchange: Exchange, now: fn() -> Moment) -> Self {
        Self {
            socket,
            wire,
            exchange,
            is_sent: false,
            limit: Duration::MAX,
            now,
        }
    }

    /// Sends a request and reads its answer by these rules, until `deadline`.
    pub fn exchange(
        &mut self,
        mut outgoing: Outgoing<'_>,
        rules: Rules,
        deadline: Moment,
    ) -> Result<(), Failure> {
        self.exchange.begin_with(rules);
        let outcome = self.advance(&mut outgoing, deadline);
        self.is_sent = outgoing.is_sent();
        outcome
    }

    fn advance(&mut self, outgoing: &mut Outgoing<'_>, deadline: Moment) -> Result<(), Failure> {
        loop {
            let error_body_until = self.exchange.error_body_until();
            let until = error_body_until.map_or(deadline, |until| until.min(deadline));
            let socket = &mut TimedSocket {
                socket: &self.socket,
                limit: &mut self.limit,
                is_watched: outgoing.is_large(),
                until,
                now: self.now,
            };
            match advance(
                &mut self.wire,
                socket,
                outgoing,
                &mut self.exchange,
                self.now,
            )? {
                Progress::Done => return Ok(()),
                Progress::Moved => {}
                // The time for the rest of an error's body has passed, so use what has arrived.
                Progress::Blocked if self.exchange.closed(Close::Broken).is_ok() => return Ok(()),
                Progress::Blocked => {
                    let awaited = Awaited::of_answer(self.exchange.status());
                    return Err(Failure::OutOfTime(awaited));
                }
            }
        }
    }

    /// Returns whether another request may use this connection.
    pub fn may_be_used_again(&self) -> bool {
        self.is_sent && self.exchange.may_be_followed() && !self.wire.has_ended()
    }

    /// Returns whether the server may have received the whole last request.
    pub fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Takes the answer of the last exchange.
    pub fn take_answer(&mut self) -> Whole {
        self.exchange.take()
    }

    /// Returns the last exchange.
    pub fn last(&self) -> &Exchange {
        &self.exchange
    }

    /// Checks that nothing has arrived since the last exchange.
    pub fn is_quiet(&mut self) -> bool {
        for _ in 0..MAX_LOOKS {
            match socket::look(&SockRef::from(&self.socket)) {
                Incoming::Nothing => return true,
                Incoming::End => return false,
                Incoming::Bytes => {}
            }
            // Bytes have arrived, so this does not wait.
            let socket = &mut TimedSocket {
                socket: &self.socket,
                limit: &mut self.limit,
                is_watched: false,
                until: (self.now)() + BRIEF,
                now: self.now,
            };
            if !means_nothing(&mut self.wire, socket, &mut self.exchange) {
                return false;
            }
        }
        false
    }

    /// Overwrites the last answer with zeros.
    pub fn forget_answer(&mut self) {
        self.exchange.begin();
    }
}
