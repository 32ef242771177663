//! Hands out a session that works, and has it renewed by the callers who find that it
//! does not.

use std::{sync::Arc, thread, time::Duration};

use crate::{
    blocking::create::wait_for_turn,
    client::Client,
    connect::failure::Awaited,
    context::Context,
    create::{
        aim::Errand,
        keeper::{Keeper, Now, Task, Verdict, Work},
        rules::Rules,
        single_flight::{Joined, Leader, Outcome, SingleFlight, Turn},
    },
    error::{Error, Status},
    host::fork::PerProcess,
    lock::Lock,
    moment::Moment,
    provider::{
        files::{self, Files, Locking},
        listener::Listener,
        options::{Plan, ProviderOptions},
        published::Published,
    },
    session::Session,
    session_options::SessionOptions,
};

pub struct Provider {
    client: Arc<Client>,
    /// The callers who wait have this in common.
    errand: Arc<Errand>,
    rules: Rules,
    files: Files,
    listener: Option<Arc<Listener>>,
    published: Published,
    local: PerProcess<Local>,
}

/// What a forked child must not share with its parent.
#[derive(Default)]
struct Local {
    /// `None`: nobody has asked in this process.
    keeper: Lock<Option<Keeper>>,
    /// Who does the work, and who waits for it.
    single_flight: SingleFlight,
}

/// How a caller came to lead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    First,
    /// After another who has given up. It may try even in a pause.
    AfterAnother,
}

