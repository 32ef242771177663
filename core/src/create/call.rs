//! One session call as a state machine: attempts, retries, the replacement of an
//! expired session.
//!
//! A driver asks for the next [`Step`], carries it out, and tells the call what
//! came of it. The call reads no clock: the driver says what time it is.

use std::{mem, sync::Arc, time::Duration};

use url::Url;

use crate::{
    api::{
        lifetime::{Clocks, Life},
        refusal,
        session_answer::{self, Received},
    },
    create::{
        aim::{self, Errand, GHOSTS_IN_A_ROW, Kill},
        budget::Budget,
        retry,
    },
    error::{Error, Status},
    http::answer::Answer,
    log::Level,
    moment::Moment,
    session::Session,
};

/// A call that waits as long as this makes room for others.
pub const LONG_WAIT: Duration = Duration::from_secs(1);

/// A session that does not exist has another id in every answer. The server needs a
/// moment until it finds a new one.
pub const CONFIRMED_AFTER: Duration = Duration::from_millis(250);

/// What all calls of a client have in common.
pub struct Policy {
    pub max_attempts: u32,
    /// The URL that is asked, and what messages call the server.
    pub url: Url,
    pub authority: String,
}

/// What the driver is to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this body, and say what came of it: [`Call::answered`] or
    /// [`Call::failed`].
    Exchange { body: Vec<u8>, over: Over },
    /// Wait, then ask again.
    Wait {
        until: Moment,
        /// The call gives its place to others meanwhile.
        is_long: bool,
    },
    /// The call is over.
    Finish(Result<Session, Error>),
}

/// Which connection a request goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// One that an earlier exchange has left, if there is one.
    Any,
    /// One that an earlier exchange has left a moment ago. It is as good as certain to be
    /// alive, for a request that must not be sent twice.
    JustUsed,
    /// A new one, in place of one that was dead.
    Replacement,
    /// A new one: what must not be sent twice must not meet a dead one.
    Own,
}

/// A failed attempt, as far as it matters for the next.
#[derive(Debug)]
pub struct Failed {
    pub error: Error,
    /// The connection was one that an earlier exchange had left.
    pub was_kept: bool,
    /// A byte of the request may have reached the server. It has not while the
    /// connection, or the tunnel through a proxy, was still being made.
    pub was_sent: bool,
    /// A byte of an answer had come.
    pub has_heard: bool,
}

/// What a decision depends on, apart from the call.
pub struct Now<'a> {
    pub time: Moment,
    pub random: fn() -> u32,
    pub budget: &'a Budget,
}

/// A message for the log.
pub type Note = (Level, String);

pub struct Call {
    errand: Arc<Errand>,
    deadline: Moment,
    phase: Phase,
    resend: Resend,
    failures: u32,
    /// How often the server has said that it is starting.
    starts: u32,
    /// The call has killed a session, or has tried to.
    has_killed: bool,
    late_answers: u32,
    next: Next,
    note: Option<Note>,
}

/// Which of its requests the call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// What was asked for.
    First,
    /// The kill that replaces an expired session.
    Kill,
    /// After a kill whose end is unknown: what was asked for, once more.
    AfterKill,
    /// After an answer that took longer than the session had left: what was asked
    /// for, once more.
    AfterSlowAnswer,
    /// What was asked for, until the same session comes twice.
    Confirmation { of: Option<String>, sessions: u32 },
}

/// Whether a request may go out again when a connection that was kept turns out
/// to be dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resend {
    /// Without counting as an attempt, if no byte of an answer has come. The
    /// server may close a kept connection at the moment of its use.
    Once,
    /// That is an attempt that failed.
    No,
    /// The server may have carried it out, and must not do so twice. It gets a
    /// new connection.
    Never,
}

enum Next {
    Send(Over),
    Wait {
        until: Moment,
        is_long: bool,
        then: Over,
    },
    Finish(Result<Session, Error>),
    /// The driver owes the outcome of an exchange, or the call is over.
    Nothing,
}

