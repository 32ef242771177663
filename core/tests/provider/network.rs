//! What happens to a request and its answer on the network.

use std::time::Duration;

use zelf_core::{
    error::{Error, Status},
    http::{answer::Answer, retry_after::RetryAfter},
    moment::Moment,
};

use crate::{server, worlds::random::Random};

/// What happens to one exchange, decided when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// No connection can be made.
    NoConnection,
    /// The connection breaks before the server has the request.
    LostBefore,
    /// The server carries the request out, and then the connection breaks.
    LostAfter,
    /// The answer never comes.
    Silent,
    /// The server answers with this status, and does not carry the request out.
    Refused(u16),
    /// A proxy in front times out while the server continues.
    GatewayTimeout,
}

/// How an outage looks to a device.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub from: Moment,
    pub until: Moment,
    pub fate: Fate,
}

pub struct Network {
    /// The percentage of exchanges that fail.
    pub badness: u64,
    /// Proxies with wrong clocks write the Date header.
    pub has_wrong_clocks: bool,
    pub outages: Vec<Outage>,
}

impl Network {
    pub fn fate(&self, random: &mut Random, now: Moment) -> Fate {
        let is_on = |outage: &&Outage| (outage.from..outage.until).contains(&now);
        if let Some(outage) = self.outages.iter().find(is_on) {
            return outage.fate;
        }
        if !random.percent(self.badness) {
            return Fate::Arrives;
        }
        match random.below(10) {
            0 => Fate::NoConnection,
            1 | 2 => Fate::LostBefore,
            3 => Fate::LostAfter,
            4 => Fate::Silent,
            5 => Fate::GatewayTimeout,
            _ => Fate::Refused(random.pick(&[404, 429, 500, 502, 503, 403, 409])),
        }
    }

    /// Returns how long a request or an answer travels.
    pub fn latency(&self, random: &mut Random) -> Duration {
        match random.percent(self.badness / 4) {
            true => random.ms(200, 9000),
            false => random.ms(1, 150),
        }
    }
}

pub fn any_outage(random: &mut Random, from: Moment, longest: Duration) -> Outage {
    Outage {
        from,
        until: from + random.within(longest),
        fate: random.pick(&[
            Fate::NoConnection,
            Fate::Silent,
            Fate::Refused(404),
            Fate::Refused(500),
            Fate::Refused(503),
            Fate::Refused(403),
        ]),
    }
}

/// The error of a proxy's wrong clock, in seconds.
pub const WRONG_BY: [i64; 2] = [4000, -4000];

/// An answer on its way to the device.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    body: String,
    date: Option<i64>,
    retry_after: Option<u64>,
}

impl Network {
    pub fn reply(
        &self,
        random: &mut Random,
        status: u16,
        body: String,
        signed_at: Moment,
    ) -> Reply {
        // A proxy may leave Date out, or have a wrong clock.
        let wrong_by: i64 = match random.below(20) {
            _ if !self.has_wrong_clocks => 0,
            1 => 30,
            2 => -45,
            3 => WRONG_BY[0],
            4 => WRONG_BY[1],
            _ => 0,
        };
        let date = server::clock(signed_at).as_secs().cast_signed() + wrong_by;
        Reply {
            status,
            body,
            date: (!random.percent(10)).then_some(date),
            retry_after: match status {
                429 | 503 => Some(random.below(40)),
                _ => None,
            },
        }
    }

    pub fn refusal(&self, random: &mut Random, status: u16, now: Moment) -> Reply {
        let words = match status {
            404 => "Not Found",
            504 => "<title>Gateway Time-out</title>",
            _ => r#"{"error":"no"}"#,
        };
        self.reply(random, status, words.to_owned(), now)
    }
}

impl Reply {
    pub fn answer(&self) -> Answer<'_> {
        Answer {
            date: self.date,
            retry_after: self.retry_after.map(RetryAfter::Seconds),
            ..Answer::of(self.status, self.body.as_bytes())
        }
    }
}

pub fn lost() -> Error {
    Error::new(Status::ConnectionLost, "it broke")
}

pub fn no_connection() -> Error {
    Error::new(Status::Connect, "no connection")
}
