//! The server as the contract describes it, for one identifier and for devices with addresses.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use zelf_core::moment::Moment;

pub const IDENTIFIER: &str = "3f1c2b7e0d5a4c69";

/// The server's clock at the beginning of the world, in Unix seconds.
const START: u64 = 1_800_000_000;

/// Returns the server's clock, with its fraction.
pub fn clock(now: Moment) -> Duration {
    Duration::from_secs(START) + now
}

/// A session that the server has returned at least once. Its number is its index in the list.
#[derive(Clone, Debug)]
pub struct Record {
    pub address: u64,
    pub activated_at: u64,
    pub expires_at: u64,
    pub end: End,
    pub ended_at: Moment,
    /// Routes refuse it although it exists.
    pub is_used: bool,
    /// No caller waits for it any more.
    pub is_stray: bool,
    /// It was killed for another reason.
    pub is_excused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Lives,
    /// It was never stored.
    Ghost,
    Reaped,
    Killed,
}

impl Record {
    pub fn lives(&self) -> bool {
        self.end == End::Lives
    }

    pub fn is_ghost(&self) -> bool {
        self.end == End::Ghost
    }

    /// Returns the time left by the true clock, with its fraction.
    pub fn left(&self, now: Moment) -> Duration {
        Duration::from_secs(self.expires_at).saturating_sub(clock(now))
    }
}

#[derive(Default)]
pub struct Server {
    pub records: Vec<Record>,
    living: Option<usize>,
}

/// What the server does with a request.
pub enum Found {
    /// It returns a stored session.
    Session(usize),
    /// It creates a session, which takes some time. It may have killed one before.
    Creates { killed: Option<usize> },
}

/// Returns whether a body asks for a kill.
pub fn kills(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).expect("a body is JSON");
    assert_eq!(body["identifier"], json!(IDENTIFIER));
    body["killSession"] == json!(true)
}

impl Server {
    /// Returns the living session. There is one per identifier, for all addresses.
    pub fn living(&self) -> Option<usize> {
        self.living
    }

    /// Looks for the session of this address. Starts to create one if there is none, or after a
    /// kill.
    pub fn arrives(&mut self, address: u64, kills: bool, now: Moment) -> Found {
        let found = self
            .living
            .filter(|&found| self.records[found].address == address);
        match found {
            Some(found) if !kills => Found::Session(found),
            Some(found) => {
                self.ends(found, End::Killed, now);
                Found::Creates {
                    killed: Some(found),
                }
            }
            None => Found::Creates { killed: None },
        }
    }

    /// Finishes the creation of a session. It is a ghost if another session lives by now.
    pub fn creates(&mut self, address: u64, lifetime: u64, now: Moment) -> usize {
        let end = match self.living {
            Some(_) => End::Ghost,
            None => End::Lives,
        };
        let activated_at = clock(now).as_secs();
        self.records.push(Record {
            address,
            activated_at,
            expires_at: activated_at + lifetime,
            end,
            ended_at: now,
            is_used: false,
            is_stray: false,
            is_excused: false,
        });
        let number = self.records.len() - 1;
        self.living.get_or_insert(number);
        number
    }

    fn ends(&mut self, number: usize, end: End, now: Moment) {
        self.living = None;
        self.records[number].end = end;
        self.records[number].ended_at = now;
    }

    pub fn reap(&mut self, now: Moment) {
        let is_over = |number: &usize| self.records[*number].expires_at <= clock(now).as_secs();
        if let Some(over) = self.living.filter(is_over) {
            self.ends(over, End::Reaped, now);
        }
    }

    /// Returns the body of a 200, signed at this time.
    pub fn body(&self, number: usize, signed_at: Moment) -> String {
        let record = &self.records[number];
        let claims = json!({
            "session": format!("{number:024x}"),
            "identifier": IDENTIFIER,
            "ip": format!("192.0.2.{}", record.address),
            "domain": "zelf",
            "tagName": null,
            "iat": clock(signed_at).as_secs(),
        });
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        json!({"data": {
            "token": format!("eyJ9.{payload}.sig"),
            "activatedAt": record.activated_at,
            "expiresAt": record.expires_at,
        }})
        .to_string()
    }
}

/// Returns the number of the session with this id.
pub fn number_of(id: Option<&str>) -> usize {
    let id = id.expect("every session has an id");
    usize::from_str_radix(id, 16).expect("an id is a number here")
}
