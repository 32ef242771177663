//! One request as a state machine: attempts, repetitions, a session that is renewed.
//!
//! A driver asks for the next [`Step`], carries it out, and tells what came of it. No
//! clock is read here: the driver says what time it is.
//!
//! What an answer means was measured at the real server. A session that is not active
//! is refused before any work is done, so the request may go out again whatever it is.
//! A time-out or a gateway's error leaves open whether the work was done.

use std::{mem, time::Duration};

use crate::{
    api::{refusal, server_words},
    create::{
        aim,
        call::{Failed, LONG_WAIT, Note, Now, Over},
        retry,
    },
    error::{Error, Status},
    http::answer::Answer,
    log::Level,
    moment::Moment,
};

/// What the driver is to do next.
#[derive(Debug)]
pub enum Step {
    /// Get a session, and say which: [`Sending::has_session`], or end with the error.
    /// `is_refused`: the one that was used is refused. `may_kill`: it may be replaced by a
    /// kill, once.
    Session { is_refused: bool, may_kill: bool },
    /// Send the request, and say what came of it: [`Sending::answered`] or
    /// [`Sending::failed`].
    Exchange { over: Over },
    /// Wait, then ask again.
    Wait {
        until: Moment,
        /// The call gives its place to others meanwhile.
        is_long: bool,
    },
    /// The last answer is the response, or there is none.
    Finish(Result<(), Error>),
}

/// What a sending depends on that does not change.
#[derive(Clone, Copy)]
pub struct Terms {
    pub deadline: Moment,
    pub max_attempts: u32,
    /// The server may carry it out more than once.
    pub is_repeatable: bool,
    /// Sessions come from a provider, and can be renewed.
    pub renews: bool,
}

/// No refusal is longer, in bytes.
const LONGEST_REFUSAL: usize = 4096;

pub struct Sending {
    terms: Terms,
    /// A connection that turns out to be dead has no second chance any more.
    has_resent: bool,
    failures: u32,
    /// How often the server has said that it is starting.
    starts: u32,
    /// How often a session was refused as not active.
    inactive: u32,
    /// A session was refused as no session at all.
    was_unauthorized: bool,
    next: Next,
    note: Option<Note>,
}

enum Next {
    Session {
        is_refused: bool,
        may_kill: bool,
    },
    Exchange(Over),
    Wait {
        until: Moment,
        is_long: bool,
        then: Over,
    },
    Finish(Result<(), Error>),
    Over,
}

impl Sending {
    pub fn new(terms: Terms, now: &Now<'_>) -> Self {
        now.budget.count_call(now.time);
        let mut sending = Self {
            terms,
            has_resent: false,
            failures: 0,
            starts: 0,
            inactive: 0,
            was_unauthorized: false,
            next: Next::Session {
                is_refused: false,
                may_kill: false,
            },
            note: None,
        };
        if !terms.renews {
            sending.next = Next::Exchange(sending.usual_connection());
        }
        sending
    }

    /// Returns what is to be done. It must not be asked again after the end.
    pub fn step(&mut self) -> Step {
        match mem::replace(&mut self.next, Next::Over) {
            Next::Session {
                is_refused,
                may_kill,
            } => Step::Session {
                is_refused,
                may_kill,
            },
            Next::Exchange(over) => Step::Exchange { over },
            Next::Wait {
                until,
                is_long,
                then,
            } => {
                self.next = Next::Exchange(then);
                Step::Wait { until, is_long }
            }
            Next::Finish(outcome) => Step::Finish(outcome),
            Next::Over => Step::Finish(Err(Error::new(
                Status::Panic,
                "a request went on after its end; report this bug",
            ))),
        }
    }

    pub fn take_note(&mut self) -> Option<Note> {
        self.note.take()
    }

    /// Is told that there is a session.
    pub fn has_session(&mut self) {
        self.next = Next::Exchange(self.usual_connection());
    }

    /// Is told what the server has answered. `wall`: the device's wall clock, for a
    /// `Retry-After` without a `Date`.
    pub fn answered(&mut self, answer: &Answer<'_>, wall: i64, now: &Now<'_>) {
        self.next = match self.meaning(answer) {
            Meaning::Response => Next::Finish(Ok(())),
            Meaning::Inactive => self.renew_inactive(answer),
            Meaning::Unauthorized => self.renew_unauthorized(),
            Meaning::StartingUp => self.wait_for_start(refusal::wait(answer, wall), now),
            Meaning::MayPass => self.repeat(refusal::wait(answer, wall), answer.status, now),
        };
    }

    fn meaning(&self, answer: &Answer<'_>) -> Meaning {
        let code = answer.status;
        if !matches!(code, 401 | 403 | 404 | 429 | 502..=504) {
            return Meaning::Response;
        }
        if matches!(code, 429 | 502..=504) {
            return match self.terms.is_repeatable {
                true => Meaning::MayPass,
                false => Meaning::Response,
            };
        }
        // A refusal of the server's own is a few words.
        if answer.body.len() > LONGEST_REFUSAL {
            return Meaning::Response;
        }
        if code == 404 {
            // It is text. JSON of the same words is a route's answer.
            let is_start = answer.body.trim_ascii() == b"Not Found" && self.terms.is_repeatable;
            return match is_start {
                true => Meaning::StartingUp,
                false => Meaning::Response,
            };
        }
        let words = server_words::read(answer.body, answer.coding);
        let said = words.said.unwrap_or_default().to_ascii_lowercase();
        // The whole of the words: "Tag is not active" is a route's answer.
        match code {
            403 if said == "session is not active" && self.terms.renews => Meaning::Inactive,
            401 if said.starts_with("protected resource") && self.terms.renews => {
                Meaning::Unauthorized
            }
            _ => Meaning::Response,
        }
    }

