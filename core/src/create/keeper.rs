//! Keeps one session for a provider: which one is handed out, what has to be asked
//! of the server and when.
//!
//! It is told what came of each piece of work and what time it is. It reads no
//! clock and waits for nothing.

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

/// The server's reaper runs once a minute. Until then a session that is over keeps
/// other addresses of the device from having a new one.
const REAPED_WITHIN: Duration = Duration::from_secs(60);

/// Two requests to a server that returns the same session are so far apart, within a
/// fifth.
const BETWEEN_EQUAL_ANSWERS: Duration = Duration::from_secs(5);

/// An error that will not pass is remembered for so long.
const PERMANENT_FOR: Duration = Duration::from_secs(1);

/// While another does the work, one get in this time looks whether there is some.
const MEANWHILE: Duration = Duration::from_millis(100);

/// No Retry-After is kept for longer: it may be a mistake, and the server may be back.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(600);

/// The server has carried out within this time what it has received.
const KILL_SETTLES: Duration = Duration::from_millis(500);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Two refusals within this time have one cause.
const REFUSED_SOON: Duration = Duration::from_secs(10);

/// What the keeper makes of a wish for a session.
#[derive(Debug)]
pub enum Verdict {
    /// Here it is.
    Hand(Session),
    /// Here it is; somebody has to do the work, and nobody has to wait for it.
    HandAndWork(Session, Work),
    /// There is none. Somebody has to do the work, and all wait for it.
    Work(Work),
    /// There is none, and it is too early to ask again.
    Fail(Error),
}

/// What is to be asked of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub task: Task,
    pub aim: Aim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A session that is good for longer.
    Renew,
    /// Whether the session that is handed out exists.
    Confirm,
}

/// What a decision depends on, apart from the keeper.
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
    /// A session that is preferred while the held one is in doubt.
    older: Option<Session>,
    /// The last session that a route has refused and that may exist. From another address
    /// others come meanwhile, and the server returns it again later.
    refused: Option<Session>,
    /// The last session that is known to exist: where it was made, and its end.
    living: Option<(Option<String>, Moment)>,
    failures: u32,
    trouble: Option<Error>,
    /// The device has another address now. Its old session has gone by then.
    moved_until: Option<Moment>,
    /// Nothing is asked before.
    pauses_until: Moment,
    refusals: Refusals,
    /// A refused session that is tried once more, and since when.
    tried: Option<(Session, Moment)>,
}

/// The session that is handed out.
#[derive(Clone)]
struct Held {
    session: Session,
    doubt: Option<Doubt>,
    renews_at: Option<Moment>,
    /// A route has refused it.
    is_refused: bool,
    /// It is not killed for that. What the server returns then is tried once more.
    is_spared: bool,
    /// It is over, and the server has just returned it.
    is_over_and_alive: bool,
}

/// It may be a ghost.
#[derive(Clone, Copy)]
struct Doubt {
    confirm_at: Moment,
    failures: u32,
    /// How many sessions in a row were different.
    sessions: u32,
}

/// How often routes have refused sessions one after the other.
#[derive(Default)]
struct Refusals {
    count: u32,
    last: Moment,
}

impl Keeper {
    /// `confirms`: sessions come confirmed.
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

    /// Returns the work for a caller whose turn it is to try, even in a pause: it has
    /// waited for another caller who has given up.
    pub fn work(&self, now: Moment) -> Work {
        self.renewal(now)
    }

    /// Returns the work that is due now.
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

    /// Returns when the next work is due, for a thread that does it ahead of time.
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

    /// Returns what can be handed out without asking, and until when.
    ///
    /// With a thread that works ahead of time no caller has to look for work.
    pub fn hand_out(&self, now: Moment) -> Option<(Session, Moment)> {
        let held = self.held.as_ref()?;
        let (session, until) = self.usable_until(now)?;
        let until = match self.rules.is_background {
            // A forked child has no thread that confirms it.
            true => match held.doubt {
                Some(doubt) => until.min(doubt.confirm_at + Duration::from_secs(1)),
                None => until,
            },
            false => until.min(self.next_due()),
        };
        Some((session.clone(), until))
    }

    /// Returns what can be handed out without asking while another does the work, and until
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

    /// Is told that a thread works ahead of time, or that there is none.
    pub fn set_background(&mut self, is_background: bool) {
        self.rules.is_background = is_background;
    }

