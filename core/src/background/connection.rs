//! A connection of asynchronous calls. Later calls use it again.

use std::{
    cell::Cell,
    future::poll_fn,
    io::{self, Read, Write},
    rc::Rc,
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
    /// The last request was sent completely.
    is_sent: Rc<Cell<bool>>,
    now: fn() -> Moment,
}

impl Connection {
    pub fn new(socket: TcpStream, wire: Wire, exchange: Exchange, now: fn() -> Moment) -> Self {
        Self {
            socket,
            wire,
            exchange,
            is_sent: Rc::default(),
            now,
        }
    }

    /// Sends a request and reads its answer by these rules. The caller sets a time limit. If this
    /// future is dropped, the caller must drop the connection. `waits_for` is updated when the
    /// answer starts.
    pub async fn exchange(
        &mut self,
        mut outgoing: Outgoing<'_>,
        rules: Rules,
        deadline: Moment,
        waits_for: &Cell<Awaited>,
    ) -> Result<(), Failure> {
        self.exchange.begin_with(rules);
        let outgoing = &mut outgoing;
        self.is_sent.set(false);
        self.run(outgoing, deadline, waits_for).await
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
        // Wait only a short time for the rest of an error's body.
        let until = self.exchange.error_body_until().unwrap_or_default();
        // A part of the body is used too when the deadline passes.
        let until = until.min(deadline);
        let left = until.saturating_sub((self.now)());
        match timeout(left, self.advance(outgoing, false, waits_for)).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => self.exchange.closed(Close::Broken).map_err(Failure::Answer),
        }
    }

    /// Continues until the answer is complete. With `stops_at_error`, it also stops at the head of
    /// an error.
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
            is_sent,
            now,
        } = self;
        poll_fn(|context| {
            let socket = &mut PollSocket::new(socket, context);
            loop {
                let progress = advance(wire, socket, outgoing, exchange, *now);
                is_sent.set(outgoing.is_sent());
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

    /// Returns whether another request may use this connection.
    pub fn may_be_used_again(&self) -> bool {
        self.is_sent.get() && self.exchange.may_be_followed() && !self.wire.has_ended()
    }

    /// Returns whether the server may have received the whole last request.
    pub fn is_sent(&self) -> bool {
        self.is_sent.get()
    }

    /// Returns where [`is_sent`](Self::is_sent) is, for a caller that drops a running exchange.
    pub fn sent_flag(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.is_sent)
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
            // Read without the event loop, which has not noticed these bytes yet.
            let socket = &mut Direct(SockRef::from(&self.socket));
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

/// A non-blocking socket, used without its event loop.
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
