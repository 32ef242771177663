//! One exchange as a state machine: it receives bytes, and tells when the answer is complete.

use std::time::Duration;

use crate::{
    http::{
        answer::Answer,
        chunks::Chunks,
        head::{self, Framing, Head, Method},
        no_answer::NoAnswer,
    },
    moment::Moment,
    secret::Secret,
};

/// The limits for a head, and for all interim answers together.
const MAX_HEAD: usize = 64 * 1024;
const MAX_INTERIM: usize = 64 * 1024;
const MAX_INTERIM_COUNT: usize = 8;

/// What one exchange accepts.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub method: Method,
    /// A larger body is an error. If the status is an error anyway, the body is cut.
    pub max_body: usize,
    /// How long to wait for the rest of an error's body. After that, the part that has arrived is
    /// used. `None`: the body must be complete.
    pub error_body_time: Option<Duration>,
    /// Returns whether a body that ends with the connection is complete.
    pub is_whole: fn(&[u8]) -> bool,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// With a `close_notify` of TLS, or a FIN of TCP without TLS.
    Clean,
    /// Without the `close_notify` of TLS, so the end may be missing.
    Abrupt,
    /// The connection broke, or the time limit has passed.
    Broken,
}

/// Reads one answer. It can be reused for the next exchange, with its buffer.
pub struct Exchange {
    rules: Rules,
    state: State,
    /// The head, then the decoded part of the body.
    inbox: Secret,
    head: Head,
    body_start: usize,
    body_end: usize,
    interim_bytes: usize,
    interim_count: usize,
    has_heard: bool,
    has_broken: bool,
    error_body_until: Option<Moment>,
}

