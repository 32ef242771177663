//! One request as a state machine: attempts, retries and renewals of the session.
//!
//! A driver asks for the next [`Step`], carries it out, and reports the result. No clock is read
//! here: the driver passes the time.
//!
//! The meanings of answers were measured at the real server. It refuses an inactive session before
//! it does any work, so any request may be sent again. A time-out or an error of a gateway leaves
//! open whether the work was done.

use std::{mem, time::Duration};

use crate::{
    api::{
        refusal, server_words,
        session_refusal::{self, SessionRefusal},
    },
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

/// What the driver does next.
#[derive(Debug)]
pub enum Step {
    /// Get a session, and report it with [`Sending::has_session`], or end with the error.
    /// `is_refused`: the last session was refused. `may_kill`: it may be replaced by a kill, once.
    Session { is_refused: bool, may_kill: bool },
    /// Send the request, and report the result with [`Sending::answered`] or [`Sending::failed`].
    Exchange { over: Over },
    /// Wait until then, and ask for the next step.
    Wait {
        until: Moment,
        /// The call gives its place to others while it waits.
        is_long: bool,
    },
    /// The request has ended. With `Ok`, the last answer is the response.
    Finish(Result<(), Error>),
}

/// The limits of a request. They do not change.
#[derive(Clone, Copy)]
pub struct Terms {
    pub deadline: Moment,
    pub max_attempts: u32,
    /// The server may carry the request out more than once.
    pub is_repeatable: bool,
    /// Sessions come from a provider, and can be renewed.
    pub renews: bool,
}

pub struct Sending {
    terms: Terms,
    /// A dead connection was met in this attempt. The next one counts as a failed attempt.
    has_resent: bool,
    failures: u32,
    /// How many times the server has answered that it is starting.
    starts: u32,
    /// How many times a session was refused as not active.
    inactive: u32,
    /// A session was refused as invalid.
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

    /// Returns the next step. Must not be called after the end.
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
                "libzelf has a bug: a request was asked for a step after its end; report it",
            ))),
        }
    }

    pub fn take_note(&mut self) -> Option<Note> {
        self.note.take()
    }

    /// Reports that there is a session.
    pub fn has_session(&mut self) {
        self.next = Next::Exchange(self.usual_connection());
    }

    /// Reports an answer of the server. `wall`: the device's wall clock, for a `Retry-After`
    /// without a `Date`.
    pub fn answered(&mut self, answer: &Answer<'_>, wall: i64, now: &Now<'_>) {
        self.has_resent = false;
        self.next = match self.meaning(answer) {
            Meaning::Response => Next::Finish(Ok(())),
            Meaning::Refused(SessionRefusal::Inactive) => self.renew_inactive(answer),
            Meaning::Refused(SessionRefusal::Unauthorized) => self.renew_unauthorized(),
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
        if code == 404 {
            // The server's answer is plain text. The same words in JSON come from a route.
            let is_start = answer.body.len() <= session_refusal::LONGEST
                && answer.body.trim_ascii() == b"Not Found"
                && self.terms.is_repeatable;
            return match is_start {
                true => Meaning::StartingUp,
                false => Meaning::Response,
            };
        }
        match SessionRefusal::read(code, answer.body, answer.coding) {
            Some(refusal) if self.terms.renews => Meaning::Refused(refusal),
            _ => Meaning::Response,
        }
    }

    /// Renews the session. The third refused session proves that none is active.
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

    /// Renews the session once. The server refuses an unknown path in the same words, so the second
    /// refusal is passed to the caller.
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

    /// Repeats a request whose answer may be different next time.
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

    /// Reports a failed exchange or connection. `is_whole`: the server may have the whole request.
    pub fn failed(&mut self, failed: Failed, is_whole: bool, now: &Now<'_>) {
        let Failed {
            error,
            was_kept,
            was_sent,
            has_heard,
        } = failed;
        // A server does not process a part of a request, unless it answers early.
        let may_be_done = was_sent && (is_whole || has_heard);
        let may_go_out_again = self.terms.is_repeatable || !may_be_done;
        let was_dead = was_kept && !has_heard && error.status == Status::ConnectionLost;
        if was_dead && may_go_out_again && !mem::replace(&mut self.has_resent, true) {
            let words = "the kept connection was dead; sending again on a new one";
            self.say(Level::Info, words.to_owned());
            self.next = Next::Exchange(Over::Replacement);
            return;
        }
        let is_worth_another = may_go_out_again && error.is_retryable();
        let attempt = match is_worth_another {
            true => self.another_attempt(error.retry_after, now),
            false => None,
        };
        self.next = match attempt {
            Some((until, wait)) => {
                self.has_resent = false;
                let attempt = self.failures + 1;
                let words = format!("{}; attempt {attempt} follows in {wait:?}", error.message);
                self.say(Level::Warning, words);
                // If one connection broke, other idle ones may be broken too.
                self.wait(until, wait, Over::Replacement)
            }
            None => Next::Finish(Err(unless_done(error, may_be_done, self.terms))),
        };
    }

    /// Returns the end and the length of the pause before another attempt. Returns `None` if no
    /// other attempt may be made.
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
    Refused(SessionRefusal),
    StartingUp,
    /// The answer may be different next time.
    MayPass,
}

/// Adds a warning to an error if the server may have carried the request out.
pub fn unless_done(mut error: Error, may_be_done: bool, terms: Terms) -> Error {
    if may_be_done && !terms.is_repeatable {
        // The usual advice to try again is wrong here.
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
