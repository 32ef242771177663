//! Drives a provider on the I/O thread: for asynchronous callers, and for renewals in advance.

use std::{
    cell::Cell,
    future::poll_fn,
    rc::Rc,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    task::{AbortHandle, spawn_local},
    time::{sleep, timeout},
};

use crate::{
    background::{
        chore::{Chore, GRACE, LocalFuture, Requests, Sessions, Source},
        yields::{self, Yield},
    },
    connect::failure::Awaited,
    create::{
        keeper::{Verdict, Work},
        single_flight::{Joined, Leader, Outcome, Turn},
    },
    error::{Error, Status},
    moment::Moment,
    provider::{
        files::{Lock, Locking},
        keeping::{Came, Keeping, LockedOut, MOST_WORKS},
    },
    send::request::Outline,
    session::Session,
};

/// The runtime's clock stops while the device sleeps, so the thread checks the time at least this
/// often.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How long the thread waits before it checks again whether a caller has renewed.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Gets a session for one asynchronous call.
pub struct Get {
    pub keeping: Arc<Keeping>,
    pub deadline: Moment,
}

impl Chore for Get {
    /// Leaves time to note the failure: otherwise the next call would ask the server again at once.
    fn deadline(&self) -> Moment {
        self.deadline.saturating_add(GRACE)
    }

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome> {
        Box::pin(async move { self.get(requests).await.map(Into::into) })
    }
}

impl Get {
    async fn get(&self, requests: Rc<dyn Requests>) -> Outcome {
        let worker = Worker {
            keeping: Arc::clone(&self.keeping),
            deadline: self.deadline,
            requests,
            is_killing: Rc::default(),
        };
        worker.get().await
    }
}

/// Sends a request for one asynchronous call.
pub struct Send {
    pub keeping: Arc<Keeping>,
    pub outline: Outline,
    pub deadline: Moment,
}

impl Chore for Send {
    fn deadline(&self) -> Moment {
        self.deadline.saturating_add(GRACE)
    }

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome> {
        let sessions = Rc::new(OfProvider {
            keeping: self.keeping,
            requests: Rc::clone(&requests),
        });
        let response = requests.send(self.outline, Source::Provider(sessions), self.deadline);
        Box::pin(async move { response.await.map(Yield::Response) })
    }
}

/// Provides sessions for one request.
struct OfProvider {
    keeping: Arc<Keeping>,
    requests: Rc<dyn Requests>,
}

impl Sessions for OfProvider {
    fn warm(&self) -> Option<Session> {
        self.keeping.warm().map(|session| (*session).clone())
    }

    fn get(&self) -> LocalFuture<Outcome> {
        if let Some(session) = self.keeping.warm() {
            return Box::pin(async move { Ok((*session).clone()) });
        }
        let get = Get {
            deadline: self.keeping.context().deadline(),
            keeping: Arc::clone(&self.keeping),
        };
        let requests = Rc::clone(&self.requests);
        Box::pin(async move { get.get(requests).await })
    }

    fn refuse(&self, session: &Session, may_kill: bool) {
        self.keeping.refuse(session, may_kill);
    }
}

/// Renews the session in advance, as long as the provider exists.
pub struct Ahead(End);

impl Ahead {
    pub fn of(keeping: &Arc<Keeping>) -> Self {
        keeping.set_thread(true);
        Self(End(Arc::downgrade(keeping)))
    }
}

impl Chore for Ahead {
    fn deadline(&self) -> Moment {
        Moment::MAX
    }

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome> {
        Box::pin(async move {
            let end = self.0;
            while let Some(keeping) = end.0.upgrade().filter(|keeping| !keeping.is_closed()) {
                let deadline = keeping.context().deadline();
                let worker = Worker {
                    keeping: Arc::clone(&keeping),
                    deadline,
                    requests: Rc::clone(&requests),
                    is_killing: Rc::default(),
                };
                let rest = keeping.next_due().saturating_sub(keeping.context().now());
                match rest.is_zero() {
                    true => worker.work_ahead().await,
                    false => {
                        let _ = timeout(rest.min(LONGEST_REST), keeping.changed.notified()).await;
                    }
                }
            }
            // No caller reads this error.
            Err(Error::new(Status::Cancelled, "the provider was freed"))
        })
    }
}

/// Clears the flag that a thread renews in advance. This happens also when the client ends, when a
/// bug ends the chore, or when the chore never starts. Then callers renew.
struct End(Weak<Keeping>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(keeping) = self.0.upgrade() {
            keeping.set_thread(false);
        }
    }
}

/// Aborts a task when the call that waits for it is dropped, unless it kills a session.
struct StopUnlessKilling(AbortHandle, Rc<Cell<bool>>);

impl Drop for StopUnlessKilling {
    fn drop(&mut self) {
        if !self.1.get() {
            self.0.abort();
        }
    }
}

#[derive(Clone)]
struct Worker {
    keeping: Arc<Keeping>,
    deadline: Moment,
    requests: Rc<dyn Requests>,
    /// A kill is in progress.
    is_killing: Rc<Cell<bool>>,
}

