//! Drives one request on the I/O thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::time::sleep;

use crate::{
    background::{chore::Source, connections::Connections},
    connect::{
        failure::{Awaited, Failure},
        places::Place,
        transfer::Outgoing,
    },
    create::call::{Failed, Over},
    error::Error,
    http::exchange::Exchange,
    moment::Moment,
    send::{
        request::Outline,
        response::Response,
        sending::{Sending, Step, Terms, unless_done},
    },
    session::Session,
};

pub struct Sender<'a> {
    connections: &'a Rc<Connections>,
    outline: &'a Outline,
    source: &'a Source,
    deadline: Moment,
    /// The peer that the request is waiting for, for the message of a time-out.
    waits_for: Cell<Awaited>,
    /// While an exchange runs: whether its request was sent completely.
    sent: RefCell<Option<Rc<Cell<bool>>>>,
    waits_for_place: Cell<bool>,
    /// The last answer.
    pub came: RefCell<Option<Response>>,
}

impl<'a> Sender<'a> {
    pub fn new(
        connections: &'a Rc<Connections>,
        outline: &'a Outline,
        source: &'a Source,
        deadline: Moment,
    ) -> Self {
        Self {
            connections,
            outline,
            source,
            deadline,
            waits_for: Cell::new(Awaited::SERVER),
            sent: RefCell::new(None),
            waits_for_place: Cell::new(false),
            came: RefCell::new(None),
        }
    }

    /// Sends the request and returns its response. The caller sets a time limit.
    pub async fn send(&self) -> Result<Response, Error> {
        let context = &*self.connections.context;
        let shared = &*self.connections.shared;
        let mut sending = Sending::new(self.terms(), &context.decision(shared));
        let mut session: Option<Session> = match self.source {
            Source::Given(session) => session.clone(),
            Source::Provider(_) => None,
        };
        let mut place: Option<Place<'_>> = None;
        loop {
            match sending.step() {
                Step::Session {
                    is_refused,
                    may_kill,
                } => {
                    place = None;
                    // The answer that refused the session is not the outcome.
                    self.came.take();
                    if let Source::Provider(sessions) = self.source {
                        if let Some(refused) = session.take().filter(|_| is_refused) {
                            sessions.refuse(&refused, may_kill);
                        }
                        session = Some(sessions.get().await?);
                    }
                    sending.has_session();
                }
                Step::Exchange { over } => {
                    place = place.or_else(|| shared.places.take_now());
                    if place.is_none() {
                        self.waits_for_place.set(true);
                        place = Some(shared.places.take().await?);
                        self.waits_for_place.set(false);
                        // The provider may have a newer session by now.
                        if let Source::Provider(sessions) = self.source {
                            session = sessions.warm().or(session);
                        }
                    }
                    self.came.take();
                    let came = Box::pin(self.exchange(&mut sending, session.as_ref(), over)).await;
                    self.came.replace(came);
                    context.log_note(sending.take_note());
                }
                Step::Wait { until, is_long } => {
                    if is_long {
                        place = None;
                    }
                    sleep(until.saturating_sub(context.now())).await;
                }
                Step::Finish(outcome) => {
                    outcome?;
                    return self.came.take().ok_or_else(|| self.out_of_time());
                }
            }
        }
    }

    /// Returns the error for a request whose time limit has passed.
    pub fn out_of_time(&self) -> Error {
        if self.waits_for_place.get() {
            return self.outline.no_place();
        }
        let failure = Failure::OutOfTime(self.waits_for.get());
        let error = self
            .connections
            .context
            .describe_request(self.outline, failure, None);
        unless_done(error, self.may_be_done(), self.terms())
    }

    /// Returns whether the server may have carried out the request of the exchange that runs. A
    /// server does not act upon a part of a request, unless it answers early.
    fn may_be_done(&self) -> bool {
        let has_begun_to_answer = matches!(self.waits_for.get(), Awaited::RestOfAnswer(_));
        let sent = self.sent.borrow();
        sent.as_ref()
            .is_some_and(|is_sent| is_sent.get() || has_begun_to_answer)
    }

    fn terms(&self) -> Terms {
        Terms {
            deadline: self.deadline,
            max_attempts: self.connections.context.policy.max_attempts,
            is_repeatable: self.outline.is_repeatable,
            renews: matches!(self.source, Source::Provider(_)),
        }
    }

    async fn exchange(
        &self,
        sending: &mut Sending,
        session: Option<&Session>,
        over: Over,
    ) -> Option<Response> {
        let context = &*self.connections.context;
        let kept = self.connections.take_for(over);
        let was_kept = kept.is_some();
        self.waits_for.set(Awaited::SERVER);
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => self.connections.open(self.deadline, &self.waits_for).await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(failure) => {
                self.failed(sending, failure, false, None);
                return None;
            }
        };
        let sent_at = context.now();
        let (head, body) = context
            .common
            .request(self.outline, session, Outgoing::PIECE);
        let outgoing = Outgoing::new(&head, body);
        let rules = context.rules_for(self.outline);
        self.sent.replace(Some(connection.sent_flag()));
        let outcome = connection
            .exchange(outgoing, rules, self.deadline, &self.waits_for)
            .await;
        self.sent.take();
        self.waits_for.set(Awaited::SERVER);
        let decision = context.decision(&self.connections.shared);
        let status = connection.last().status();
        if status != 0 {
            let took = decision.time.saturating_sub(sent_at);
            context.log_answer(status, took, was_kept);
        }
        if let Err(failure) = outcome {
            let exchange = (connection.last(), connection.is_sent());
            self.failed(sending, failure, was_kept, Some(exchange));
            return None;
        }
        let wall = (context.environment.wall)();
        sending.answered(&connection.last().answer(), wall, &decision);
        let may_be_used_again = connection.may_be_used_again();
        let response = Response::new(status, connection.take_answer());
        if may_be_used_again {
            self.connections.put(connection);
        }
        Some(response)
    }

    /// Reports a failure. `exchange`: the exchange that failed, and whether its request was sent
    /// completely, or `None` if no connection was opened.
    fn failed(
        &self,
        sending: &mut Sending,
        failure: Failure,
        was_kept: bool,
        exchange: Option<(&Exchange, bool)>,
    ) {
        let context = &*self.connections.context;
        let is_whole = exchange.is_some_and(|(_, is_whole)| is_whole);
        let exchange = exchange.map(|(exchange, _)| exchange);
        let failed = Failed {
            error: context.describe_request(self.outline, failure, exchange),
            was_kept,
            was_sent: exchange.is_some(),
            has_heard: exchange.is_some_and(Exchange::has_heard),
        };
        let now = context.decision(&self.connections.shared);
        sending.failed(failed, is_whole, &now);
    }
}
