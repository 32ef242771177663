//! The session of a provider: which one a get returns, and which request is due when.
//!
//! The keeper receives the result of each request, and the time. It reads no clock and waits for
//! nothing.

use std::time::Duration;

use crate::{
    api::lifetime::LEAST_SECONDS,
    create::{
        aim::{self, Aim, GHOSTS_IN_A_ROW, Kill},
        call::CONFIRMED_AFTER,
        rules::{Renewal, Rules},
    },
    error::{Error, Status},
    moment::Moment,
    session::{Claim, Session},
};

/// The server removes expired sessions once a minute. Until it has removed one, the device cannot
/// get a new session from another address.
const REAPED_WITHIN: Duration = Duration::from_secs(60);

/// The pause between two requests to a server that returns the same session, give or take a fifth.
const BETWEEN_EQUAL_ANSWERS: Duration = Duration::from_secs(5);

/// How long a permanent error is remembered.
const PERMANENT_FOR: Duration = Duration::from_secs(1);

/// How long gets skip the keeper while another caller makes the request.
const MEANWHILE: Duration = Duration::from_millis(100);

/// The longest Retry-After that is respected. A longer one may be a mistake, and the server may be
/// back earlier.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(600);

/// The longest time that the server needs to carry out a request.
const KILL_SETTLES: Duration = Duration::from_millis(500);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Refusals of two sessions within this time have one cause.
const REFUSED_SOON: Duration = Duration::from_secs(10);

/// The answer to a caller who wants a session.
#[derive(Debug)]
pub enum Verdict {
    /// Return this session.
    Hand(Session),
    /// Return this session. A request is due, but the caller need not wait for it.
    HandAndWork(Session, Work),
    /// There is no session. One caller makes the request, and the others wait for it.
    Work(Work),
    /// There is no session, and it is too early for the next request.
    Fail(Error),
}

/// A request that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub task: Task,
    pub aim: Aim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Get a session that lasts longer.
    Renew,
    /// Find out whether the held session exists.
    Confirm,
}

/// The time and a random number, which a decision depends on.
#[derive(Clone, Copy)]
pub struct Now {
    pub time: Moment,
    /// Uniform over all values of its type.
    pub random: u32,
}

pub struct Keeper {
    rules: Rules,
    confirms: bool,
    held: Option<Held>,
    /// A known session that is preferred while the held one is unconfirmed.
    older: Option<Session>,
    /// The last session that a route has refused and that may exist. The server may return it
    /// later, when the device is back at its address.
    refused: Option<Session>,
    /// The address and the end of the last session that is known to exist.
    living: Option<(Option<String>, Moment)>,
    failures: u32,
    trouble: Option<Error>,
    /// When the server will have removed the old session, if the device has a new address.
    moved_until: Option<Moment>,
    /// No request is due before this time.
    pauses_until: Moment,
    refusals: Refusals,
    /// A refused session that is in use once more, and since when.
    tried: Option<(Session, Moment)>,
}

/// The session that gets return.
#[derive(Clone)]
struct Held {
    session: Session,
    doubt: Option<Doubt>,
    renews_at: Option<Moment>,
    /// A route has refused this session.
    is_refused: bool,
    /// The next request must not kill this refused session. The session that it returns is used,
    /// even if it is the same one.
    is_spared: bool,
    /// The session has expired, and the server has just returned it.
    is_over_and_alive: bool,
}

/// The session is unconfirmed: it may be a ghost.
#[derive(Clone, Copy)]
struct Doubt {
    confirm_at: Moment,
    failures: u32,
    /// How many sessions in a row had different ids.
    sessions: u32,
}

/// How many sessions in a row routes have refused.
#[derive(Default)]
struct Refusals {
    count: u32,
    last: Moment,
}

impl Keeper {
    /// Creates a keeper. `confirms`: renewals return only confirmed sessions.
    pub fn new(rules: Rules, confirms: bool) -> Self {
        Self {
            rules,
            confirms,
            held: None,
            older: None,
            refused: None,
            living: None,
            failures: 0,
            trouble: None,
            moved_until: None,
            pauses_until: Moment::ZERO,
            refusals: Refusals::default(),
            tried: None,
        }
    }

