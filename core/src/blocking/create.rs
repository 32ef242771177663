//! Drives one session call on the calling thread.

use std::{sync::Arc, task::Poll, thread};

use crate::{
    api::lifetime::Clocks,
    bell::Bell,
    blocking::{open::open, pool::Pool},
    connect::{
        failure::{Awaited, Failure},
        transfer::Outgoing,
    },
    context::{Context, Shared},
    create::{
        aim::Errand,
        call::{Call, Failed, Over, Step},
        single_flight::{Follower, Joined, Leader, Turn},
    },
    error::{Error, Status},
    host::forced_unwind,
    http::exchange::Exchange,
    moment::Moment,
    session::Session,
};

/// Creates a session. Waits for earlier calls with the same identifier.
pub fn create(
    context: &Context,
    shared: &Shared,
    pool: &Pool,
    errand: Errand,
    deadline: Moment,
) -> Result<Session, Error> {
    let driver = Driver {
        context,
        shared,
        pool,
        deadline,
    };
    let leader = match shared.single_flight.join(&Arc::new(errand), deadline) {
        Joined::Leads(leader) => leader,
        Joined::Follows(follower) => match wait_for_turn(context, &follower, deadline) {
            Some(Turn::Leads(leader)) => leader,
            Some(Turn::Has(outcome)) => return outcome,
            None => return Err(context.out_of_time(Awaited::SERVER)),
        },
    };
    driver.lead(leader)
}

/// Returns the error for a call whose thread the host has ended in a callback.
pub fn ended() -> Error {
    Error::new(
        Status::InvalidArgument,
        "a callback of the program has ended the thread of this call (pthread_exit); return from callbacks instead",
    )
}

struct Driver<'a> {
    context: &'a Context,
    shared: &'a Shared,
    pool: &'a Pool,
    deadline: Moment,
}

/// The error of a call without an outcome to share: its time has passed, or its thread cannot
/// continue. The next call becomes the leader.
struct Abandoned(Error);

/// Waits for a call's turn. Returns `None` if the deadline passes first.
pub fn wait_for_turn(context: &Context, follower: &Follower, deadline: Moment) -> Option<Turn> {
    let (bell, waker) = Bell::new();
    loop {
        if let Poll::Ready(turn) = follower.poll(&waker) {
            return Some(turn);
        }
        let left = deadline.saturating_sub(context.now());
        if left.is_zero() {
            return None;
        }
        bell.wait(left);
    }
}

impl Driver<'_> {
    fn lead(&self, leader: Leader) -> Result<Session, Error> {
        let errand = Arc::clone(leader.errand());
        let now = self.context.decision(self.shared);
        let mut call = Call::new(errand, self.deadline, leader.stopped(), &now);
        loop {
            if forced_unwind::is_ending() {
                return Err(ended());
            }
            match call.step() {
                Step::Exchange { body, over } => {
                    if let Err(Abandoned(error)) = self.exchange(&mut call, &body, over) {
                        return Err(error);
                    }
                    self.context.log_note(call.take_note());
                }
                Step::Wait { until, .. } => {
                    thread::sleep(until.saturating_sub(self.context.now()));
                }
                Step::Finish(outcome) => {
                    leader.finish(&outcome);
                    return outcome;
                }
                Step::Stop(stopped) => {
                    leader.stop(&stopped);
                    return Err(stopped.error);
                }
            }
        }
    }

    fn exchange(&self, call: &mut Call, body: &[u8], over: Over) -> Result<(), Abandoned> {
        let context = self.context;
        let kept = self.pool.take_for(over, context.now());
        let was_kept = kept.is_some();
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => open(context, &self.shared.network, self.deadline),
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return self.failed(call, failure, false, None),
        };
        let sent_at = context.now();
        let request = context.request_head.with_body(body);
        let outgoing = Outgoing::new(&request, &[]);
        let outcome = connection.exchange(outgoing, context.rules, self.deadline);
        let exchange = connection.last();
        let decision = context.decision(self.shared);
        let now = decision.time;
        if exchange.status() != 0 {
            context.log_answer(exchange.status(), now.saturating_sub(sent_at), was_kept);
        }
        if let Err(failure) = outcome {
            return self.failed(call, failure, was_kept, Some(exchange));
        }
        let clocks = Clocks {
            sent_at,
            now,
            wall: (context.environment.wall)(),
        };
        call.answered(&exchange.answer(), clocks, &context.policy, &decision);
        if connection.may_be_used_again() {
            connection.forget_answer();
            self.pool.put(connection, context.now());
        }
        Ok(())
    }

    /// Reports a failure. `exchange`: the exchange that failed, or `None` if no connection was
    /// opened.
    fn failed(
        &self,
        call: &mut Call,
        failure: Failure,
        was_kept: bool,
        exchange: Option<&Exchange>,
    ) -> Result<(), Abandoned> {
        let is_final = matches!(failure, Failure::OutOfTime(_) | Failure::NotHere(_));
        let error = self.context.describe(failure, exchange);
        if is_final {
            return Err(Abandoned(error));
        }
        let failed = Failed {
            error,
            was_kept,
            was_sent: exchange.is_some(),
            has_heard: exchange.is_some_and(Exchange::has_heard),
        };
        let now = self.context.decision(self.shared);
        call.failed(failed, &self.context.policy, &now);
        Ok(())
    }
}
