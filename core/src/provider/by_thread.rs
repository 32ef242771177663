//! Drives a provider on the I/O thread: for asynchronous callers, and ahead of time.

use std::{
    future::poll_fn,
    rc::Rc,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use crate::{
    background::chore::{Chore, LocalFuture, Requests},
    create::{
        keeper::{Verdict, Work},
        single_flight::{Joined, Leader, Outcome, Turn},
    },
    error::Error,
    moment::Moment,
    provider::{
        files::{Lock, Locking},
        keeping::{Came, Keeping, locked_out},
    },
};

/// The runtime's clock stops while the device sleeps. So it is looked at once in a
/// while.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Gets a session for one asynchronous call.
pub struct Get {
    pub keeping: Arc<Keeping>,
    pub deadline: Moment,
}

impl Chore for Get {
    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<Outcome> {
        Box::pin(async move {
            let Get { keeping, deadline } = *self;
            let worker = Worker {
                keeping: &keeping,
                deadline,
                requests: &*requests,
            };
            worker.get().await
        })
    }
}

/// Renews the session ahead of time, as long as the provider is there.
pub struct Ahead(End);

impl Ahead {
    pub fn of(keeping: &Arc<Keeping>) -> Self {
        keeping.set_thread(true);
        Self(End(Arc::downgrade(keeping)))
    }
}

impl Chore for Ahead {
    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<Outcome> {
        Box::pin(async move {
            let end = self.0;
            while let Some(keeping) = end.0.upgrade().filter(|keeping| !keeping.is_closed()) {
                let deadline = keeping.context().deadline();
                let worker = Worker {
                    keeping: &keeping,
                    deadline,
                    requests: &*requests,
                };
                let rest = keeping.next_due().saturating_sub(keeping.context().now());
                match rest.is_zero() {
                    true => worker.work_ahead().await,
                    false => {
                        let _ = timeout(rest.min(LONGEST_REST), keeping.changed.notified()).await;
                    }
                }
            }
            Err(locked_out())
        })
    }
}

/// Says that there is no thread any more, also when the client ends, or a bug ends the
/// chore, or it never begins. The callers do the work then.
struct End(Weak<Keeping>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(keeping) = self.0.upgrade() {
            keeping.set_thread(false);
        }
    }
}

struct Worker<'a> {
    keeping: &'a Keeping,
    deadline: Moment,
    requests: &'a dyn Requests,
}

impl Worker<'_> {
    async fn get(&self) -> Outcome {
        let local = self.keeping.local();
        let single_flight = &local.single_flight;
        match self.keeping.ask() {
            Verdict::Hand(session) => Ok(session),
            Verdict::Fail(error) => Err(error),
            Verdict::HandAndWork(session, _) if self.keeping.has_thread() => Ok(session),
            Verdict::HandAndWork(session, _) => {
                match single_flight.lead_if_free(&self.keeping.errand) {
                    Some(leader) => self.lead(leader, Came::First).await,
                    None => Ok(session),
                }
            }
            Verdict::Work(_) => match single_flight.join(&self.keeping.errand) {
                Joined::Leads(leader) => self.lead(leader, Came::First).await,
                Joined::Follows(follower) => {
                    match poll_fn(|context| follower.poll(context.waker())).await {
                        Turn::Has(outcome) => outcome,
                        Turn::Leads(leader) => self.lead(leader, Came::AfterAnother).await,
                    }
                }
            },
        }
    }

    /// Does what is due, unless a caller does it.
    async fn work_ahead(&self) {
        let local = self.keeping.local();
        match local.single_flight.lead_if_free(&self.keeping.errand) {
            Some(leader) => drop(self.lead(leader, Came::First).await),
            None => sleep(self.keeping.pause_between_locks()).await,
        }
    }

    async fn lead(&self, leader: Leader<'_>, came: Came) -> Outcome {
        let came = self.keeping.came(came, self.deadline);
        let Some(work) = self.keeping.work_due(came) else {
            let outcome = self.keeping.outcome();
            leader.finish(&outcome);
            return outcome;
        };
        let before = self.keeping.held();
        // Locked out by another process: that is no failure of the server's.
        if let Err(error) = self.carry_out(&work).await {
            drop(leader);
            return self.keeping.outcome().or(Err(error));
        }
        let outcome = self.keeping.outcome();
        if outcome.is_err() && self.keeping.context().now() >= self.deadline {
            drop(leader);
        } else {
            leader.finish(&outcome);
        }
        self.keeping.tell(before);
        outcome
    }

    async fn carry_out(&self, work: &Work) -> Result<(), Error> {
        let mut _lock = None;
        // A client that was shut down touches no file and tells the log nothing.
        if !self.keeping.client.is_closed() {
            if self.keeping.takes_stored(work) {
                return Ok(());
            }
            let (lock, has_waited) = self.lock().await?;
            if has_waited && self.keeping.takes_stored(work) {
                return Ok(());
            }
            _lock = lock;
        }
        let errand = self.keeping.errand_of(work);
        let outcome = self.requests.create(errand, self.deadline).await;
        self.keeping.settle(work, outcome);
        Ok(())
    }

    async fn lock(&self) -> Result<(Option<Lock>, bool), Error> {
        let mut has_waited = false;
        loop {
            match self.keeping.files.try_lock() {
                Locking::Locked(lock) => return Ok((Some(lock), has_waited)),
                Locking::Unlocked => return Ok((None, has_waited)),
                Locking::Waits => {
                    let left = self.deadline.saturating_sub(self.keeping.context().now());
                    if left.is_zero() {
                        return Err(locked_out());
                    }
                    has_waited = true;
                    sleep(self.keeping.pause_between_locks().min(left)).await;
                }
            }
        }
    }
}