    /// Decides what a caller who wants a session gets.
    pub fn ask(&self, now: Moment) -> Verdict {
        let usable = self.usable(now);
        let work = self.due(now);
        match (usable, work) {
            (Some(session), None) => Verdict::Hand(session.clone()),
            (Some(session), Some(work)) => Verdict::HandAndWork(session.clone(), work),
            (None, Some(work)) => Verdict::Work(work),
            (None, None) => Verdict::Fail(self.refusal(now)),
        }
    }

    /// Returns the request for a caller who has become the leader. It is returned even during a
    /// pause, because the caller has waited for a leader who gave up.
    pub fn work(&self, now: Moment) -> Work {
        self.renewal(now)
    }

    /// Returns the request that is due now.
    pub fn due(&self, now: Moment) -> Option<Work> {
        if now < self.pauses_until {
            return None;
        }
        let Some(held) = &self.held else {
            return Some(self.renewal(now));
        };
        let is_in_time = held.renews_at.is_none_or(|at| now < at);
        if !self.is_good(&held.session, now) || held.is_refused || !is_in_time {
            return Some(self.renewal(now));
        }
        held.doubt
            .filter(|doubt| now >= doubt.confirm_at)
            .map(|_| self.confirmation())
    }

    /// Returns when the next request is due, for the thread that renews in advance.
    pub fn next_due(&self) -> Moment {
        let due = match &self.held {
            None => Moment::ZERO,
            Some(held) if held.is_refused => Moment::ZERO,
            Some(held) => {
                let last_use = self.last_use(&held.session);
                let confirm_at = held.doubt.map(|doubt| doubt.confirm_at);
                [held.renews_at, confirm_at]
                    .into_iter()
                    .flatten()
                    .fold(last_use, Moment::min)
            }
        };
        due.max(self.pauses_until)
    }

    /// Returns the session that a get may return without further checks, and until when.
    ///
    /// If a thread renews in advance, callers need not check for due requests.
    pub fn hand_out(&self, now: Moment) -> Option<(Session, Moment)> {
        let held = self.held.as_ref()?;
        let (session, until) = self.usable_until(now)?;
        let until = match self.rules.is_background {
            // A forked child has no such thread. Its gets stop using this session one second after
            // `confirm_at`, and confirm it.
            true => match held.doubt {
                Some(doubt) => until.min(doubt.confirm_at + Duration::from_secs(1)),
                None => until,
            },
            false => until.min(self.next_due()),
        };
        Some((session.clone(), until))
    }

    /// Returns the session that gets may return while another caller makes the request, and until
    /// when.
    pub fn hand_out_meanwhile(&self, now: Moment) -> Option<(Session, Moment)> {
        let (session, until) = self.usable_until(now)?;
        Some((session.clone(), until.min(now + MEANWHILE)))
    }

    fn usable_until(&self, now: Moment) -> Option<(&Session, Moment)> {
        let session = self.usable(now)?;
        let held = self.held.as_ref()?;
        let until = match held.is_over_and_alive {
            true => self.pauses_until,
            false => self.last_use(session),
        };
        Some((session, until))
    }

    /// Sets whether a thread renews in advance.
    pub fn set_background(&mut self, is_background: bool) {
        self.rules.is_background = is_background;
    }

    /// Adopts a session that another process has stored, if it is good. Returns whether it did.
    ///
    /// `doubted_since`: when the session was received, if it is unconfirmed.
    pub fn take_stored(
        &mut self,
        session: &Session,
        doubted_since: Option<Moment>,
        now: Now,
    ) -> bool {
        let is_news = self
            .held
            .as_ref()
            .is_none_or(|held| held.session.token() != session.token());
        let is_good = is_news && self.is_good(session, now.time) && !self.is_refused(session);
        if is_good {
            // `is_fresh_at` may use the age in the answer, not the age now. So `doubted_since`
            // decides.
            self.adopt(session.clone(), doubted_since, now);
        }
        is_good
    }

