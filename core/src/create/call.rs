//! One session call as a state machine: attempts, retries, and the replacement of an expired
//! session.
//!
//! A driver asks for the next [`Step`], carries it out, and passes the result to the call. The call
//! reads no clock: the driver passes the time.

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
        stopped::Stopped,
    },
    error::{Error, Status},
    http::answer::Answer,
    log::Level,
    moment::Moment,
    session::Session,
};

/// A call that waits for this long or longer gives its place to others.
pub const LONG_WAIT: Duration = Duration::from_secs(1);

/// How long a new session waits for its confirmation. The server needs this time until it finds a
/// session that it has just created. One that does not exist (a ghost) has a different id in every
/// answer.
pub const CONFIRMED_AFTER: Duration = Duration::from_millis(250);

/// The settings that all calls of a client share.
pub struct Policy {
    pub max_attempts: u32,
    /// The URL of the request. Messages call the server `authority`.
    pub url: Url,
    pub authority: String,
}

/// What the driver does next.
#[derive(Debug)]
pub enum Step {
    /// Send this body, and report the result with [`Call::answered`] or [`Call::failed`].
    Exchange { body: Vec<u8>, over: Over },
    /// Wait until then, and ask for the next step.
    Wait {
        until: Moment,
        /// The call gives its place to others while it waits.
        is_long: bool,
    },
    /// The call has ended.
    Finish(Result<Session, Error>),
    /// The call has reached its limits. An equal call may continue.
    Stop(Stopped),
}

/// Which connection a request goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// An idle connection, if there is one, or a new one.
    Any,
    /// An idle connection that was used a moment ago, so it is almost certainly alive. For a
    /// request that must not be sent twice.
    JustUsed,
    /// A new one, because the idle one was dead.
    Replacement,
    /// A new one, because the request must not be sent twice and an idle one may be dead.
    Own,
}

/// A failed attempt, with the facts that decide about the next one.
#[derive(Debug)]
pub struct Failed {
    pub error: Error,
    /// The attempt used an idle connection of an earlier exchange.
    pub was_kept: bool,
    /// A byte of the request may have reached the server. This is false while the connection, or
    /// the tunnel through a proxy, was still being opened.
    pub was_sent: bool,
    /// A byte of the answer has arrived.
    pub has_heard: bool,
}

/// The time, the random numbers and the retry budget that a decision depends on.
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
    /// How often the server has answered that it is starting.
    starts: u32,
    /// The call has sent a kill.
    has_killed: bool,
    late_answers: u32,
    /// The call continues where an equal one was stopped.
    goes_on: bool,
    next: Next,
    note: Option<Note>,
}

/// The request that the call is sending.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The caller's request.
    First,
    /// The kill that replaces an expired session.
    Kill,
    /// After a kill with an unknown outcome: the caller's request again.
    AfterKill,
    /// After an answer that took longer than the session had left: the caller's request again.
    AfterSlowAnswer,
    /// A plain request, repeated until the same session is returned twice.
    Confirmation { of: Option<String>, sessions: u32 },
}

/// Whether to send a request again when the idle connection turns out to be dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resend {
    /// Once for each attempt, if no byte of the answer has arrived. It does not count as an
    /// attempt. The server may close an idle connection at the moment of its use.
    Once,
    /// The attempt has used its resend. A dead connection counts as a failed attempt.
    No,
    /// The server must not carry out the request twice, and may have done so once. It goes over a
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
    Stop(Stopped),
    /// The driver has to report the result of an exchange, or the call has ended.
    Nothing,
}