    /// The third session that is refused proves that none is active.
    fn renew_inactive(&mut self, answer: &Answer<'_>) -> Next {
        self.inactive += 1;
        if self.inactive > 2 {
            return Next::Finish(Err(Error {
                server_message: server_words::read(answer.body, answer.coding).said,
                ..aim::refused_ghost()
            }));
        }
        self.say(
            Level::Info,
            "the session is not active; renewing it".to_owned(),
        );
        Next::Session {
            is_refused: true,
            may_kill: self.inactive == 1,
        }
    }

    /// An unknown path is refused in the same words. So a second refusal is an answer.
    fn renew_unauthorized(&mut self) -> Next {
        if mem::replace(&mut self.was_unauthorized, true) {
            return Next::Finish(Ok(()));
        }
        self.say(
            Level::Info,
            "the token was refused; renewing the session".to_owned(),
        );
        Next::Session {
            is_refused: true,
            may_kill: false,
        }
    }

    fn wait_for_start(&mut self, asked: Option<Duration>, now: &Now<'_>) -> Next {
        self.starts = self.starts.saturating_add(1);
        let wait = retry::wait_for_start(asked, self.starts, (now.random)());
        let until = now.time.saturating_add(wait);
        if until >= self.terms.deadline {
            return Next::Finish(Ok(()));
        }
        self.say(
            Level::Info,
            format!("the server is starting; asking again in {wait:?}"),
        );
        self.wait(until, wait, self.usual_connection())
    }

    /// Repeats a request after an answer that may be another one next time.
    fn repeat(&mut self, asked: Option<Duration>, status: u16, now: &Now<'_>) -> Next {
        match self.another_attempt(asked, now) {
            None => Next::Finish(Ok(())),
            Some((until, wait)) => {
                self.say(
                    Level::Warning,
                    format!(
                        "HTTP {status}; attempt {} follows in {wait:?}",
                        self.failures + 1
                    ),
                );
                self.wait(until, wait, self.usual_connection())
            }
        }
    }

    /// Is told of an exchange, or a connection, that failed. `is_whole`: the server may
    /// have the whole of the request.
    pub fn failed(&mut self, failed: Failed, is_whole: bool, now: &Now<'_>) {
        let Failed {
            error,
            was_kept,
            was_sent,
            has_heard,
        } = failed;
        // A server does not act upon a part of a request, unless it answers early.
        let may_be_done = was_sent && (is_whole || has_heard);
        let may_go_out_again = self.terms.is_repeatable || !may_be_done;
        let was_dead = was_kept && !has_heard && error.status == Status::ConnectionLost;
        if was_dead && may_go_out_again && !mem::replace(&mut self.has_resent, true) {
            let words = "the kept connection was dead; sending again on a new one";
            self.say(Level::Info, words.to_owned());
            self.next = Next::Exchange(Over::Replacement);
            return;
        }
        let is_worth_another = may_go_out_again && error.status.is_retryable();
        let attempt = match is_worth_another {
            true => self.another_attempt(error.retry_after, now),
            false => None,
        };
        self.next = match attempt {
            Some((until, wait)) => {
                let attempt = self.failures + 1;
                let words = format!("{}; attempt {attempt} follows in {wait:?}", error.message);
                self.say(Level::Warning, words);
                // Where one connection broke, others that rest may have broken too.
                self.wait(until, wait, Over::Replacement)
            }
            None => Next::Finish(Err(unless_done(error, may_be_done, self.terms))),
        };
    }

    /// Returns until when to wait for another attempt, and how long that is, if one may
    /// be made.
    fn another_attempt(
        &mut self,
        asked: Option<Duration>,
        now: &Now<'_>,
    ) -> Option<(Moment, Duration)> {
        self.failures += 1;
        let wait = retry::wait(asked, self.failures, (now.random)());
        let until = now.time.saturating_add(wait);
        let may = self.failures < self.terms.max_attempts
            && until < self.terms.deadline
            && now.budget.spend(now.time);
        may.then_some((until, wait))
    }

    fn wait(&self, until: Moment, wait: Duration, then: Over) -> Next {
        Next::Wait {
            until,
            is_long: wait >= LONG_WAIT,
            then,
        }
    }

    fn usual_connection(&self) -> Over {
        match self.terms.is_repeatable {
            true => Over::Any,
            false => Over::JustUsed,
        }
    }

    fn say(&mut self, level: Level, words: String) {
        self.note = Some((level, words));
    }
}

enum Meaning {
    Response,
    /// The session is not active, and no work was done.
    Inactive,
    /// The token is no good, or the path is unknown.
    Unauthorized,
    StartingUp,
    /// Another one may come next time.
    MayPass,
}

/// Adds to an error what the caller has to know before it repeats the request.
pub fn unless_done(mut error: Error, may_be_done: bool, terms: Terms) -> Error {
    if may_be_done && !terms.is_repeatable {
        // The usual advice is wrong here.
        let end = error.message.rfind("; try again");
        error.message.truncate(end.unwrap_or(error.message.len()));
        error
            .message
            .push_str("; the server may have carried the request out");
        error.is_retryable = Some(false);
    }
    error
}

#[cfg(test)]
mod tests;