impl Call {
    pub fn new(errand: Arc<Errand>, deadline: Moment, now: &Now<'_>) -> Self {
        let phase = match errand.aim.kill {
            Kill::First => Phase::Kill,
            Kill::IfOver | Kill::Never => Phase::First,
        };
        let resend = match phase == Phase::Kill || errand.request.kills() {
            true => Resend::Never,
            false => Resend::Once,
        };
        let mut call = Self {
            errand,
            deadline,
            phase: phase.clone(),
            resend,
            failures: 0,
            starts: 0,
            has_killed: false,
            late_answers: 0,
            next: Next::Nothing,
            note: None,
        };
        call.begin(phase, resend, now);
        call
    }

    /// Returns the next step. Each is returned once.
    pub fn step(&mut self) -> Step {
        match mem::replace(&mut self.next, Next::Nothing) {
            Next::Send(over) => Step::Exchange {
                body: self.body(),
                over,
            },
            Next::Wait {
                until,
                is_long,
                then,
            } => {
                self.next = Next::Send(then);
                Step::Wait { until, is_long }
            }
            Next::Finish(outcome) => Step::Finish(outcome),
            Next::Nothing => Step::Finish(Err(Error::new(
                Status::Panic,
                "libzelf has a bug: a call was asked for a step that it does not have",
            ))),
        }
    }

    /// Returns what the log is to be told, once.
    pub fn take_note(&mut self) -> Option<Note> {
        self.note.take()
    }

    pub fn answered(
        &mut self,
        answer: &Answer<'_>,
        clocks: Clocks,
        policy: &Policy,
        now: &Now<'_>,
    ) {
        match self.judge(answer, clocks, policy) {
            Ok(received) => self.received(received, now),
            Err(error) => self.failed(
                Failed {
                    error,
                    was_kept: false,
                    was_sent: true,
                    has_heard: true,
                },
                policy,
                now,
            ),
        }
    }

    pub fn failed(&mut self, failed: Failed, policy: &Policy, now: &Now<'_>) {
        let Failed {
            error,
            was_kept,
            was_sent,
            has_heard,
        } = failed;
        let was_dead = was_kept && !has_heard && error.status == Status::ConnectionLost;
        if self.resend == Resend::Once {
            // The connections that the call makes itself have no second chance.
            self.resend = Resend::No;
            if was_dead {
                let words = "the kept connection was dead; sending again on a new one";
                self.note = Some((Level::Info, words.to_owned()));
                self.next = Next::Send(Over::Replacement);
                return;
            }
        }
        if error.status == Status::StartingUp {
            self.wait_for_start(error, now);
            return;
        }
        self.failures += 1;
        let may_be_done = was_sent && !is_refused_unread(&error);
        let may_go_out_again = self.resend != Resend::Never || !may_be_done;
        let is_worth_another = error.status.is_retryable() && may_go_out_again;
        let wait = retry::wait(error.retry_after, self.failures, (now.random)());
        let until = now.time.checked_add(wait).unwrap_or(Moment::MAX);
        if !is_worth_another
            || self.failures >= policy.max_attempts
            || until >= self.deadline
            || !now.budget.spend(now.time)
        {
            self.give_up(error, may_be_done, now);
            return;
        }
        let attempt = self.failures + 1;
        let words = format!("{}; attempt {attempt} follows in {wait:?}", error.message);
        self.note = Some((Level::Warning, words));
        self.next = Next::Wait {
            until,
            is_long: wait >= LONG_WAIT,
            then: match self.usual_connection() {
                // Where one connection broke, others that rest may have broken too.
                Over::Any if error.http_status == 0 => Over::Replacement,
                usual => usual,
            },
        };
    }

    /// Asks again until the server has started or the time is over. That is neither an
    /// attempt nor a retry: the server has done nothing, and will soon.
    fn wait_for_start(&mut self, error: Error, now: &Now<'_>) {
        self.starts = self.starts.saturating_add(1);
        let wait = retry::wait_for_start(error.retry_after, self.starts, (now.random)());
        let until = now.time.checked_add(wait).unwrap_or(Moment::MAX);
        if until >= self.deadline {
            self.next = Next::Finish(Err(error));
            return;
        }
        let words = format!("{}; asking again in {wait:?}", error.message);
        self.note = Some((Level::Info, words));
        self.next = Next::Wait {
            until,
            is_long: wait >= LONG_WAIT,
            then: self.usual_connection(),
        };
    }

