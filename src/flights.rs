//! One request at a time for one identifier.
//!
//! The server answers the second of two parallel creates of one identifier with
//! a token whose session does not exist. So callers with equal options share
//! one request and its outcome, and callers that differ only in other options
//! take turns.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{error::Error, session::Session, session_options::SessionRequest};

type Outcome = Result<Session, Error>;

#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Option<String>, Boarding>>);

/// The calls for one identifier that are under way or wait.
#[derive(Default)]
struct Boarding {
    turn: Arc<tokio::sync::Mutex<Option<Landed>>>,
    /// How many ever joined: the number of the last ticket.
    tickets: u64,
    aboard: usize,
}

/// An outcome, and who waited for it: those up to this ticket. Who came later
/// wants a request of its own.
struct Landed {
    request: SessionRequest,
    last_ticket: u64,
    outcome: Outcome,
}

impl Flights {
    /// Runs `send`, unless an equal call that was under way when this one came
    /// has an outcome first. If the call that runs `send` is dropped (its time
    /// ran out, it was cancelled), the next in line runs its own.
    pub(crate) async fn share(
        &self,
        request: &SessionRequest,
        send: impl AsyncFnOnce() -> Outcome,
    ) -> Outcome {
        let seat = Seat::take(self, request.identifier.as_ref());
        let mut turn = seat.turn.lock().await;
        if let Some(landed) = &*turn
            && landed.last_ticket >= seat.ticket
            && landed.request == *request
        {
            return landed.outcome.clone();
        }
        let outcome = send().await;
        if let Some(last_ticket) = seat.last_ticket_if_others_wait() {
            *turn = Some(Landed {
                request: request.clone(),
                last_ticket,
                outcome: outcome.clone(),
            });
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<String>, Boarding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller's place in the line of its identifier, left when dropped.
struct Seat<'a> {
    flights: &'a Flights,
    identifier: Option<String>,
    turn: Arc<tokio::sync::Mutex<Option<Landed>>>,
    ticket: u64,
}

impl<'a> Seat<'a> {
    fn take(flights: &'a Flights, identifier: Option<&String>) -> Self {
        let identifier = identifier.cloned();
        let mut lines = flights.lock();
        let line = lines.entry(identifier.clone()).or_default();
        line.tickets += 1;
        line.aboard += 1;
        let (turn, ticket) = (Arc::clone(&line.turn), line.tickets);
        drop(lines);
        Self {
            flights,
            identifier,
            turn,
            ticket,
        }
    }

    fn last_ticket_if_others_wait(&self) -> Option<u64> {
        let lines = self.flights.lock();
        let line = lines.get(&self.identifier)?;
        (line.aboard > 1).then_some(line.tickets)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut lines = self.flights.lock();
        if let Some(line) = lines.get_mut(&self.identifier) {
            line.aboard -= 1;
            if line.aboard == 0 {
                lines.remove(&self.identifier);
            }
        }
    }
}