impl Worker {
    async fn get(&self) -> Outcome {
        let local = self.keeping.local();
        let single_flight = &local.single_flight;
        match self.keeping.ask() {
            Verdict::Hand(session) => Ok(session),
            Verdict::Fail(error) => Err(error),
            Verdict::HandAndWork(session, _) if self.keeping.has_thread() => Ok(session),
            Verdict::HandAndWork(session, _) => {
                match single_flight.lead_if_free(&self.keeping.errand) {
                    Some(leader) => self.lead_apart(leader, Came::First).await,
                    None => Ok(session),
                }
            }
            Verdict::Work(_) => match single_flight.join(&self.keeping.errand, self.deadline) {
                Joined::Leads(leader) => self.lead_apart(leader, Came::First).await,
                Joined::Follows(follower) => {
                    let context = self.keeping.context();
                    let left = self.deadline.saturating_sub(context.now());
                    let turn = poll_fn(|context| follower.poll(context.waker()));
                    match timeout(left, turn).await {
                        Ok(Turn::Has(outcome)) => outcome,
                        Ok(Turn::Leads(leader)) => {
                            self.lead_apart(leader, Came::AfterAnother).await
                        }
                        Err(_) => Err(context.out_of_time(Awaited::SERVER)),
                    }
                }
            },
        }
    }

    /// Makes the request that is due, unless a caller makes it.
    async fn work_ahead(&self) {
        let local = self.keeping.local();
        match local.single_flight.lead_if_free(&self.keeping.errand) {
            Some(leader) => drop(self.lead(leader, Came::First).await),
            None => sleep(BETWEEN_LOOKS).await,
        }
    }

    /// Leads in a separate task. If the call is cancelled during a kill, the task continues: the
    /// server must not get another request before the answer to the kill.
    async fn lead_apart(&self, leader: Leader, came: Came) -> Outcome {
        let worker = self.clone();
        let task = spawn_local(async move { worker.lead(leader, came).await });
        let _end = StopUnlessKilling(task.abort_handle(), Rc::clone(&self.is_killing));
        // The task has no result if a bug or the end of the client ended it.
        task.await.unwrap_or_else(|_| self.keeping.outcome())
    }

    async fn lead(&self, leader: Leader, came: Came) -> Outcome {
        let came = self.keeping.came(came, self.deadline);
        let Some(work) = self.keeping.work_due(came) else {
            let outcome = self.keeping.outcome();
            leader.finish(&outcome);
            return outcome;
        };
        if let Err(error) = self.carry_out_until_done(work).await {
            drop(leader);
            let outcome = self.keeping.outcome_without_request(error);
            self.keeping.tell();
            return outcome;
        }
        let outcome = self.keeping.outcome();
        if outcome.is_err() && self.keeping.context().now() >= self.deadline {
            drop(leader);
        } else {
            leader.finish(&outcome);
        }
        // The new session has to be confirmed or renewed later.
        self.keeping.wake_thread();
        self.keeping.tell();
        outcome
    }

    /// Makes the request, and further ones that become due while there is still no session.
    async fn carry_out_until_done(&self, work: Work) -> Result<(), Error> {
        let mut next = Some(work);
        for _ in 0..MOST_WORKS {
            let Some(work) = next else { break };
            self.carry_out(work).await?;
            next = self.keeping.work_left(self.deadline);
        }
        Ok(())
    }

    async fn carry_out(&self, mut work: Work) -> Result<(), Error> {
        let mut _lock = None;
        // A client that was shut down must not touch files or log.
        if !self.keeping.client.is_closed() {
            work = match self.keeping.beyond_stored(work) {
                Some(work) => work,
                None => return Ok(()),
            };
            let deadline = self.keeping.time_limit(&work, self.deadline);
            let (lock, has_waited) = self.lock(deadline).await?;
            _lock = lock;
            if has_waited {
                // Another process may have renewed the session meanwhile.
                work = match self.keeping.still_due(work, deadline) {
                    Some(work) => work,
                    None => return Ok(()),
                };
            }
        }
        let deadline = self.keeping.time_limit(&work, self.deadline);
        let errand = self.keeping.errand_of(&work);
        let is_killing = Rc::clone(&self.is_killing);
        let outcome = self.requests.create(errand, deadline, is_killing).await;
        self.keeping.settle(&work, outcome);
        Ok(())
    }

    async fn lock(&self, deadline: Moment) -> Result<(Option<Lock>, bool), Error> {
        let since = self.keeping.context().now();
        let mut has_waited = false;
        loop {
            let is_stuck = match self.keeping.files.try_lock(deadline) {
                Locking::Locked(lock) => return Ok((Some(lock), has_waited)),
                Locking::Unlocked => return Ok((None, has_waited)),
                Locking::Waits { is_stuck } => is_stuck,
            };
            has_waited = true;
            match self.keeping.locked_out(is_stuck, since, deadline) {
                LockedOut::Waits(pause) => sleep(pause).await,
                LockedOut::GoesOn => return Ok((None, has_waited)),
                LockedOut::Fails(error) => return Err(error),
            }
        }
    }
}