    /// Processes the result of a request.
    pub fn done(&mut self, work: &Work, outcome: Result<Session, Error>, now: Now) {
        match (work.task, outcome) {
            (Task::Renew, Ok(session)) => self.renewed(session, work.aim.confirms, now),
            (Task::Confirm, Ok(session)) => self.compared(session, now),
            // An unconfirmed session stays so, and stays in use.
            (Task::Confirm, Err(error)) => self.failed_to_confirm(error, now),
            (Task::Renew, Err(error)) => self.failed(error, &work.aim, now),
        }
    }

    /// Pauses because another process holds the lock, if there is a session to return.
    pub fn locked_out(&mut self, now: Now) {
        if self.usable(now.time).is_some() {
            let until = now.time + with_jitter(BETWEEN_EQUAL_ANSWERS, now.random);
            self.pauses_until = self.pauses_until.max(until);
        }
    }

    /// Marks as refused a session that was received after a refused one. Returns whether this is
    /// the first report.
    ///
    /// Another process may have replaced the session. So the next request kills nothing, and the
    /// session that it returns is tried once more. A session that has just been tried once more is
    /// not tried again at once: the server refuses a path that does not exist with the same words
    /// as a bad token.
    pub fn refuse_again(&mut self, rejected: &Session, now: Now) -> bool {
        let is_pause = self.tried.as_ref().is_some_and(|(tried, at)| {
            tried.is_same_as(rejected) && now.time.saturating_sub(*at) < BETWEEN_EQUAL_ANSWERS
        });
        if is_pause {
            return false;
        }
        let is_news = self.mark_refused(rejected, now);
        if let Some(held) = self.held.as_mut().filter(|_| is_news) {
            held.is_spared = held.is_refused;
        }
        is_news
    }

    /// Marks a session as refused by a route. Returns whether this is the first report.
    pub fn refuse(&mut self, rejected: &Session, now: Now) -> bool {
        let was_refused = self.held.as_ref().is_some_and(|held| held.is_refused);
        let is_news = self.mark_refused(rejected, now);
        if !was_refused && self.held.as_ref().is_some_and(|held| held.is_refused) {
            self.count_refusal(now);
        }
        is_news
    }

    /// Marks a session as refused. Returns whether this is the first report.
    fn mark_refused(&mut self, rejected: &Session, now: Now) -> bool {
        let is_older = self
            .older
            .as_ref()
            .is_some_and(|older| older.is_same_as(rejected));
        if is_older {
            self.refused = self.older.take();
        }
        let Some(held) = self.held.as_mut() else {
            return is_older;
        };
        if held.is_refused || !held.session.is_same_as(rejected) {
            return is_older;
        }
        held.is_refused = true;
        held.is_over_and_alive = false;
        // Remember the session, because the server may return it again. It never returns a ghost
        // again, so an unconfirmed session replaces only one that the server has removed.
        let is_gone = |refused: &Session| now.time >= refused.times().ends_at + REAPED_WITHIN;
        if held.doubt.is_none() || self.refused.as_ref().is_none_or(is_gone) {
            self.refused = Some(held.session.clone());
        }
        // The server can be reached, so a pause that the keeper has chosen ends. One that the
        // server has asked for does not.
        let is_asked_for = self
            .trouble
            .as_ref()
            .is_some_and(|error| error.retry_after.is_some());
        if !is_asked_for {
            self.pauses_until = now.time;
        }
        true
    }

    fn count_refusal(&mut self, now: Now) {
        let Refusals { count, last } = self.refusals;
        let is_soon = count > 0 && now.time.saturating_sub(last) < REFUSED_SOON;
        self.refusals = Refusals {
            count: if is_soon { count + 1 } else { 1 },
            last: now.time,
        };
        if self.refusals.count > 2 {
            // A renewal does not help: the server returns sessions that do not exist.
            self.trouble = Some(aim::refused_ghost());
            let until = now.time + with_jitter(BETWEEN_EQUAL_ANSWERS, now.random);
            self.pauses_until = self.pauses_until.max(until);
        }
    }

    /// Returns the result for a caller who has waited: the session, or the error.
    pub fn outcome(&self, now: Moment) -> Result<Session, Error> {
        match self.usable(now) {
            Some(session) => Ok(session.clone()),
            None => Err(self.refusal(now)),
        }
    }

