//! One request at a time for one identifier.
//!
//! The server answers the second of two parallel creates of one identifier with
//! a token whose session does not exist. So callers with equal options share
//! one request and its outcome, and callers that differ only in other options
//! take turns.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{error::Error, session::Session, session_options::SessionRequest};

type Outcome = Result<Session, Error>;

#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Option<String>, Arc<Line>>>);

/// The calls for one identifier that are under way or wait.
#[derive(Default)]
struct Line {
    /// Held by the call whose request is under way; in it what the last one
    /// came to.
    turn: tokio::sync::Mutex<Option<Landed>>,
    /// How many ever joined: the number of the last ticket. Changes under the
    /// lock of the map only.
    tickets: AtomicU64,
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
        let seat = Seat::take(self, &request.identifier);
        let mut turn = seat.line().turn.lock().await;
        if let Some(landed) = &*turn
            && landed.last_ticket >= seat.ticket
            && landed.request == *request
        {
            return landed.outcome.clone();
        }
        // Whoever takes over from this call must not be given what was true
        // before it: it may be a kill.
        *turn = None;
        let outcome = send().await;
        let last_ticket = seat.line().tickets.load(Ordering::Acquire);
        *turn = (last_ticket > seat.ticket).then(|| Landed {
            request: request.clone(),
            last_ticket,
            outcome: outcome.clone(),
        });
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<String>, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller's place in the line of its identifier, left when dropped.
struct Seat<'a> {
    flights: &'a Flights,
    identifier: &'a Option<String>,
    /// `None` only while it is dropped.
    line: Option<Arc<Line>>,
    ticket: u64,
}

impl<'a> Seat<'a> {
    fn take(flights: &'a Flights, identifier: &'a Option<String>) -> Self {
        let mut lines = flights.lock();
        let line = Arc::clone(lines.entry(identifier.clone()).or_default());
        let ticket = line.tickets.fetch_add(1, Ordering::AcqRel) + 1;
        drop(lines);
        Self {
            flights,
            identifier,
            line: Some(line),
            ticket,
        }
    }

    fn line(&self) -> &Line {
        self.line.as_deref().expect("it is left only when dropped")
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut lines = self.flights.lock();
        // Taken and left under this lock only, so that the last one sees it.
        self.line = None;
        if let Some(line) = lines.get(self.identifier)
            && Arc::strong_count(line) == 1
        {
            lines.remove(self.identifier);
        }
    }
}