    fn begin(&mut self, phase: Phase, resend: Resend, now: &Now<'_>) {
        now.budget.count_call(now.time);
        self.has_killed |= phase == Phase::Kill;
        self.phase = phase;
        self.resend = resend;
        self.failures = 0;
        self.next = Next::Send(self.usual_connection());
    }

    fn usual_connection(&self) -> Over {
        match self.resend {
            Resend::Never => Over::Own,
            Resend::Once | Resend::No => Over::Any,
        }
    }

    fn body(&self) -> Vec<u8> {
        let request = &self.errand.request;
        match self.phase {
            Phase::First | Phase::AfterKill | Phase::AfterSlowAnswer => request.body(),
            Phase::Kill => request.killing().body(),
            Phase::Confirmation { .. } => request.sparing().body(),
        }
    }

    fn judge(
        &self,
        answer: &Answer<'_>,
        clocks: Clocks,
        policy: &Policy,
    ) -> Result<Received, Error> {
        if !(200..300).contains(&answer.status) {
            let (url, authority) = (&policy.url, &policy.authority);
            return Err(refusal::read(answer, url, authority, clocks.wall));
        }
        let Errand { request, aim } = &*self.errand;
        let received = session_answer::read(answer, request, clocks, aim.least)?;
        // A tag name is there to find another identifier's session.
        if let (Some(asked), None, Some(got)) = (
            &request.identifier,
            &request.tag_name,
            received.session.identifier(),
        ) && asked != got
        {
            return Err(Error::new(
                Status::ForeignSession,
                "the server returned the session of another identifier, which is not handed out; try another identifier",
            )
            .with_http_status(answer.status));
        }
        Ok(received)
    }

    fn received(&mut self, received: Received, now: &Now<'_>) {
        let Received {
            session,
            life,
            contradicts,
        } = received;
        let aim = &self.errand.aim;
        let is_refused = aim.refused.is_some() && aim.refused.as_deref() == session.id();
        if is_refused && (aim.kill == Kill::Never || self.phase != Phase::First) {
            self.next = Next::Finish(Err(refused()));
            return;
        }
        let is_wanted = !is_refused && (life == Life::Goes || aim.kill == Kill::Never);
        if is_wanted && let Some(option) = contradicts {
            self.next = Next::Finish(Err(other_options(option)));
            return;
        }
        // A new one would be over at once as well.
        let is_too_short = aim.is_strict && session.whole_seconds() < aim.least;
        if is_too_short && life != Life::Goes && aim.kill != Kill::Never {
            let advice = "because sessions do not live as long as is asked for; ask for less";
            self.next = Next::Finish(Err(expired(advice)));
            return;
        }
        let goes = life == Life::Goes && !is_refused;
        let is_late = aim.is_strict && session.seconds_left_at(now.time) < aim.least;
        if goes && is_late && aim.kill != Kill::Never {
            self.received_late(now);
            return;
        }
        match (life, self.why_not_replaced(&session)) {
            (Life::Goes, _) if goes => self.received_living(session, now),
            (_, _) if is_wanted => self.next = Next::Finish(Ok(session)),
            (Life::IsInDoubt, _) if !is_refused => {
                let advice =
                    "but not every clock says so, so it was not replaced; try again in a minute";
                self.next = Next::Finish(Err(expired(advice)));
            }
            (_, Some(advice)) => self.next = Next::Finish(Err(expired(advice))),
            (_, None) => {
                // The server goes on returning an expired session until its reaper
                // has run. Only a kill brings a new one.
                let what = match is_refused {
                    true => "a session that a route has refused",
                    false => "an expired session",
                };
                let words = format!("the server returned {what}; replacing it");
                self.note = Some((Level::Info, words));
                self.begin(Phase::Kill, Resend::Never, now);
            }
        }
    }