    /// Takes a session that another process has stored, if it is good. Returns whether
    /// it is.
    ///
    /// `doubted_since`: when it came, if it was not confirmed.
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
            // The age of a stored session says nothing: it was fresh when it came.
            self.adopt(session.clone(), doubted_since, now);
        }
        is_good
    }

    /// Is told what came of a piece of work.
    pub fn done(&mut self, work: &Work, outcome: Result<Session, Error>, now: Now) {
        match (work.task, outcome) {
            (Task::Renew, Ok(session)) => self.renewed(session, work.aim.confirms, now),
            (Task::Confirm, Ok(session)) => self.compared(session, now),
            // A session in doubt stays so, and is handed out.
            (Task::Confirm, Err(error)) => self.failed_to_confirm(error, now),
            (Task::Renew, Err(error)) => self.failed(error, &work.aim, now),
        }
    }

    /// Is told that another process does not let this one work. With a session in hand
    /// that can wait.
    pub fn locked_out(&mut self, now: Now) {
        if self.usable(now.time).is_some() {
            let until = now.time + with_jitter(BETWEEN_EQUAL_ANSWERS, now.random);
            self.pauses_until = self.pauses_until.max(until);
        }
    }

    /// Is told that a route has refused the session that came in place of a refused one.
    /// Another process may have replaced it: the server is asked, nothing is killed, and
    /// what comes is tried once more. Returns whether that is news.
    ///
    /// One that has just been tried once more is not tried again at once: a path that does
    /// not exist is refused in the words of a bad token.
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

    /// Is told that a route has refused a session. Returns whether that is news.
    pub fn refuse(&mut self, rejected: &Session, now: Now) -> bool {
        let was_refused = self.held.as_ref().is_some_and(|held| held.is_refused);
        let is_news = self.mark_refused(rejected, now);
        if !was_refused && self.held.as_ref().is_some_and(|held| held.is_refused) {
            self.count_refusal(now);
        }
        is_news
    }

    /// Returns whether it is news.
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
        // One in doubt is a ghost, perhaps, and no ghost comes again.
        let is_gone = |refused: &Session| now.time >= refused.times().ends_at + REAPED_WITHIN;
        if held.doubt.is_none() || self.refused.as_ref().is_none_or(is_gone) {
            self.refused = Some(held.session.clone());
        }
        // The server can be reached, so a pause of the keeper's own choice is over. One
        // that the server has asked for is not.
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
            // A renewal does not help: the sessions that come do not exist.
            self.trouble = Some(aim::refused_ghost());
            let until = now.time + with_jitter(BETWEEN_EQUAL_ANSWERS, now.random);
            self.pauses_until = self.pauses_until.max(until);
        }
    }

    /// Whether there is anything to tell a caller who waits: the session, or why not.
    pub fn outcome(&self, now: Moment) -> Result<Session, Error> {
        match self.usable(now) {
            Some(session) => Ok(session.clone()),
            None => Err(self.refusal(now)),
        }
    }

    /// Returns why the last work failed, with the time until the next one.
    pub fn last_error(&self, now: Moment) -> Option<Error> {
        let mut error = self.trouble.clone()?;
        error.is_retryable = self.ghosts_pass_in(now).map(|_| true);
        error.retry_after = Some(self.pauses_until.saturating_sub(now));
        Some(error)
    }

    /// Whether the held session is known to exist, as far as its store is concerned.
    pub fn is_confirmed(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.doubt.is_none())
    }

    pub fn held(&self) -> Option<&Session> {
        self.held.as_ref().map(|held| &held.session)
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

    /// Whether a session that is over may be handed out: this policy does, and the
    /// reaper may not have run.
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
                "the session has ended and was not renewed; try again",
            )
        });
        // A ghost's error says when the old session has gone.
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

    /// Returns how long an old session of the device keeps it from having a new one.
    fn ghosts_pass_in(&self, now: Moment) -> Option<Duration> {
        let left = self.moved_until?.checked_sub(now)?;
        (self.has_ghosts() && !left.is_zero()).then_some(left)
    }

    /// Returns what a session must have left to be worth having. The server counts whole
    /// seconds: with one more than `min_valid` it has that much left when it arrives, and
    /// a session at its last use counts as over there too.
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
        // After a failure nobody knows whether the kill was carried out. A plain request
        // tells.
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
            // The same session is not good for longer.
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
                // Where ghosts came, another one is likely.
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
                // What is held does not exist: the server has one.
                self.held = None;
            }
            // It was refused while this work was under way, or before others came. The next
            // work knows, if the session has an id by which the server can be told from the
            // refused one.
            if session.id().is_none() {
                let words = "the server still returns the token that a route has refused";
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
            // It has just begun, and is over by another clock. It may be a ghost as well.
            let words = "the session has just begun and is over by another clock; try again";
            let error = Error::new(Status::SessionExpired, words);
            return self.failed(error, &Aim::default(), now);
        }
        // The server goes on returning the session.
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

    /// `doubted_since`: when the session came, if it may be a ghost.
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
            // One that was stored says nothing of the server as it is now.
            sessions: u32::from(since >= now.time),
        });
        // From another address a create finds no old session, and a kill ends none. So
        // the old one lives, and the new one may not.
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
            // A renewal that has brought too little is not made again at once.
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

    /// Is told which session a plain request returns while one is in doubt.
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
            // A ghost is always new.
            self.older = None;
            self.held = None;
            return self.renewed(session, false, now);
        }
        if !is_refused && has_moved(&held.session, &session) {
            // From another address a session that exists has no confirmation either.
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

    /// No session can be had. While an old one lives, it is handed out.
    ///
    /// `address`: where the server sees the device.
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

    /// A call that confirms has found that no session can be had.
    fn failed_for_ghosts(&mut self, error: Error, now: Now) {
        // A server that mistakes the identifier has never had one that lived.
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

    /// A confirmation is made again later. It is no failure of a renewal, and delays none,
    /// unless the server asks for that.
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
            // A kill may be under way still. What is asked meanwhile could be told of a
            // session that it ends.
            until = until.max(now.time + KILL_SETTLES);
        }
        self.pauses_until = until.max(now.time + asked.min(LONGEST_ASKED_PAUSE));
        if let Some(held) = &mut self.held {
            held.is_over_and_alive = false;
        }
        self.trouble = Some(error);
    }

    /// Ends a pause when the held session is over: a renewal is worth another try then.
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

/// Whether the device had another address when it was given the second session.
fn has_moved(one: &Session, other: &Session) -> bool {
    is_another(one.claim(Claim::Address), other.claim(Claim::Address))
}

fn is_another(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// Returns a session as it is held, or as it has come again.
///
/// What an answer took is counted against its session. So of two ends the later one is
/// nearer to the truth.
fn with_later_end(held: &Session, again: Session) -> Session {
    match again.times().ends_at < held.times().ends_at {
        true => held.clone(),
        false => again,
    }
}

/// Returns the longest pause after so many failures in a row.
fn longest_pause(failures: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_PAUSE)
}

/// Returns a wait within a fifth of its length.
fn with_jitter(wait: Duration, random: u32) -> Duration {
    wait.mul_f64(0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
