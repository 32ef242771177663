//! What a provider has, and the steps of its work that need no waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::*},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    client::Client,
    context::Context,
    create::{
        aim::Errand,
        keeper::{Keeper, Now, Task, Verdict, Work},
        rules::Rules,
        single_flight::{Outcome, SingleFlight},
    },
    error::{Error, Status},
    host::fork::{self, PerProcess},
    lock::Lock,
    moment::Moment,
    provider::{
        files::Files,
        listener::Listener,
        options::{Plan, ProviderOptions},
        published::Published,
    },
    session::Session,
    session_options::SessionOptions,
};

pub struct Keeping {
    pub client: Arc<Client>,
    /// The callers who wait have this in common.
    pub errand: Arc<Errand>,
    pub rules: Rules,
    pub files: Files,
    listener: Option<Arc<Listener>>,
    published: Published,
    local: PerProcess<Local>,
    /// The process in which a thread works ahead of time. 0: none.
    thread_in: AtomicU64,
    is_closed: AtomicBool,
    /// Wakes that thread.
    pub changed: Notify,
}

/// What a forked child must not share with its parent.
#[derive(Default)]
pub struct Local {
    /// `None`: nobody has asked in this process.
    keeper: Lock<Option<Keeper>>,
    /// The session that the host was told of.
    told: Lock<Option<Session>>,
    /// Who does the work, and who waits for it.
    pub single_flight: SingleFlight,
}

/// How often a caller works for those who wait, while no work fails. The keeper's own pause
/// comes earlier.
pub const MOST_WORKS: usize = 3;

