//! The state of a provider, and the steps of a renewal that need no waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::*},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    api::session_refusal::SessionRefusal,
    client::Client,
    context::Context,
    create::{
        aim::Errand,
        keeper::{Keeper, Now, Task, Verdict, Work},
        rules::Rules,
        single_flight::{Outcome, SingleFlight},
    },
    error::{Error, Status},
    host::{
        forced_unwind,
        fork::{self, PerProcess},
    },
    lock::Lock,
    moment::Moment,
    provider::{
        files::Files,
        listener::Listener,
        options::{Plan, ProviderOptions},
        published::Published,
        reports::Reports,
    },
    session::Session,
    session_options::SessionOptions,
};

pub struct Keeping {
    pub client: Arc<Client>,
    /// The errand that all waiting callers share.
    pub errand: Arc<Errand>,
    pub rules: Rules,
    pub files: Files,
    listener: Option<Arc<Listener>>,
    published: Published,
    local: PerProcess<Local>,
    /// The process in which a thread renews in advance, or 0.
    thread_in: AtomicU64,
    is_closed: AtomicBool,
    /// Wakes that thread.
    pub changed: Notify,
}

/// What a forked child must not share with its parent.
#[derive(Default)]
pub struct Local {
    /// `None` until the first get in this process.
    keeper: Lock<Option<Keeper>>,
    reports: Lock<Reports>,
    /// The leader, who makes the request, and the callers who wait for it.
    pub single_flight: SingleFlight,
}

/// How many requests one leader makes while none fails. The pause of the keeper normally ends this
/// earlier.
pub const MOST_WORKS: usize = 3;

/// How a caller became the leader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Came {
    First,
    /// After a leader who gave up. The caller may make a request even during a pause.
    AfterAnother,
}

impl Keeping {
    pub fn new(
        client: Arc<Client>,
        session: &SessionOptions,
        options: &ProviderOptions,
    ) -> Result<Self, Error> {
        let Plan {
            errand,
            rules,
            directory,
            listener,
        } = options.check(session)?;
        Ok(Self {
            files: Files::new(client.context(), &errand, directory),
            client,
            errand: Arc::new(errand),
            rules,
            listener,
            thread_in: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            changed: Notify::new(),
            published: Published::default(),
            local: PerProcess::new(Local::default),
        })
    }

    /// Returns the session if a get may return it without further checks.
    pub fn warm(&self) -> Option<Arc<Session>> {
        self.published.get(&self.context().environment)
    }

    pub fn local(&self) -> impl std::ops::Deref<Target = Local> + use<> {
        self.local.get()
    }

    pub fn ask(&self) -> Verdict {
        let now = self.context().now();
        self.with_keeper(|keeper| {
            let verdict = keeper.ask(now);
            if matches!(verdict, Verdict::Hand(_)) {
                self.publish(keeper, now);
            }
            verdict
        })
    }

    /// Publishes the session for a moment, while another caller makes the request.
    pub fn publish_meanwhile(&self) {
        let now = self.context().now();
        self.with_keeper(|keeper| self.published.publish(keeper.hand_out_meanwhile(now)));
    }

    pub fn next_due(&self) -> Moment {
        self.with_keeper(|keeper| keeper.next_due())
    }

