//! Reads a response with the reader of the drivers, over a socket that splits it anywhere.

#![no_main]

use std::{
    cell::Cell,
    io::{self, Read, Write},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use zelf_core::{
    api::json,
    connect::{
        failure::Failure,
        transfer::{Outgoing, Progress, advance},
        wire::Wire,
    },
    http::{
        answer::Answer,
        coding::Coding,
        exchange::{Close, Exchange, Rules},
        head::Method,
        no_answer::NoAnswer,
        retry_after::RetryAfter,
    },
    send::response::Response,
};
use zelf_fuzz::split_choices;

/// Returns a response in pieces, with pauses, and then its end.
struct Socket<'a> {
    left: &'a [u8],
    random: u32,
    most: usize,
    has_paused: Cell<bool>,
    breaks: bool,
}

impl Socket<'_> {
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}

impl Read for Socket<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.random().is_multiple_of(4) && !self.has_paused.replace(true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.has_paused.set(false);
        if self.left.is_empty() && self.breaks {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let piece = 1 + self.random() as usize % self.most;
        let count = piece.min(room.len()).min(self.left.len());
        let (now, later) = self.left.split_at(count);
        room[..count].copy_from_slice(now);
        self.left = later;
        Ok(count)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len().min(3))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Answer {
        status: u16,
        date: Option<i64>,
        retry_after: Option<RetryAfter>,
        location: Option<Vec<u8>>,
        coding: Option<Coding>,
        body: Vec<u8>,
        is_cut_short: bool,
        is_kept: bool,
    },
    None(NoAnswer),
    Lost,
}

fn outcome(exchange: &Exchange) -> Outcome {
    let Answer {
        status,
        date,
        retry_after,
        location,
        coding,
        body,
        is_cut_short,
    } = exchange.answer();
    Outcome::Answer {
        status,
        date,
        retry_after,
        location: location.map(<[u8]>::to_vec),
        coding,
        body: body.to_vec(),
        is_cut_short,
        is_kept: exchange.may_be_followed(),
    }
}

fn at_once(exchange: &mut Exchange, bytes: &[u8], breaks: bool) -> Outcome {
    exchange.begin();
    if let Err(failure) = exchange.received(bytes, Duration::ZERO) {
        return Outcome::None(failure);
    }
    let end = if breaks { Close::Broken } else { Close::Clean };
    match exchange.is_done() || exchange.closed(end).is_ok() {
        true => outcome(exchange),
        false if breaks => Outcome::Lost,
        false => Outcome::None(NoAnswer::Ended),
    }
}

fn in_pieces(exchange: &mut Exchange, mut socket: Socket<'_>) -> Outcome {
    exchange.begin();
    let mut wire = Wire::default();
    let mut outgoing = Outgoing::new(b"GET / HTTP/1.1\r\n\r\n", b"");
    loop {
        match advance(&mut wire, &mut socket, &mut outgoing, exchange, || {
            Duration::ZERO
        }) {
            Ok(Progress::Moved | Progress::Blocked) => {}
            Ok(Progress::Done) => break,
            Err(Failure::Answer(why)) => return Outcome::None(why),
            Err(Failure::Lost(_)) => return Outcome::Lost,
            Err(_) => panic!("an unexpected failure"),
        }
    }
    // The bytes behind the answer are ignored.
    exchange.received(socket.left, Duration::ZERO).unwrap();
    outcome(exchange)
}

/// Returns whether a complete object ended a body without a length, before the end of the
/// connection. Bytes that arrived together with the end of the object are part of the body.
fn is_ended_by_its_object(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Answer { body: one, .. }, Outcome::Answer { body: other, .. }) => {
            json::is_whole_object(other) && one.starts_with(other)
        }
        (Outcome::None(_) | Outcome::Lost, Outcome::Answer { body, .. }) => {
            json::is_whole_object(body)
        }
        _ => false,
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((bytes, [choice, most, seed])) = split_choices(input) else {
        return;
    };
    let rules = Rules {
        method: [Method::Usual, Method::Usual, Method::Head, Method::Connect]
            [usize::from(choice & 3)],
        max_body: if choice & 4 == 0 { 64 * 1024 } else { 100 },
        error_body_time: (choice & 8 == 0).then_some(Duration::from_secs(4)),
        is_whole: if choice & 16 == 0 {
            json::is_whole_object
        } else {
            |_| false
        },
    };
    let breaks = choice & 32 != 0;
    let mut exchange = Exchange::new(rules);
    let whole = at_once(&mut exchange, bytes, breaks);
    // An exchange can be reused for another answer.
    let socket = Socket {
        left: bytes,
        random: u32::from(seed) * 7919 + 1,
        // A long response in single bytes would take too long.
        most: usize::from(most) + 1 + bytes.len() / 128,
        has_paused: Cell::new(false),
        breaks,
    };
    let cut = in_pieces(&mut exchange, socket);
    assert!(
        whole == cut || is_ended_by_its_object(&whole, &cut),
        "at once {whole:?}, in pieces {cut:?}"
    );
    if let Outcome::Answer { body, status, .. } = &cut {
        assert!(body.len() <= rules.max_body);
        let response = Response::new(*status, exchange.take());
        assert_eq!(response.body(), body);
        assert_eq!(response.body_with_nul().last(), Some(&0));
        for name in ["date", "content-type", "retry-after", "x"] {
            let value = response.header_with_nul(name.as_bytes());
            let is_fit = |value: &[u8]| {
                let (last, text) = value.split_last().unwrap();
                *last == 0 && !text.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'))
            };
            assert!(value.is_none_or(is_fit));
        }
        let _ = response.server_message_with_nul();
    }
});