impl Provider {
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
            published: Published::default(),
            local: PerProcess::new(Local::default),
        })
    }

    /// Returns the session if it can be handed out without a look at anything else.
    pub fn warm(&self) -> Option<Arc<Session>> {
        self.published.get(&self.context().environment)
    }

    /// Returns a session that is good for a while. Blocks while it is asked for.
    pub fn get(&self) -> Result<Arc<Session>, Error> {
        match self.warm() {
            Some(session) => Ok(session),
            None => self.get_by_work().map(Arc::new),
        }
    }

    /// Is told that a route has refused a session. Returns whether that is news.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        let now = self.now();
        let is_news = self.with_keeper(|keeper| {
            let is_news = keeper.refuse(rejected, now);
            self.publish(keeper, now.time);
            is_news
        });
        if is_news {
            self.files.forget(rejected);
        }
        is_news
    }

    /// Returns why the last renewal failed, and when the next attempt comes.
    pub fn last_error(&self) -> Option<Error> {
        let now = self.context().now();
        self.with_keeper(|keeper| keeper.last_error(now))
    }

    fn get_by_work(&self) -> Outcome {
        let now = self.now();
        let deadline = self.context().deadline();
        let local = self.local.get();
        match self.with_keeper(|keeper| keeper.ask(now.time)) {
            Verdict::Hand(session) => {
                self.with_keeper(|keeper| self.publish(keeper, now.time));
                Ok(session)
            }
            Verdict::Fail(error) => Err(error),
            Verdict::HandAndWork(session, _) => {
                match local.single_flight.lead_if_free(&self.errand) {
                    Some(leader) => self.lead(leader, Came::First, deadline),
                    None => Ok(session),
                }
            }
            Verdict::Work(_) => match local.single_flight.join(&self.errand) {
                Joined::Leads(leader) => self.lead(leader, Came::First, deadline),
                Joined::Follows(follower) => {
                    match wait_for_turn(self.context(), &follower, deadline) {
                        Some(Turn::Has(outcome)) => outcome,
                        Some(Turn::Leads(leader)) => {
                            self.lead(leader, Came::AfterAnother, deadline)
                        }
                        None => Err(self.context().out_of_time(Awaited::SERVER)),
                    }
                }
            },
        }
    }

    /// Does the work that is due, for all who wait.
    fn lead(&self, leader: Leader<'_>, came: Came, deadline: Moment) -> Outcome {
        let Some(work) = self.work_due(came) else {
            let outcome = self.outcome();
            leader.finish(&outcome);
            return outcome;
        };
        let before = self.held();
        self.carry_out(&work, deadline);
        let outcome = self.outcome();
        // Its time is over, and others may have some left. The next one tries.
        if outcome.is_err() && self.context().now() >= deadline {
            drop(leader);
        } else {
            leader.finish(&outcome);
        }
        self.tell(before);
        outcome
    }

    /// Returns what is to be done. Another may have done it meanwhile.
    fn work_due(&self, came: Came) -> Option<Work> {
        let now = self.context().now();
        self.with_keeper(|keeper| match keeper.ask(now) {
            Verdict::Hand(_) => None,
            Verdict::Fail(_) if came == Came::First => None,
            Verdict::Fail(_) => Some(keeper.work(now)),
            Verdict::HandAndWork(_, work) | Verdict::Work(work) => Some(work),
        })
    }

    fn carry_out(&self, work: &Work, deadline: Moment) {
        if self.takes_stored(work) {
            return;
        }
        let (_lock, has_waited) = match self.lock(deadline) {
            Ok(locked) => locked,
            Err(error) => return self.settle(work, Err(error)),
        };
        if has_waited && self.takes_stored(work) {
            return;
        }
        let outcome = self.client.run(self.errand_of(work), deadline);
        self.settle(work, outcome);
    }

    /// Locks other processes out. Returns whether one of them had the lock.
    fn lock(&self, deadline: Moment) -> Result<(Option<files::Lock>, bool), Error> {
        let mut has_waited = false;
        loop {
            match self.files.try_lock() {
                Locking::Locked(lock) => return Ok((Some(lock), has_waited)),
                Locking::Unlocked => return Ok((None, has_waited)),
                Locking::Waits => {
                    let left = deadline.saturating_sub(self.context().now());
                    if left.is_zero() {
                        return Err(locked_out());
                    }
                    has_waited = true;
                    thread::sleep(self.pause_between_locks().min(left));
                }
            }
        }
    }

    /// Jitter keeps processes that began together apart.
    fn pause_between_locks(&self) -> Duration {
        let random = (self.context().environment.random)();
        Duration::from_millis(5 + u64::from(random % 16))
    }

    fn errand_of(&self, work: &Work) -> Errand {
        Errand {
            request: self.errand.request.clone(),
            aim: work.aim.clone(),
        }
    }

    /// Takes the session that another process has stored, if it is good. Returns whether
    /// it is.
    fn takes_stored(&self, work: &Work) -> bool {
        if work.task != Task::Renew {
            return false;
        }
        let Some(stored) = self.files.read() else {
            return false;
        };
        let now = self.now();
        self.with_keeper(|keeper| {
            let is_taken = keeper.take_stored(&stored.session, stored.is_confirmed, now);
            self.publish(keeper, now.time);
            is_taken
        })
    }

    /// Tells the keeper what came of the work, and other processes which session is
    /// held now.
    fn settle(&self, work: &Work, outcome: Outcome) {
        let now = self.now();
        let is_session = outcome.is_ok();
        let held = self.with_keeper(|keeper| {
            keeper.done(work, outcome, now);
            self.publish(keeper, now.time);
            let held = keeper.held().cloned().zip(Some(keeper.is_confirmed()));
            held.filter(|_| is_session)
        });
        if let Some((session, is_confirmed)) = held {
            self.files.write(&session, is_confirmed);
        }
    }

    /// Tells the host which session is held now, if it is another one.
    fn tell(&self, before: Option<Session>) {
        let Some(listener) = &self.listener else {
            return;
        };
        if let Some(session) = self.held()
            && !before.is_some_and(|before| session.is_same_as(&before))
        {
            listener.tell(&session);
        }
    }

    fn held(&self) -> Option<Session> {
        self.with_keeper(|keeper| keeper.held().cloned())
    }

    fn outcome(&self) -> Outcome {
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
                keeper.take_stored(&session, false, self.now());
            }
            keeper
        });
        action(keeper)
    }

    fn now(&self) -> Now {
        let context = self.context();
        Now {
            time: context.now(),
            random: (context.environment.random)(),
        }
    }

    fn context(&self) -> &Arc<Context> {
        self.client.context()
    }
}

fn locked_out() -> Error {
    Error::new(
        Status::Timeout,
        "another process of this installation was renewing the session until the time limit; try again",
    )
}
