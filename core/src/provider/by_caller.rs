//! Drives a provider on the thread of a caller.

use std::thread;

use crate::{
    blocking::create::wait_for_turn,
    client::may_block_here,
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
};

/// Returns a session that is valid for a while. Blocks until `deadline` at most if it has to ask
/// the server.
pub fn get(keeping: &Keeping, deadline: Moment) -> Outcome {
    let caller = Caller { keeping, deadline };
    let local = keeping.local();
    match keeping.ask() {
        Verdict::Hand(session) => Ok(session),
        Verdict::Fail(error) => Err(error),
        Verdict::HandAndWork(session, _) if may_block_here().is_err() => Ok(session),
        Verdict::HandAndWork(session, _) => {
            let leader = match keeping.has_thread() {
                true => None,
                false => local.single_flight.lead_if_free(&keeping.errand),
            };
            match leader {
                Some(leader) => caller.lead(leader, Came::First),
                None => {
                    keeping.publish_meanwhile();
                    Ok(session)
                }
            }
        }
        // The caller's thread must not block. That is not a failure of the provider, so the keeper
        // does not count it.
        Verdict::Work(_) if may_block_here().is_err() => may_block_here().and(keeping.outcome()),
        Verdict::Work(_) => match local.single_flight.join(&keeping.errand, deadline) {
            Joined::Leads(leader) => caller.lead(leader, Came::First),
            Joined::Follows(follower) => {
                match wait_for_turn(keeping.context(), &follower, deadline) {
                    Some(Turn::Has(outcome)) => outcome,
                    Some(Turn::Leads(leader)) => caller.lead(leader, Came::AfterAnother),
                    None => Err(keeping.context().out_of_time(Awaited::SERVER)),
                }
            }
        },
    }
}

struct Caller<'a> {
    keeping: &'a Keeping,
    deadline: Moment,
}

impl Caller<'_> {
    /// Makes the request that is due, for all waiting callers.
    fn lead(&self, leader: Leader, came: Came) -> Outcome {
        let came = self.keeping.came(came, self.deadline);
        let Some(work) = self.keeping.work_due(came) else {
            let outcome = self.keeping.outcome();
            leader.finish(&outcome);
            return outcome;
        };
        if let Err(error) = self.carry_out_until_done(work) {
            drop(leader);
            let outcome = self.keeping.outcome_without_request(error);
            self.keeping.tell();
            return outcome;
        }
        let outcome = self.keeping.outcome();
        // The time of this caller has passed. Others may have time left, so the next one leads.
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

    /// Makes the request, and further ones that become due while there is still no session: a
    /// session may expire while it is confirmed.
    fn carry_out_until_done(&self, work: Work) -> Result<(), Error> {
        let mut next = Some(work);
        for _ in 0..MOST_WORKS {
            let Some(work) = next else { break };
            self.carry_out(work)?;
            next = self.keeping.work_left(self.deadline);
        }
        Ok(())
    }

    fn carry_out(&self, mut work: Work) -> Result<(), Error> {
        let mut _lock = None;
        // A client that was shut down must not touch files or log.
        if !self.keeping.client.is_closed() {
            work = match self.keeping.beyond_stored(work) {
                Some(work) => work,
                None => return Ok(()),
            };
            let deadline = self.keeping.time_limit(&work, self.deadline);
            let (lock, has_waited) = self.lock(deadline)?;
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
        match self.keeping.client.run(errand, deadline) {
            // A thread that is ending cannot make a request. Other threads can.
            Err(error) if error.status == Status::InvalidArgument => Err(error),
            outcome => {
                self.keeping.settle(&work, outcome);
                Ok(())
            }
        }
    }

    /// Takes the file lock. Returns whether another process held it.
    fn lock(&self, deadline: Moment) -> Result<(Option<Lock>, bool), Error> {
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
                LockedOut::Waits(pause) => thread::sleep(pause),
                LockedOut::GoesOn => return Ok((None, has_waited)),
                LockedOut::Fails(error) => return Err(error),
            }
        }
    }
}