impl Call {
    /// Starts a call. `stopped`: the point at which an equal call was stopped.
    pub fn new(
        errand: Arc<Errand>,
        deadline: Moment,
        stopped: Option<Stopped>,
        now: &Now<'_>,
    ) -> Self {
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
            goes_on: stopped.is_some(),
            next: Next::Nothing,
            note: None,
        };
        call.begin(phase, resend, now);
        if let Some(stopped) = stopped.filter(|stopped| stopped.until > now.time) {
            call.go_on(stopped, now);
        }
        call
    }

    /// Continues from where an equal call was stopped: waits until its next attempt was due.
    fn go_on(&mut self, stopped: Stopped, now: &Now<'_>) {
        let until = stopped.until;
        self.next = match until < self.deadline {
            true => Next::Wait {
                until,
                is_long: until.saturating_sub(now.time) >= LONG_WAIT,
                then: self.usual_connection(),
            },
            false => Next::Stop(stopped),
        };
    }

    /// Returns the next step. Each step is returned once.
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
            Next::Stop(stopped) => Step::Stop(stopped),
            Next::Nothing => Step::Finish(Err(Error::new(
                Status::Panic,
                "libzelf has a bug: a session call was asked for a step after its end; report it",
            ))),
        }
    }

    /// Takes the message for the log, if there is one.
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
        let is_worth_another = error.is_retryable() && may_go_out_again;
        let wait = retry::wait(error.retry_after, self.failures, (now.random)());
        let until = now.time.checked_add(wait).unwrap_or(Moment::MAX);
        let is_stopped = self.failures >= policy.max_attempts || until >= self.deadline;
        if is_worth_another && is_stopped && self.may_hand_on(until, now) {
            self.next = Next::Stop(Stopped { error, until });
            return;
        }
        // An equal call has the same budget, so it could not continue either.
        if !is_worth_another || is_stopped || !now.budget.spend(now.time) {
            self.give_up(error, may_be_done, now);
            return;
        }
        self.allow_resend();
        let attempt = self.failures + 1;
        let words = format!("{}; attempt {attempt} follows in {wait:?}", error.message);
        self.note = Some((Level::Warning, words));
        self.next = Next::Wait {
            until,
            is_long: wait >= LONG_WAIT,
            then: match self.usual_connection() {
                // If one connection broke, other idle ones may be broken too.
                Over::Any if error.http_status == 0 => Over::Replacement,
                usual => usual,
            },
        };
    }

    /// Returns whether an equal call may continue after this one.
    ///
    /// The first continuation is free: that call could have run alone. Each further one spends a
    /// retry. Otherwise a server in an outage would get a request for each waiting call. If `until`
    /// is past the deadline, a continuation is free too: the waiting calls that end before `until`
    /// get the same error, and only calls with more time continue.
    fn may_hand_on(&self, until: Moment, now: &Now<'_>) -> bool {
        !self.goes_on || until >= self.deadline || now.budget.spend(now.time)
    }

    /// Asks again until the server has started or the deadline has passed. This counts neither as
    /// an attempt nor as a retry: the server has not processed the request, and will soon be able
    /// to.
    fn wait_for_start(&mut self, error: Error, now: &Now<'_>) {
        self.starts = self.starts.saturating_add(1);
        let wait = retry::wait_for_start(error.retry_after, self.starts, (now.random)());
        let until = now.time.checked_add(wait).unwrap_or(Moment::MAX);
        if until >= self.deadline {
            self.next = Next::Stop(Stopped { error, until });
            return;
        }
        self.allow_resend();
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

    /// Allows a resend for the next attempt: its connection may be an idle one of any call.
    fn allow_resend(&mut self) {
        if self.resend == Resend::No {
            self.resend = Resend::Once;
        }
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
        // With a tag name, the server may return the session of another identifier.
        if let (Some(asked), None, Some(got)) = (
            &request.identifier,
            &request.tag_name,
            received.session.identifier(),
        ) && asked != got
        {
            return Err(Error::new(
                Status::ForeignSession,
                "the server returned the session of another identifier; set another identifier",
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
        // A new session would be too short as well.
        let is_too_short = aim.is_strict && session.whole_seconds() < aim.least;
        if is_too_short && life != Life::Goes && aim.kill != Kill::Never {
            let words = "the server's sessions are shorter than the required time; require less";
            self.next = Next::Finish(Err(expired(words)));
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
                let words = "the clocks disagree whether the session has expired, so it was not replaced; try again in a minute";
                self.next = Next::Finish(Err(expired(words)));
            }
            (_, Some(advice)) => {
                let words = format!("the server returned an expired session; {advice}");
                self.next = Next::Finish(Err(expired(words)));
            }
            (_, None) => {
                // The server returns an expired session until its reaper has run. Only a kill
                // creates a new one.
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

    /// Sends the request again. The next answer may be fast enough to tell whether the session has
    /// expired. Clocks count whole seconds, so the third request is sent one second later.
    fn received_late(&mut self, now: &Now<'_>) {
        const WHOLE_SECOND: Duration = Duration::from_secs(1);
        self.late_answers += 1;
        let until = now.time.saturating_add(WHOLE_SECOND);
        let may_wait = self.late_answers == 2 && !self.has_killed;
        let words = "the server returned a session that has expired, or has too little time left for answers this slow; try again";
        if self.late_answers == 1 {
            self.begin(Phase::AfterSlowAnswer, Resend::Once, now);
        } else if may_wait && until >= self.deadline {
            let error = expired(words);
            self.next = Next::Stop(Stopped { error, until });
        } else if may_wait {
            self.begin(Phase::AfterSlowAnswer, Resend::Once, now);
            self.next = Next::Wait {
                until,
                is_long: true,
                then: Over::Any,
            };
        } else {
            self.next = Next::Finish(Err(expired(words)));
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
        // Sessions without an id cannot be compared.
        let is_in_doubt = self.errand.aim.confirms && id.is_some() && session.is_fresh_at(now.time);
        let until = now.time.saturating_add(CONFIRMED_AFTER);
        if sessions >= GHOSTS_IN_A_ROW {
            self.next = Next::Finish(Err(aim::ghost()));
        } else if sessions == 1 && !is_in_doubt {
            self.next = Next::Finish(Ok(session));
        } else if until >= self.deadline {
            let words = "the time limit ends before the session can be confirmed; raise it";
            let error = Error::new(Status::Timeout, words);
            self.next = Next::Stop(Stopped { error, until });
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

    /// Returns advice for an expired session that must not be killed, or `None`.
    ///
    /// The server kills the session that it finds. Without an identifier that may be anybody's
    /// session, and with a tag name it may be another identifier's.
    fn why_not_replaced(&self, session: &Session) -> Option<&'static str> {
        let request = &self.errand.request;
        let may_be_first = matches!(self.phase, Phase::First | Phase::AfterSlowAnswer);
        if !may_be_first || self.has_killed || request.kills() {
            return Some("a request for a new one did not help; try again in a minute");
        }
        match (&request.identifier, &request.tag_name) {
            (None, _) => {
                Some("set an identifier so that it can be replaced, or try again in a minute")
            }
            (asked, Some(_)) if session.identifier() != asked.as_deref() => Some(
                "it may belong to another identifier, so it was not replaced; try again in a minute",
            ),
            _ => None,
        }
    }

    fn give_up(&mut self, error: Error, may_be_done: bool, now: &Now<'_>) {
        // The kill may have been carried out. A second kill could end the session that the first
        // one created, which another process of this device may be using by now. So a plain request
        // follows.
        let is_open = error.status.is_retryable() && may_be_done;
        if self.phase == Phase::Kill && is_open {
            self.begin(Phase::AfterKill, Resend::No, now);
            self.next = Next::Send(Over::Replacement);
        } else {
            self.next = Next::Finish(Err(error));
        }
    }
}

/// Returns whether this answer proves that the server has not carried out the request. A gateway's
/// 502 proves nothing.
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
            "the server returned a session that was created with another {option}; kill the session, or set another identifier"
        ),
    )
    .with_http_status(200)
}

fn expired(words: impl Into<String>) -> Error {
    Error::new(Status::SessionExpired, words).with_http_status(200)
}