    /// Marks a session as refused by a route. Returns whether the provider held it.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        self.refuse(rejected, true)
    }

    /// Marks the session as refused if this answer of a route refuses it. Returns whether it does.
    /// `body` has no content coding.
    pub fn invalidate_if_refused(&self, session: &Session, status: u16, body: &[u8]) -> bool {
        let refusal = SessionRefusal::read(status, body, None);
        if let Some(refusal) = refusal {
            self.refuse(session, refusal.may_kill());
        }
        refusal.is_some()
    }

    /// Does the same as [`invalidate`](Self::invalidate). `may_kill` is false if the session was
    /// received after a refused one.
    pub fn refuse(&self, rejected: &Session, may_kill: bool) -> bool {
        let now = self.now();
        let is_news = self.with_keeper(|keeper| {
            let is_news = match may_kill {
                true => keeper.refuse(rejected, now),
                false => keeper.refuse_again(rejected, now),
            };
            self.publish(keeper, now.time);
            is_news
        });
        if is_news {
            self.files.forget(rejected);
            self.wake_thread();
        }
        is_news
    }

    /// Returns the last error, with the time until the next attempt.
    pub fn last_error(&self) -> Option<Error> {
        let now = self.context().now();
        self.with_keeper(|keeper| keeper.last_error(now))
    }

    /// Returns whether a leader may make a request during a pause: `AfterAnother` if it may.
    ///
    /// It may not with less than a second left. Otherwise, in an outage, every waiting caller would
    /// make one.
    pub fn came(&self, came: Came, deadline: Moment) -> Came {
        const USEFUL: Duration = Duration::from_secs(1);
        match deadline.saturating_sub(self.context().now()) < USEFUL {
            true => Came::First,
            false => came,
        }
    }

    /// Returns the request that is due, unless another caller has made it meanwhile.
    pub fn work_due(&self, came: Came) -> Option<Work> {
        let now = self.context().now();
        self.with_keeper(|keeper| match keeper.ask(now) {
            Verdict::Hand(_) => None,
            Verdict::Fail(_) if came == Came::First => None,
            Verdict::Fail(_) => Some(keeper.work(now)),
            Verdict::HandAndWork(_, work) | Verdict::Work(work) => Some(work),
        })
    }

    /// Sets whether a thread of this process renews in advance.
    pub fn set_thread(&self, is_there: bool) {
        let process = if is_there { fork::this_process() } else { 0 };
        self.thread_in.store(process, Release);
    }

    /// Marks the provider as freed.
    pub fn close(&self) {
        self.is_closed.store(true, Release);
        self.wake_thread();
    }

    /// Returns whether the provider was freed. The host gets no more reports then.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Acquire)
    }

    /// Wakes the thread that renews in advance. A forked child does not have it, and the lock of
    /// `changed` may be held for ever there.
    pub fn wake_thread(&self) {
        if self.has_thread() {
            self.changed.notify_one();
        }
    }

    pub fn has_thread(&self) -> bool {
        let process = self.thread_in.load(Acquire);
        process != 0 && process == fork::this_process()
    }

    pub fn errand_of(&self, work: &Work) -> Errand {
        Errand {
            request: self.errand.request.clone(),
            aim: work.aim.clone(),
        }
    }

    /// Adopts the session that another process has stored, if it is good. Returns `work` if it
    /// adopted none, otherwise the request that is still due.
    pub fn beyond_stored(&self, work: Work) -> Option<Work> {
        let stored = match work.task {
            Task::Renew => self.files.read(),
            Task::Confirm => None,
        };
        let Some(stored) = stored else {
            return Some(work);
        };
        let now = self.now();
        self.with_keeper(|keeper| {
            if !keeper.take_stored(&stored.session, stored.doubted_since, now) {
                return Some(work);
            }
            self.publish(keeper, now.time);
            keeper.due(now.time)
        })
    }

    /// Returns the request that is still due for a caller who has waited for the lock.
    pub fn still_due(&self, work: Work, deadline: Moment) -> Option<Work> {
        self.beyond_stored(work)?;
        self.work_due(self.came(Came::AfterAnother, deadline))
    }

    /// Returns the deadline of a request. A caller who has a session does not wait long for a
    /// confirmation that helps only others.
    pub fn time_limit(&self, work: &Work, deadline: Moment) -> Moment {
        const BRIEF: Duration = Duration::from_secs(2);
        match work.task {
            Task::Renew => deadline,
            Task::Confirm => deadline.min(self.context().now().saturating_add(BRIEF)),
        }
    }

    /// Returns the outcome for a caller that could not make a request. Either another process held
    /// the lock, or the caller's thread is ending. The keeper does not count this as a failure of
    /// the server.
    pub fn outcome_without_request(&self, error: Error) -> Outcome {
        let now = self.now();
        self.with_keeper(|keeper| {
            keeper.locked_out(now);
            self.publish(keeper, now.time);
            keeper.outcome(now.time).or(Err(error))
        })
    }

    /// Returns the next request, if there is no session, no failure, and time is left. This happens
    /// when the received session has expired or was refused.
    pub fn work_left(&self, deadline: Moment) -> Option<Work> {
        let now = self.context().now();
        if now >= deadline {
            return None;
        }
        self.with_keeper(|keeper| match keeper.ask(now) {
            Verdict::Work(work) if keeper.last_error(now).is_none() => Some(work),
            _ => None,
        })
    }

    /// Decides what a caller does while another process holds the lock. `since`: when the caller
    /// began to wait.
    pub fn locked_out(&self, is_stuck: bool, since: Moment, deadline: Moment) -> LockedOut {
        /// The time in the file may still be that of the previous holder, until the new holder
        /// writes its own.
        const LEAST: Duration = Duration::from_secs(1);
        let now = self.context().now();
        let left = deadline.saturating_sub(now);
        if is_stuck && now.saturating_sub(since) >= LEAST {
            self.files.say_stuck();
            LockedOut::GoesOn
        } else if left.is_zero() {
            LockedOut::Fails(locked_out())
        } else {
            // Jitter separates processes that started together.
            let random = (self.context().environment.random)();
            let pause = Duration::from_millis(5 + u64::from(random % 16));
            LockedOut::Waits(pause.min(left))
        }
    }

    /// Passes the result of a request to the keeper, and stores its session for other processes.
    pub fn settle(&self, work: &Work, outcome: Outcome) {
        let now = self.now();
        let is_session = outcome.is_ok();
        let held = self.with_keeper(|keeper| {
            keeper.done(work, outcome, now);
            self.publish(keeper, now.time);
            let held = keeper.held().cloned().zip(Some(keeper.is_confirmed()));
            held.filter(|_| is_session)
        });
        match held {
            Some((session, is_confirmed)) => self.store(&session, is_confirmed),
            // The stored session is a ghost.
            None if is_session => self.files.remove(),
            None => {}
        }
    }

    /// Stores the held session, unless a route has refused it.
    fn store(&self, session: &Session, is_confirmed: bool) {
        let may_store = || self.with_keeper(|keeper| keeper.may_store(session));
        if !may_store() {
            return;
        }
        self.files.write(session, is_confirmed);
        // A refusal removes the file. One that came during the write found no file to remove.
        if !may_store() {
            self.files.forget(session);
        }
    }

    /// Reports the held session to the host, if it is a new one.
    ///
    /// One thread at a time reports, without a lock. After each report it looks for a newer session,
    /// because the threads that have received one meanwhile report nothing.
    pub fn tell(&self) {
        let Some(listener) = &self.listener else {
            return;
        };
        let mut turn = Turn {
            keeping: self,
            process: 0,
        };
        while let Some(session) = turn.next() {
            listener.tell(&session);
        }
    }

    pub fn outcome(&self) -> Outcome {
        let now = self.context().now();
        self.with_keeper(|keeper| keeper.outcome(now))
    }

    fn publish(&self, keeper: &Keeper, now: Moment) {
        self.published.publish(keeper.hand_out(now));
    }

    /// Runs `action` with the keeper of this process.
    fn with_keeper<T>(&self, action: impl FnOnce(&mut Keeper) -> T) -> T {
        let local = self.local.get();
        let mut keeper = local.keeper.hold();
        let keeper = keeper.get_or_insert_with(|| self.first_keeper(&local));
        keeper.set_background(self.has_thread());
        action(keeper)
    }

    /// Creates the keeper of this process. A forked child starts with the session of its parent.
    #[cold]
    #[inline(never)]
    fn first_keeper(&self, local: &Local) -> Keeper {
        let mut keeper = Keeper::new(self.rules, self.errand.aim.confirms);
        if let Some(session) = self.published.latest() {
            let now = self.now();
            keeper.take_stored(&session, Some(now.time), now);
            local.reports.hold().inherit(session);
        }
        keeper
    }

    fn now(&self) -> Now {
        let context = self.context();
        Now {
            time: context.now(),
            random: (context.environment.random)(),
        }
    }

    pub fn context(&self) -> &Arc<Context> {
        self.client.context()
    }
}