/// An answer as received: its head, followed by its body.
pub struct Whole {
    pub bytes: Secret,
    pub body_start: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The head is incomplete. The search for its end continues at this byte.
    Head(usize),
    Nothing,
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Done(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The rest of the body is not needed.
    Unread,
    /// The rest of the body is missing.
    Missing,
}

impl Exchange {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Head(0),
            inbox: Secret::default(),
            head: Head::default(),
            body_start: 0,
            body_end: 0,
            interim_bytes: 0,
            interim_count: 0,
            has_heard: false,
            has_broken: false,
            error_body_until: None,
        }
    }

    /// Overwrites the last answer with zeros and waits for the next one.
    pub fn begin(&mut self) {
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.truncate(0);
        *self = Self {
            inbox,
            ..Self::new(self.rules)
        };
    }

    /// Does the same as [`begin`](Self::begin), for an exchange with other rules.
    pub fn begin_with(&mut self, rules: Rules) {
        self.rules = rules;
        self.begin();
    }

    /// Processes bytes. Returns whether the answer is complete.
    pub fn received(&mut self, bytes: &[u8], now: Moment) -> Result<bool, NoAnswer> {
        self.has_heard |= !bytes.is_empty();
        let from = self.inbox.len();
        self.inbox.append(bytes);
        let outcome = match self.state {
            State::Head(searched) => self.read_head(searched, now),
            _ => self.read_body(from),
        };
        match outcome {
            // A part of an error's body is better than nothing.
            Err(_) if self.is_error() => {
                self.state = State::Done(End::Missing);
                Ok(true)
            }
            Err(failure) => Err(failure),
            Ok(()) => Ok(self.is_done()),
        }
    }

    /// Processes the end of the connection. On success the answer is complete.
    pub fn closed(&mut self, how: Close) -> Result<(), NoAnswer> {
        self.has_broken |= how == Close::Broken;
        let end = match self.state {
            State::Done(end) => end,
            State::UntilClose if how == Close::Clean || self.shows_its_end() => End::Whole,
            _ if self.is_error() => End::Missing,
            State::Head(_) => return Err(self.refusal_of_head()),
            _ => return Err(NoAnswer::Ended),
        };
        self.state = State::Done(end);
        Ok(())
    }

    /// Returns when to stop waiting for the rest of an error's body. Then the driver calls
    /// [`closed`](Self::closed).
    pub fn error_body_until(&self) -> Option<Moment> {
        self.error_body_until
    }

    /// Returns whether a byte of an answer has arrived.
    pub fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Returns the status of the answer, or 0 if its head is incomplete.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    /// Returns whether the next answer on the connection certainly begins where this one has ended.
    pub fn may_be_followed(&self) -> bool {
        matches!(self.state, State::Done(End::Whole))
            && self.head.keeps_connection
            && self.inbox.len() == self.body_end
    }

    /// Returns the answer, or the part of it that has arrived.
    pub fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.head.status,
            date: self.head.date,
            retry_after: self.head.retry_after,
            location: self.head.location.clone().map(|range| &self.inbox[range]),
            coding: self.head.coding,
            body: &self.inbox[self.body_start..self.body_end],
            // Without an announced length, the end of the connection is the end of the body, unless
            // the connection broke.
            is_cut_short: matches!(self.state, State::Done(End::Missing))
                && (self.head.framing != Framing::UntilClose || self.has_broken),
        }
    }

    /// Takes the answer, as received.
    pub fn take(&mut self) -> Whole {
        let mut bytes = std::mem::take(&mut self.inbox);
        bytes.truncate(self.body_end);
        Whole {
            bytes,
            body_start: self.body_start,
        }
    }

    /// Returns the bytes behind the answer. After a CONNECT they belong to the tunnel.
    pub fn left_over(&self) -> &[u8] {
        &self.inbox[self.body_end..]
    }

    /// Returns the error for an incomplete head. A head is not parsed each time bytes arrive, so it
    /// may have been invalid for some time.
    fn refusal_of_head(&self) -> NoAnswer {
        head::read(&self.inbox, self.rules.method)
            .err()
            .unwrap_or(NoAnswer::Ended)
    }

    fn is_error(&self) -> bool {
        self.rules.error_body_time.is_some()
            && self.head.status != 0
            && !(200..300).contains(&self.head.status)
    }

    fn shows_its_end(&self) -> bool {
        (self.rules.is_whole)(&self.inbox[self.body_start..self.body_end])
    }

    fn read_head(&mut self, searched: usize, now: Moment) -> Result<(), NoAnswer> {
        self.drop_empty_lines()?;
        // The parser starts from the beginning each time. So it is called for the first bytes, and
        // then only when the end of the head has arrived.
        let has_begun = searched >= head::BEGINNING.len();
        if has_begun && !ends_a_head(&self.inbox, searched) {
            return self.wait_for_head();
        }
        let Some((head, length)) = head::read(&self.inbox, self.rules.method)? else {
            return self.wait_for_head();
        };
        if length > MAX_HEAD {
            return Err(NoAnswer::HeadTooLarge);
        }
        if head.status < 200 {
            return self.skip_interim(head.status, length, now);
        }
        self.body_start = length;
        self.body_end = length;
        self.state = match head.framing {
            Framing::Nothing => State::Nothing,
            Framing::Length(length) => {
                self.make_room(length);
                State::Length(length)
            }
            Framing::Chunked => State::Chunked(Chunks::default()),
            Framing::UntilClose => State::UntilClose,
        };
        self.head = head;
        if let Some(time) = self.rules.error_body_time.filter(|_| self.is_error()) {
            self.error_body_until = Some(now.saturating_add(time));
        }
        self.read_body(length)
    }

    /// Allocates the memory for a body and a NUL behind it.
    fn make_room(&mut self, length: u64) {
        /// A server may announce a body that it does not send.
        const MOST: usize = 32 * 1024 * 1024;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length <= self.rules.max_body.min(MOST) {
            let end = self.body_start + length;
            self.inbox.reserve(end.saturating_sub(self.inbox.len()) + 1);
        }
    }

    /// Removes line breaks before a head: a server may have sent one too many.
    fn drop_empty_lines(&mut self) -> Result<(), NoAnswer> {
        let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let count = self.inbox.iter().take_while(is_break).count();
        if count > 0 {
            self.inbox.remove_front(count);
            self.interim_bytes += count;
        }
        match self.interim_bytes > MAX_INTERIM {
            true => Err(NoAnswer::HeadTooLarge),
            false => Ok(()),
        }
    }

    fn wait_for_head(&mut self) -> Result<(), NoAnswer> {
        if self.inbox.len() > MAX_HEAD {
            return Err(NoAnswer::HeadTooLarge);
        }
        self.state = State::Head(self.inbox.len());
        Ok(())
    }

    fn skip_interim(&mut self, status: u16, length: usize, now: Moment) -> Result<(), NoAnswer> {
        if status == 101 {
            return Err(NoAnswer::NotHttp(
                "it switches to a protocol that was not requested",
            ));
        }
        self.interim_count += 1;
        self.interim_bytes += length;
        if self.interim_count > MAX_INTERIM_COUNT || self.interim_bytes > MAX_INTERIM {
            return Err(NoAnswer::HeadTooLarge);
        }
        self.inbox.remove_front(length);
        self.state = State::Head(0);
        if self.inbox.is_empty() {
            return Ok(());
        }
        self.read_head(0, now)
    }

    /// Reads the bytes of the body, which begin at `from`.
    fn read_body(&mut self, from: usize) -> Result<(), NoAnswer> {
        let max = self.rules.max_body;
        let is_error = self.is_error();
        let room_ends = self.body_start + max;
        let mut outcome = Ok(());
        match &mut self.state {
            State::Nothing => self.state = State::Done(End::Whole),
            State::Length(length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                if length > max && !is_error {
                    return Err(NoAnswer::BodyTooLarge);
                }
                let end = self.body_start.saturating_add(length);
                self.body_end = self.inbox.len().min(end);
                if self.inbox.len() >= end {
                    self.state = State::Done(End::Whole);
                }
            }
            State::Chunked(chunks) => {
                // A body that is too long is reported first, even if an error follows.
                let decoded = chunks.decode(&mut self.inbox, from, &mut self.body_end);
                let rest = decoded.unwrap_or_else(|failure| {
                    outcome = Err(failure);
                    self.body_end
                });
                let is_done = chunks.is_done();
                let end = self.body_end;
                let left = self.inbox.len() - rest;
                self.inbox.copy_within(rest.., end);
                self.inbox.truncate(end + left);
                if is_done {
                    self.state = State::Done(End::Whole);
                }
            }
            State::UntilClose => {
                self.body_end = self.inbox.len();
                // Check only if the last byte can be the end of an object.
                let ends = self.inbox[from..].trim_ascii_end().ends_with(b"}");
                if ends && self.body_end <= room_ends && self.shows_its_end() {
                    self.state = State::Done(End::Whole);
                }
            }
            // No bytes are expected in these states.
            State::Done(_) | State::Head(_) => {}
        }
        if self.body_end > room_ends {
            if !is_error {
                return Err(NoAnswer::BodyTooLarge);
            }
            self.body_end = room_ends;
            self.state = State::Done(End::Unread);
            return Ok(());
        }
        outcome
    }
}

/// Returns whether an empty line ends at or after `searched`.
fn ends_a_head(bytes: &[u8], searched: usize) -> bool {
    let from = searched.saturating_sub(3);
    bytes[from..]
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .any(|(at, _)| {
            let before = &bytes[..from + at];
            before.ends_with(b"\n") || before.ends_with(b"\n\r")
        })
}