    /// Asks once more. The next answer may be fast enough to tell whether the session
    /// is over. Clocks tell whole seconds, so the third comes one later.
    fn received_late(&mut self, now: &Now<'_>) {
        const WHOLE_SECOND: Duration = Duration::from_secs(1);
        self.late_answers += 1;
        let until = now.time.saturating_add(WHOLE_SECOND);
        if self.late_answers == 1 {
            self.begin(Phase::AfterSlowAnswer, Resend::Once, now);
        } else if self.late_answers == 2 && !self.has_killed && until < self.deadline {
            self.begin(Phase::AfterSlowAnswer, Resend::Once, now);
            self.next = Next::Wait {
                until,
                is_long: true,
                then: Over::Any,
            };
        } else {
            let advice = "or has too little left for answers as slow as these; try again";
            self.next = Next::Finish(Err(expired(advice)));
        }
    }

    fn received_living(&mut self, session: Session, now: &Now<'_>) {
        let id = session.id();
        let sessions = match &self.phase {
            Phase::Confirmation { of, sessions } if of.as_deref() != id => sessions + 1,
            Phase::Confirmation { .. } => {
                self.next = Next::Finish(Ok(session));
                return;
            }
            _ => 1,
        };
        // Without an id nothing can be compared.
        let is_in_doubt = self.errand.aim.confirms && id.is_some() && session.is_fresh_at(now.time);
        let until = now.time.saturating_add(CONFIRMED_AFTER);
        if sessions >= GHOSTS_IN_A_ROW {
            self.next = Next::Finish(Err(aim::ghost()));
        } else if sessions == 1 && !is_in_doubt {
            self.next = Next::Finish(Ok(session));
        } else if until >= self.deadline {
            let words = "the time limit leaves no time to confirm the session; raise it";
            self.next = Next::Finish(Err(Error::new(Status::Timeout, words)));
        } else {
            let of = id.map(str::to_owned);
            self.begin(Phase::Confirmation { of, sessions }, Resend::Once, now);
            self.next = Next::Wait {
                until,
                is_long: false,
                then: Over::Any,
            };
        }
    }

    /// Returns advice about an expired session that must not be killed. The server
    /// kills what it finds: without an identifier anybody's session, and with a
    /// tag name perhaps another identifier's.
    fn why_not_replaced(&self, session: &Session) -> Option<&'static str> {
        let request = &self.errand.request;
        let may_be_first = matches!(self.phase, Phase::First | Phase::AfterSlowAnswer);
        if !may_be_first || self.has_killed || request.kills() {
            return Some("even after asking for a new one; try again in a minute");
        }
        match (&request.identifier, &request.tag_name) {
            (None, _) => {
                Some("set an identifier, with which it can be replaced, or try again in a minute")
            }
            (asked, Some(_)) if session.identifier() != asked.as_deref() => Some(
                "it may be another identifier's, so it was not replaced; try again in a minute",
            ),
            _ => None,
        }
    }

    fn give_up(&mut self, error: Error, may_be_done: bool, now: &Now<'_>) {
        // A kill may have been carried out or not. A second one could end the
        // session that the first has made, and that another process of this device
        // may have been given by now. So a plain request follows.
        let is_open = error.status.is_retryable() && may_be_done;
        if self.phase == Phase::Kill && is_open {
            self.begin(Phase::AfterKill, Resend::No, now);
            self.next = Next::Send(Over::Replacement);
        } else {
            self.next = Next::Finish(Err(error));
        }
    }
}

/// Whether a server that answers so has certainly not done what it was asked. A
/// gateway's 502 leaves that open.
fn is_refused_unread(error: &Error) -> bool {
    matches!(error.status, Status::StartingUp | Status::RateLimited)
}

fn refused() -> Error {
    Error::new(
        Status::SessionNotActive,
        "the server still returns the session that a route has refused; try again in a minute",
    )
    .with_http_status(200)
}

fn other_options(option: &str) -> Error {
    Error::new(
        Status::OtherOptions,
        format!(
            "the server returned a session that was made with another {option}; kill the session, or set another identifier"
        ),
    )
    .with_http_status(200)
}

fn expired(advice: &str) -> Error {
    Error::new(
        Status::SessionExpired,
        format!("the server returned a session that has expired by its own clock; {advice}"),
    )
    .with_http_status(200)
}