/// The turn of a thread that reports sessions to the host. It also ends if the host's callback
/// panics or ends the thread: then the next renewal reports the session.
struct Turn<'a> {
    keeping: &'a Keeping,
    /// The process in which this thread has the turn, or 0. The callback may fork, and the child
    /// must not touch the lock of its parent.
    process: u64,
}

impl Turn<'_> {
    /// Returns the next session to report. Takes the turn if there is one, and ends it otherwise.
    fn next(&mut self) -> Option<Session> {
        let keeping = self.keeping;
        // A client that was shut down does not call the host any more.
        if keeping.client.is_closed() || keeping.is_closed() || forced_unwind::is_ending() {
            return None;
        }
        let here = fork::this_process();
        let has_turn = self.process == here;
        // Under the lock of the keeper. So a thread that replaces the session after this finds out
        // whether another one still reports, and the newest session is always the last one.
        let next = keeping.with_keeper(|keeper| {
            let local = keeping.local.get();
            local.reports.hold().next(keeper.held(), has_turn)
        });
        self.process = if next.is_some() { here } else { 0 };
        next
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.process == fork::this_process() {
            self.keeping.local.get().reports.hold().end();
        }
    }
}

/// What a caller does next while another process holds the lock.
pub enum LockedOut {
    /// Waits for this time, then tries again.
    Waits(Duration),
    /// Continues without the lock.
    GoesOn,
    Fails(Error),
}

fn locked_out() -> Error {
    Error::new(
        Status::Timeout,
        "another process was renewing the session until the time limit; try again",
    )
}

#[cfg(test)]
mod tests;
