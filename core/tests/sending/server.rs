//! The simulated server: one session at a time, and the requests that it has carried out.

use std::{collections::BTreeMap, time::Duration};

use zelf_core::{
    create::aim::{Aim, Kill},
    http::{answer::Answer, retry_after::RetryAfter},
    moment::Moment,
    session::{Claimed, Session, Times},
};

use crate::worlds::random::Random;

#[derive(Default)]
pub struct Server {
    /// The number of its session.
    pub session: u64,
    /// Routes refuse the session.
    pub is_used: bool,
    pub deaths: u64,
    pub kills: u64,
    /// How often each request was carried out.
    pub done: BTreeMap<usize, u32>,
    pub trouble: Trouble,
}

/// The state of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    None,
    Starting,
    /// It answers 429 with Retry-After.
    Overloaded,
    /// A gateway in front of it answers, whatever the server does.
    Gateway,
}

/// Its answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub status: u16,
    pub words: &'static str,
    pub retry_after: Option<u64>,
}

impl Said {
    fn of(status: u16, words: &'static str) -> Self {
        Self {
            status,
            words,
            retry_after: None,
        }
    }

    pub fn answer(&self) -> Answer<'static> {
        Answer {
            retry_after: self.retry_after.map(RetryAfter::Seconds),
            ..Answer::of(self.status, self.words.as_bytes())
        }
    }
}

impl Server {
    pub fn takes(&mut self, request: usize, session: u64, random: &mut Random) -> Said {
        match self.trouble {
            Trouble::Starting => return Said::of(404, "Not Found"),
            Trouble::Overloaded => {
                return Said {
                    retry_after: Some(1 + random.below(5)),
                    ..Said::of(429, "")
                };
            }
            Trouble::Gateway if random.percent(50) => return Said::of(502, ""),
            Trouble::Gateway | Trouble::None => {}
        }
        if session != self.session || self.is_used {
            return Said::of(403, r#"{"validationError":"Session is not active"}"#);
        }
        *self.done.entry(request).or_default() += 1;
        match self.trouble {
            Trouble::Gateway => Said::of(504, ""),
            _ => Said::of(200, "{}"),
        }
    }

    /// Ends the session, or makes routes refuse it.
    pub fn ends_session(&mut self) {
        if !self.is_used {
            self.is_used = true;
            self.deaths += 1;
        }
    }

    /// Answers a create, and replaces a session that was refused.
    pub fn creates(&mut self, aim: &Aim, now: Moment) -> Session {
        let is_refused = aim.refused.as_deref() == Some(&name(self.session));
        if is_refused && aim.kill != Kill::Never {
            self.session += 1;
            self.is_used = false;
            self.kills += 1;
        }
        let id = name(self.session);
        let claimed = Claimed {
            id: Some(&id),
            ..Claimed::default()
        };
        let times = Times {
            activated_at: 1_800_000_000,
            expires_at: 1_800_086_400,
            ends_at: now + Duration::from_secs(86_400),
        };
        Session::new(
            format!("{id}-{}", now.as_millis()).as_bytes(),
            claimed,
            times,
        )
    }
}

pub fn name(session: u64) -> String {
    format!("session {session}")
}