/// How a caller came to lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Came {
    First,
    /// After another who has given up. It may try even in a pause.
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

    /// Returns the session if it can be handed out without a look at anything else.
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

    /// Hands out what there is for a moment, without a look at the keeper: another does the
    /// work.
    pub fn publish_meanwhile(&self) {
        let now = self.context().now();
        self.with_keeper(|keeper| self.published.publish(keeper.hand_out_meanwhile(now)));
    }

    pub fn next_due(&self) -> Moment {
        self.with_keeper(|keeper| keeper.next_due())
    }

    /// Is told that a route has refused a session. Returns whether that is news.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        self.refuse(rejected, true)
    }

    /// As [`invalidate`](Self::invalidate). Without `may_kill` the session came in place of
    /// a refused one.
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

    /// Returns why the last renewal failed, and when the next attempt comes.
    pub fn last_error(&self) -> Option<Error> {
        let now = self.context().now();
        self.with_keeper(|keeper| keeper.last_error(now))
    }

    /// Returns how a caller leads. With too little time left to make a request it does not
    /// try in a pause: in an outage all who have waited would.
    pub fn came(&self, came: Came, deadline: Moment) -> Came {
        const USEFUL: Duration = Duration::from_secs(1);
        match deadline.saturating_sub(self.context().now()) < USEFUL {
            true => Came::First,
            false => came,
        }
    }

    /// Returns what is to be done. Another may have done it meanwhile.
    pub fn work_due(&self, came: Came) -> Option<Work> {
        let now = self.context().now();
        self.with_keeper(|keeper| match keeper.ask(now) {
            Verdict::Hand(_) => None,
            Verdict::Fail(_) if came == Came::First => None,
            Verdict::Fail(_) => Some(keeper.work(now)),
            Verdict::HandAndWork(_, work) | Verdict::Work(work) => Some(work),
        })
    }

    /// Says that a thread of this process works ahead of time, or that it has ended.
    pub fn set_thread(&self, is_there: bool) {
        let process = if is_there { fork::this_process() } else { 0 };
        self.thread_in.store(process, Release);
    }

    /// Says that the provider was freed.
    pub fn close(&self) {
        self.is_closed.store(true, Release);
        self.wake_thread();
    }

    /// Whether the provider was freed. The host is told nothing more.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Acquire)
    }

    /// Has the thread look again. In a forked child there is none, and what wakes it may be
    /// locked for ever.
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

    /// Takes the session that another process has stored, if it is good. Returns the work
    /// that is left: none, or to confirm the session.
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

    /// Returns the work that is left for a caller who has waited for the lock.
    pub fn still_due(&self, work: Work, deadline: Moment) -> Option<Work> {
        self.beyond_stored(work)?;
        self.work_due(self.came(Came::AfterAnother, deadline))
    }

    /// Returns until when this work may take. Who has a session does not wait long for the
    /// others' sake.
    pub fn time_limit(&self, work: &Work, deadline: Moment) -> Moment {
        const BRIEF: Duration = Duration::from_secs(2);
        match work.task {
            Task::Renew => deadline,
            Task::Confirm => deadline.min(self.context().now().saturating_add(BRIEF)),
        }
    }

    /// Returns what a caller has who could not work: another process did not let it, or its
    /// thread is ending. That is no failure of the server's.
    pub fn without_session(&self, error: Error) -> Outcome {
        let now = self.now();
        self.with_keeper(|keeper| {
            keeper.locked_out(now);
            self.publish(keeper, now.time);
            keeper.outcome(now.time).or(Err(error))
        })
    }

    /// Returns what is due for a caller who still has no session, though nothing has failed,
    /// and has time left: the session that came is over, or a route has refused it meanwhile.
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

    /// Decides how to go on while another process holds the lock. `since`: when this
    /// caller began to wait.
    pub fn locked_out(&self, is_stuck: bool, since: Moment, deadline: Moment) -> LockedOut {
        /// The moment in the file may be the last holder's still, or the holder is about
        /// to write it.
        const LEAST: Duration = Duration::from_secs(1);
        let now = self.context().now();
        let left = deadline.saturating_sub(now);
        if is_stuck && now.saturating_sub(since) >= LEAST {
            self.files.say_stuck();
            LockedOut::GoesOn
        } else if left.is_zero() {
            LockedOut::Fails(locked_out())
        } else {
            // Jitter keeps processes that began together apart.
            let random = (self.context().environment.random)();
            let pause = Duration::from_millis(5 + u64::from(random % 16));
            LockedOut::Waits(pause.min(left))
        }
    }

    /// Tells the keeper what came of the work, and other processes which session is
    /// held now.
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
            Some((session, is_confirmed)) => self.files.write(&session, is_confirmed),
            // What was stored is a ghost.
            None if is_session => self.files.remove(),
            None => {}
        }
    }

    /// Tells the host which session is held now, if it is another one.
    pub fn tell(&self) {
        let Some(listener) = &self.listener else {
            return;
        };
        // A client that was shut down calls the host no more.
        if self.client.is_closed() || self.is_closed() {
            return;
        }
        let Some(session) = self.with_keeper(|keeper| keeper.held().cloned()) else {
            return;
        };
        let local = self.local.get();
        let told = local.told.hold().replace(session.clone());
        if !told.is_some_and(|told| told.is_same_as(&session)) {
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

    /// A child begins with the session that its parent had.
    fn with_keeper<T>(&self, action: impl FnOnce(&mut Keeper) -> T) -> T {
        let local = self.local.get();
        let mut keeper = local.keeper.hold();
        let keeper = keeper.get_or_insert_with(|| {
            let mut keeper = Keeper::new(self.rules, self.errand.aim.confirms);
            if let Some(session) = self.published.latest() {
                let now = self.now();
                keeper.take_stored(&session, Some(now.time), now);
                *local.told.hold() = Some(session);
            }
            keeper
        });
        keeper.set_background(self.has_thread());
        action(keeper)
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

/// What a caller does while another process holds the lock.
pub enum LockedOut {
    /// So long; then it looks again.
    Waits(Duration),
    /// Without the lock.
    GoesOn,
    Fails(Error),
}

fn locked_out() -> Error {
    Error::new(
        Status::Timeout,
        "another process of this installation was renewing the session until the time limit; try again",
    )
}
