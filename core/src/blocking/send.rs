//! Drives one request on the calling thread.

use std::thread;

use crate::{
    blocking::{create::ended, open::open, pool::Pool},
    connect::{
        failure::{Awaited, Failure},
        places::Place,
        transfer::Outgoing,
    },
    context::{Context, Shared},
    create::{
        call::{Failed, Over},
        single_flight::Outcome,
    },
    error::{Error, Status},
    host::forced_unwind,
    http::exchange::Exchange,
    moment::Moment,
    send::{
        request::Outline,
        response::Response,
        sending::{Sending, Step, Terms, unless_done},
    },
    session::Session,
};

/// The source of a request's session.
pub enum Source<'a> {
    /// The caller's session, or none. It is not renewed.
    Given(Option<&'a Session>),
    Provider(&'a dyn Sessions),
}

impl Source<'_> {
    /// Returns the session that a provider has, if it needs no check.
    fn warm(&self) -> Option<Session> {
        match self {
            Self::Given(_) => None,
            Self::Provider(sessions) => sessions.warm(),
        }
    }
}

/// A provider, as a request sees it.
pub trait Sessions {
    /// Returns the session that the provider has, if it needs no check.
    fn warm(&self) -> Option<Session>;

    /// Returns a session before `deadline`, or an error.
    fn get(&self, deadline: Moment) -> Outcome;

    /// Marks a session as refused by a route. `may_kill` is false if the session was received after
    /// a refused one.
    fn refuse(&self, session: &Session, may_kill: bool);
}

pub struct Sender<'a> {
    pub context: &'a Context,
    pub shared: &'a Shared,
    pub pool: &'a Pool,
    pub outline: &'a Outline,
    pub deadline: Moment,
}

impl Sender<'_> {
    /// Sends the request and returns its response.
    pub fn send(&self, source: &Source<'_>) -> Result<Response, Error> {
        let terms = Terms {
            deadline: self.deadline,
            max_attempts: self.context.policy.max_attempts,
            is_repeatable: self.outline.is_repeatable,
            renews: matches!(source, Source::Provider(_)),
        };
        let mut sending = Sending::new(terms, &self.context.decision(self.shared));
        let mut session = match source {
            Source::Given(session) => session.cloned(),
            Source::Provider(_) => None,
        };
        let mut place: Option<Place<'_>> = None;
        let mut came = None;
        loop {
            if forced_unwind::is_ending() {
                return Err(ended());
            }
            match sending.step() {
                Step::Session {
                    is_refused,
                    may_kill,
                } => {
                    place = None;
                    // The answer that refused the session is not the outcome.
                    came = None;
                    if let Source::Provider(sessions) = source {
                        if let Some(refused) = session.take().filter(|_| is_refused) {
                            sessions.refuse(&refused, may_kill);
                        }
                        session = Some(self.within_limit(sessions.get(self.deadline))?);
                    }
                    sending.has_session();
                }
                Step::Exchange { over } => {
                    place = place.or_else(|| self.shared.places.take_now());
                    if place.is_none() {
                        let left = || self.deadline.saturating_sub(self.context.now());
                        place = self.shared.places.wait(left);
                        if place.is_none() {
                            return came.ok_or_else(|| self.outline.no_place());
                        }
                        // The provider may have a newer session by now.
                        session = source.warm().or(session);
                    }
                    came = self.exchange(&mut sending, session.as_ref(), over, terms)?;
                    self.context.log_note(sending.take_note());
                }
                Step::Wait { until, is_long } => {
                    if is_long {
                        place = None;
                    }
                    thread::sleep(until.saturating_sub(self.context.now()));
                }
                Step::Finish(outcome) => {
                    outcome?;
                    return came.ok_or_else(|| self.out_of_time());
                }
            }
        }
    }

    /// Replaces a time-out of the session call by one of the request, if that limit has passed.
    fn within_limit(&self, outcome: Outcome) -> Outcome {
        outcome.map_err(|error| {
            let is_over = self.context.now() >= self.deadline;
            match error.status == Status::Timeout && is_over {
                true => self.out_of_time(),
                false => error,
            }
        })
    }

    fn out_of_time(&self) -> Error {
        let failure = Failure::OutOfTime(Awaited::SERVER);
        self.context.describe_request(self.outline, failure, None)
    }

    fn exchange(
        &self,
        sending: &mut Sending,
        session: Option<&Session>,
        over: Over,
        terms: Terms,
    ) -> Result<Option<Response>, Error> {
        let context = self.context;
        let kept = self.pool.take_for(over, context.now());
        let was_kept = kept.is_some();
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => open(context, &self.shared.network, self.deadline),
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return self.failed(sending, failure, false, None, terms),
        };
        let sent_at = context.now();
        let (head, body) = context
            .common
            .request(self.outline, session, Outgoing::PIECE);
        let outgoing = Outgoing::new(&head, body);
        let rules = context.rules_for(self.outline);
        let outcome = connection.exchange(outgoing, rules, self.deadline);
        let decision = context.decision(self.shared);
        let status = connection.last().status();
        if status != 0 {
            let took = decision.time.saturating_sub(sent_at);
            context.log_answer(status, took, was_kept);
        }
        if let Err(failure) = outcome {
            let exchange = (connection.last(), connection.is_sent());
            return self.failed(sending, failure, was_kept, Some(exchange), terms);
        }
        let wall = (context.environment.wall)();
        sending.answered(&connection.last().answer(), wall, &decision);
        let may_be_used_again = connection.may_be_used_again();
        let response = Response::new(status, connection.take_answer());
        if may_be_used_again {
            connection.forget_answer();
            self.pool.put(connection, context.now());
        }
        Ok(Some(response))
    }

    /// Reports a failure. `exchange`: the exchange that failed, and whether its request was sent
    /// completely, or `None` if no connection was opened.
    fn failed(
        &self,
        sending: &mut Sending,
        failure: Failure,
        was_kept: bool,
        exchange: Option<(&Exchange, bool)>,
        terms: Terms,
    ) -> Result<Option<Response>, Error> {
        let is_final = matches!(failure, Failure::OutOfTime(_) | Failure::NotHere(_));
        let is_whole = exchange.is_some_and(|(_, is_whole)| is_whole);
        let exchange = exchange.map(|(exchange, _)| exchange);
        let error = self
            .context
            .describe_request(self.outline, failure, exchange);
        if is_final {
            return Err(unless_done(error, is_whole, terms));
        }
        let failed = Failed {
            error,
            was_kept,
            was_sent: exchange.is_some(),
            has_heard: exchange.is_some_and(Exchange::has_heard),
        };
        sending.failed(failed, is_whole, &self.context.decision(self.shared));
        Ok(None)
    }
}