    /// Returns the last error, with the time until the next request.
    pub fn last_error(&self, now: Moment) -> Option<Error> {
        let mut error = self.trouble.clone()?;
        error.is_retryable = self.ghosts_pass_in(now).map(|_| true);
        error.retry_after = Some(self.pauses_until.saturating_sub(now));
        Some(error)
    }

    /// Returns whether the held session is known to exist. The file of the session records this.
    pub fn is_confirmed(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.doubt.is_none())
    }

    pub fn held(&self) -> Option<&Session> {
        self.held.as_ref().map(|held| &held.session)
    }

    /// Returns whether this session may be stored: it is held, and no route has refused it.
    pub fn may_store(&self, session: &Session) -> bool {
        let held = self.held.as_ref().filter(|held| !held.is_refused);
        held.is_some_and(|held| held.session.is_same_as(session))
    }

    fn usable(&self, now: Moment) -> Option<&Session> {
        let older = self
            .older
            .as_ref()
            .filter(|older| self.is_good(older, now) || self.may_be_alive(older, now));
        let held = self.held.as_ref().filter(|held| {
            let is_good = self.is_good(&held.session, now);
            !held.is_refused && (is_good || held.is_over_and_alive && now < self.pauses_until)
        });
        match held {
            Some(held) if held.doubt.is_none() => Some(&held.session),
            _ => older.or(held.map(|held| &held.session)),
        }
    }

    fn last_use(&self, session: &Session) -> Moment {
        session.times().ends_at.saturating_sub(self.rules.min_valid)
    }

    fn is_good(&self, session: &Session, now: Moment) -> bool {
        now < self.last_use(session)
    }

    fn good_older(&self, now: Moment) -> Option<&Session> {
        self.older.as_ref().filter(|older| self.is_good(older, now))
    }

    /// Returns whether an expired session may be returned: with `NeverKill`, until the reaper has
    /// certainly run.
    fn may_be_alive(&self, session: &Session, now: Moment) -> bool {
        self.rules.renewal == Renewal::NeverKill && now < session.times().ends_at + REAPED_WITHIN
    }

    fn is_refused(&self, session: &Session) -> bool {
        let held = self.held.as_ref().filter(|held| held.is_refused);
        let mut all = held
            .map(|held| &held.session)
            .into_iter()
            .chain(&self.refused);
        all.any(|refused| refused.is_same_as(session))
    }

    fn refusal(&self, now: Moment) -> Error {
        let mut error = self.trouble.clone().unwrap_or_else(|| {
            Error::new(
                Status::SessionExpired,
                "the session has expired and was not renewed; try again",
            )
        });
        // For ghosts, this is when the server has removed the old session.
        let passes_in = self.ghosts_pass_in(now);
        error.is_retryable = passes_in.map(|_| true);
        error.retry_after = passes_in.or(Some(self.pauses_until.saturating_sub(now)));
        error
    }

    fn has_ghosts(&self) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|error| error.status == Status::GhostSession)
    }

    /// Returns how long an old session still keeps the device from getting a new one.
    fn ghosts_pass_in(&self, now: Moment) -> Option<Duration> {
        let left = self.moved_until?.checked_sub(now)?;
        (self.has_ghosts() && !left.is_zero()).then_some(left)
    }

    /// Returns how many seconds a session must have left to be accepted.
    ///
    /// The server counts whole seconds. With one second more than `min_valid`, the session still
    /// has `min_valid` left when it arrives, and a session at its last use counts as expired for
    /// the call as well.
    fn least(&self) -> i64 {
        let min_valid = self.rules.min_valid.as_secs();
        i64::try_from(min_valid)
            .unwrap_or(i64::MAX)
            .saturating_add(1)
            .max(LEAST_SECONDS)
    }

    fn renewal(&self, now: Moment) -> Work {
        let held = self.held.as_ref();
        let is_spared = held.is_some_and(|held| held.is_spared);
        let refused = held.filter(|held| held.is_refused);
        // After a failure, a kill may or may not have been carried out. A plain request tells.
        let is_early = refused.is_none()
            && self.failures == 0
            && held
                .is_some_and(|held| held.renews_at.is_some() && self.is_good(&held.session, now));
        let refused = refused.map(|held| &held.session).or(self.refused.as_ref());
        let kill = match self.rules.renewal {
            Renewal::NeverKill => Kill::Never,
            _ if is_spared => Kill::Never,
            Renewal::Early if is_early => Kill::First,
            Renewal::Early | Renewal::AtExpiry => Kill::IfOver,
        };
        let ahead = match self.rules.renewal {
            // The request is sent early. Without this, the call would accept the session that it is
            // to replace.
            Renewal::AtExpiry if self.rules.is_background => Rules::AHEAD.as_secs().cast_signed(),
            _ => 0,
        };
        Work {
            task: Task::Renew,
            aim: Aim {
                least: self.least().saturating_add(ahead),
                is_strict: true,
                kill,
                refused: refused
                    .filter(|_| !is_spared)
                    .and_then(Session::id)
                    .map(str::to_owned),
                // After ghosts, the next session may be one too.
                confirms: self.confirms || self.has_ghosts(),
            },
        }
    }

    fn confirmation(&self) -> Work {
        Work {
            task: Task::Confirm,
            aim: Aim {
                least: self.least(),
                kill: Kill::Never,
                ..Aim::default()
            },
        }
    }

    fn renewed(&mut self, session: Session, is_confirmed: bool, now: Now) {
        if let Some(spared) = self.held.take_if(|held| held.is_spared) {
            self.refused = None;
            let is_same = spared.session.is_same_as(&session);
            self.tried = is_same.then(|| (session.clone(), now.time));
        }
        if self.is_refused(&session) {
            if !self
                .held
                .as_ref()
                .is_some_and(|held| held.session.is_same_as(&session))
            {
                // The held session does not exist: the server has another one.
                self.held = None;
            }
            // A route refused this session, during the request or earlier. The next request names
            // its id. Without an id the call cannot recognise it, so fail.
            if session.id().is_none() {
                let words =
                    "the server still returns the token that a route has refused; try again";
                self.failed(
                    Error::new(Status::SessionNotActive, words),
                    &Aim::default(),
                    now,
                );
            }
            return;
        }
        if self.is_good(&session, now.time) || self.rules.renewal != Renewal::NeverKill {
            let may_be_ghost = !is_confirmed && session.is_fresh_at(now.time);
            self.adopt(session, may_be_ghost.then_some(now.time), now);
            return;
        }
        if session.is_fresh_at(now.time) {
            // Sessions are shorter than is required, or another clock says that it has expired. It
            // may be a ghost too.
            let words = "the new session has less time left than is required; require less, or check the clocks";
            let error = Error::new(Status::SessionExpired, words);
            return self.failed(error, &Aim::default(), now);
        }
        // The server still returns the expired session.
        self.failures = 0;
        self.trouble = None;
        self.pauses_until = now.time + with_jitter(BETWEEN_EQUAL_ANSWERS, now.random);
        self.remember_living(&session);
        self.older = None;
        self.held = Some(Held {
            session,
            doubt: None,
            renews_at: None,
            is_refused: false,
            is_spared: false,
            is_over_and_alive: true,
        });
    }

    /// Adopts a session. `doubted_since`: when it was received, if it may be a ghost.
    fn adopt(&mut self, session: Session, doubted_since: Option<Moment>, now: Now) {
        let before = self.held.take();
        let is_first = before.is_none();
        let is_same = before.as_ref().is_some_and(|held| {
            held.session.id().is_some() && held.session.id() == session.id() && !held.is_refused
        });
        let session = match &before {
            Some(held) if is_same => with_later_end(&held.session, session),
            _ => session,
        };
        let doubted_since = doubted_since.filter(|_| !is_same && session.id().is_some());
        let doubt = doubted_since.map(|since| Doubt {
            confirm_at: since.saturating_add(CONFIRMED_AFTER),
            failures: 0,
            // Count only a session that was received now.
            sessions: u32::from(since >= now.time),
        });
        // After a change of address, a create does not find the old session, and a kill does not
        // end it. So the old one still exists. The new one may be a ghost.
        let has_better = self.good_older(now.time).is_some();
        let known = before
            .filter(|held| !held.is_refused && (held.doubt.is_none() || !has_better))
            .map(|held| held.session);
        self.older = known
            .or_else(|| self.older.take())
            .filter(|older| doubt.is_some() && has_moved(older, &session));
        if doubt.is_none() {
            self.remember_living(&session);
        }
        self.failures = 0;
        self.trouble = None;
        self.pauses_until = now.time;
        self.hold(session, doubt, now);
        if let Some(held) = self.held.as_mut().filter(|_| !is_first) {
            // A renewal that gained too little time is not repeated at once.
            let not_before = now.time + BETWEEN_EQUAL_ANSWERS;
            held.renews_at = held.renews_at.map(|at| at.max(not_before));
        }
    }

    fn hold(&mut self, session: Session, doubt: Option<Doubt>, now: Now) {
        let times = session.times();
        let whole = times.expires_at.saturating_sub(times.activated_at);
        let whole = match times.activated_at {
            0 => Duration::from_secs(600),
            _ => Duration::from_secs(u64::try_from(whole).unwrap_or(0)),
        };
        self.held = Some(Held {
            renews_at: self.rules.renews_at(times.ends_at, whole, now.random),
            session,
            doubt,
            is_refused: false,
            is_spared: false,
            is_over_and_alive: false,
        });
    }

    /// Compares the held, unconfirmed session with the one that a plain request returned.
    fn compared(&mut self, session: Session, now: Now) {
        let Some(held) = &self.held else {
            return self.renewed(session, false, now);
        };
        let is_same = held.session.id() == session.id();
        let is_refused = held.is_refused;
        let sessions = held.doubt.map_or(1, |doubt| doubt.sessions) + u32::from(!is_same);
        self.failures = 0;
        self.trouble = None;
        if is_same {
            let session = with_later_end(&held.session, session);
            self.older = None;
            self.remember_living(&session);
            self.hold(session, None, now);
            if let Some(held) = &mut self.held {
                held.is_refused = is_refused;
            }
            return;
        }
        if !session.is_fresh_at(now.time) || self.is_refused(&session) {
            // A ghost is new, and no route has refused it before. So this session exists.
            self.older = None;
            self.held = None;
            return self.renewed(session, false, now);
        }
        if !is_refused && has_moved(&held.session, &session) {
            // After a change of address, the server does not return the held session even if it
            // exists. Keep it as `older`, unless there is a good one already.
            self.older = self.good_older(now.time).or(Some(&held.session)).cloned();
        }
        if sessions >= GHOSTS_IN_A_ROW {
            return self.found_ghosts(session.claim(Claim::Address), now);
        }
        let doubt = Doubt {
            confirm_at: now.time + CONFIRMED_AFTER,
            failures: 0,
            sessions,
        };
        self.pauses_until = now.time;
        self.hold(session, Some(doubt), now);
    }

    /// Handles three ghosts in a row: the server returns no session that exists. An old session
    /// that exists is used again.
    ///
    /// `address`: the device's address, as the server sees it.
    fn found_ghosts(&mut self, address: Option<&str>, now: Now) {
        self.moved_until = self
            .living
            .as_ref()
            .filter(|(old, _)| is_another(old.as_deref(), address))
            .map(|(_, ends_at)| *ends_at + REAPED_WITHIN);
        self.pause_for_ghosts(aim::ghost(), now);
        self.held = None;
        let Some(older) = self.older.take() else {
            return;
        };
        let is_good = self.is_good(&older, now.time);
        let is_over_and_alive = !is_good && self.may_be_alive(&older, now.time);
        if is_good || is_over_and_alive {
            self.hold(older, None, now);
        }
        if let Some(held) = &mut self.held {
            held.is_over_and_alive = is_over_and_alive;
        }
    }

    fn pause_for_ghosts(&mut self, error: Error, now: Now) {
        self.trouble = Some(error);
        self.pauses_until = now.time + with_jitter(2 * BETWEEN_EQUAL_ANSWERS, now.random);
    }

    /// Handles a call that confirms and has received only ghosts.
    fn failed_for_ghosts(&mut self, error: Error, now: Now) {
        // Waiting helps only if an old session existed. Otherwise the server misreads the
        // identifier.
        self.moved_until = self
            .living
            .as_ref()
            .map(|(_, ends_at)| *ends_at + REAPED_WITHIN);
        self.pause_for_ghosts(error, now);
        let is_alive = self
            .held
            .as_ref()
            .is_some_and(|held| !held.is_refused && self.may_be_alive(&held.session, now.time));
        if let Some(held) = &mut self.held {
            held.is_over_and_alive = is_alive;
        }
    }

    /// Handles a failed confirmation: it is repeated later. It is not a failed renewal and delays
    /// none, unless the server asks for a pause.
    fn failed_to_confirm(&mut self, error: Error, now: Now) {
        let Some(doubt) = self.held.as_mut().and_then(|held| held.doubt.as_mut()) else {
            return;
        };
        doubt.failures = doubt.failures.saturating_add(1);
        let pause = longest_pause(doubt.failures).max(PERMANENT_FOR);
        doubt.confirm_at = now.time + with_jitter(pause, now.random);
        if let Some(asked) = error.retry_after {
            let until = now.time + asked.min(LONGEST_ASKED_PAUSE);
            self.pauses_until = self.pauses_until.max(until);
            self.trouble = Some(error);
        }
    }

    fn failed(&mut self, error: Error, aim: &Aim, now: Now) {
        self.failures = self.failures.saturating_add(1);
        let pause = match error.status {
            Status::GhostSession => return self.failed_for_ghosts(error, now),
            // The server would return the same session again.
            Status::SessionExpired
            | Status::SessionNotActive
            | Status::OtherOptions
            | Status::ForeignSession => with_jitter(BETWEEN_EQUAL_ANSWERS, now.random),
            _ if !error.is_retryable() => PERMANENT_FOR,
            _ => {
                let longest = longest_pause(self.failures);
                let pause = longest.mul_f64(f64::from(now.random) / f64::from(u32::MAX));
                self.until_last_use(pause, now.time)
            }
        };
        let asked = error.retry_after.unwrap_or_default();
        let mut until = now.time + pause;
        let is_open = matches!(
            error.status,
            Status::Timeout | Status::ConnectionLost | Status::Server
        );
        if aim.kill != Kill::Never && is_open {
            // The kill may still be in progress. An answer before its end could contain the session
            // that it ends.
            until = until.max(now.time + KILL_SETTLES);
        }
        self.pauses_until = until.max(now.time + asked.min(LONGEST_ASKED_PAUSE));
        if let Some(held) = &mut self.held {
            held.is_over_and_alive = false;
        }
        self.trouble = Some(error);
    }

    /// Shortens a pause so that it ends when the held session does: then a renewal is worth another
    /// try.
    fn until_last_use(&self, pause: Duration, now: Moment) -> Duration {
        let held = self.held.as_ref().filter(|held| !held.is_refused);
        let left = held.map(|held| self.last_use(&held.session).saturating_sub(now));
        match left {
            Some(left) if !left.is_zero() => pause.min(left),
            _ => pause,
        }
    }

    fn remember_living(&mut self, session: &Session) {
        let address = session.claim(Claim::Address).map(str::to_owned);
        self.living = Some((address, session.times().ends_at));
    }
}

/// Returns whether the device had different addresses for the two sessions.
fn has_moved(one: &Session, other: &Session) -> bool {
    is_another(one.claim(Claim::Address), other.claim(Claim::Address))
}

fn is_another(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// Returns the held session or the same session from a later answer, whichever ends later.
///
/// The duration of an exchange is subtracted from its session's time. So the later end is nearer to
/// the truth.
fn with_later_end(held: &Session, again: Session) -> Session {
    match again.times().ends_at < held.times().ends_at {
        true => held.clone(),
        false => again,
    }
}

/// Returns the longest pause after this many failures in a row.
fn longest_pause(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_PAUSE)
}

/// Returns the wait, longer or shorter by up to a fifth.
fn with_jitter(wait: Duration, random: u32) -> Duration {
    wait.mul_f64(0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
