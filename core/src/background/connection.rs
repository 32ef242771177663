//! A connection that an asynchronous call uses, and the next one again.

use std::{
    cell::Cell,
    future::poll_fn,
    io::{self, Read, Write},
    task::Poll,
};

use socket2::SockRef;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    connect::{
        failure::{Awaited, Failure},
        poll_socket::PollSocket,
        socket::{self, Incoming},
        transfer::{MAX_LOOKS, Outgoing, Progress, advance, means_nothing},
        wire::Wire,
    },
    http::exchange::{Close, Exchange, Rules, Whole},
    moment::Moment,
};

pub struct Connection {
    socket: TcpStream,
    wire: Wire,
    exchange: Exchange,
    /// The whole of the last request was written.
    is_sent: bool,
    now: fn() -> Moment,
}

impl Connection {
    pub fn new(socket: TcpStream, wire: Wire, exchange: Exchange, now: fn() -> Moment) -> Self {
        Self {
            socket,
            wire,
            exchange,
            is_sent: false,
            now,
        }
    }

    /// Sends a request and reads its answer, by these rules. The caller bounds it in
    /// time, and drops a connection of which it has dropped this. `waits_for` is told
    /// when the answer has begun.
    pub async fn exchange(
        &mut self,
        mut outgoing: Outgoing<'_>,
        rules: Rules,
        deadline: Moment,
        waits_for: &Cell<Awaited>,
    ) -> Result<(), Failure> {
        self.exchange.begin_with(rules);
        let outgoing = &mut outgoing;
        let outcome = self.run(outgoing, deadline, waits_for).await;
        self.is_sent = outgoing.is_sent();
        outcome
    }

    async fn run(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        deadline: Moment,
        waits_for: &Cell<Awaited>,
    ) -> Result<(), Failure> {
        if self.advance(outgoing, true, waits_for).await? == Progress::Done {
            return Ok(());
        }
        // The rest of an error is waited for a while.
        let until = self.exchange.error_body_until().unwrap_or_default();
        // What has come of it is handed out at the call's end too.
        let until = until.min(deadline);
        let left = until.saturating_sub((self.now)());
        match timeout(left, self.advance(outgoing, false, waits_for)).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => self.exchange.closed(Close::Broken).map_err(Failure::Answer),
        }
    }

    /// Goes on until the answer is there, or where that is asked for until an
    /// error's head is there.
    async fn advance(
        &mut self,
        outgoing: &mut Outgoing<'_>,
        stops_at_error: bool,
        waits_for: &Cell<Awaited>,
    ) -> Result<Progress, Failure> {
        let Self {
            socket,
            wire,
            exchange,
            now,
            ..
        } = self;
        poll_fn(|context| {
            let socket = &mut PollSocket::new(socket, context);
            loop {
                let progress = advance(wire, socket, outgoing, exchange, *now);
                waits_for.set(Awaited::of_answer(exchange.status()));
                match progress {
                    Ok(Progress::Moved)
                        if stops_at_error && exchange.error_body_until().is_some() =>
                    {
                        return Poll::Ready(Ok(Progress::Moved));
                    }
                    Ok(Progress::Moved) => {}
                    Ok(Progress::Blocked) => return Poll::Pending,
                    outcome => return Poll::Ready(outcome),
                }
            }
        })
        .await
    }

    /// Whether the next request may go over this connection too.
    pub fn may_be_used_again(&self) -> bool {
        self.is_sent && self.exchange.may_be_followed() && !self.wire.has_ended()
    }

    /// Whether the server may have the whole of the last request.
    pub fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// Takes the answer of the last exchange out.
    pub fn take_answer(&mut self) -> Whole {
        self.exchange.take()
    }

    /// Returns what the last exchange has brought.
    pub fn last(&self) -> &Exchange {
        &self.exchange
    }

    /// Looks whether the connection is as the last exchange has left it.
    pub fn is_quiet(&mut self) -> bool {
        for _ in 0..MAX_LOOKS {
            match socket::look(&SockRef::from(&self.socket)) {
                Incoming::Nothing => return true,
                Incoming::End => return false,
                Incoming::Bytes => {}
            }
            // Past the event loop, which does not yet know of them.
            let socket = &mut Direct(SockRef::from(&self.socket));
            if !means_nothing(&mut self.wire, socket, &mut self.exchange) {
                return false;
            }
        }
        false
    }

    /// Wipes the last answer.
    pub fn forget_answer(&mut self) {
        self.exchange.begin();
    }
}

/// A socket that does not wait, without its event loop.
struct Direct<'a>(SockRef<'a>);

impl Read for Direct<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(bytes)
    }
}

impl Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        socket::send(&self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
