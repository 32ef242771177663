//! What all calls of a client share, blocking or not, whoever drives them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::{
    clock::Clock,
    config::Settings,
    creation::Creation,
    error::{Error, Status},
    flights::Flights,
    log::{self, Level},
    random,
    retry::Budget,
    session::Session,
    session_options::SessionRequest,
    transport::{Http, Resolver, Trust},
};

/// Creates sessions with one set of settings.
pub(crate) struct Creator {
    pub(crate) settings: Settings,
    pub(crate) trust: Trust,
    pub(crate) surroundings: Surroundings,
}

/// What tests replace.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) random: fn() -> u32,
}

impl Surroundings {
    pub(crate) const SYSTEM: Surroundings = Surroundings {
        clock: Clock::SYSTEM,
        random: random::uniform,
    };
}

/// What the calls of one process share; a forked child starts with its own.
#[derive(Default)]
pub(crate) struct Shared {
    flights: Flights,
    budget: Budget,
    resolver: Resolver,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Creator {
    /// When a call that begins now has to end.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.settings.timeout
    }

    /// One call, with whatever its identifier makes it wait for. `send` is run
    /// when a request of its own is to be made: it finds an [`Http`] and runs
    /// [`Creator::send`] over it, with what to do in a long wait.
    ///
    /// The error in the error: time ran out, and what was under way has been
    /// dropped.
    pub(crate) async fn create(
        &self,
        shared: &Shared,
        request: &SessionRequest,
        deadline: Instant,
        send: impl AsyncFnOnce() -> Result<Session, Error>,
    ) -> Result<Result<Session, Error>, Error> {
        timeout_at(deadline, shared.flights.share(request, send))
            .await
            .map_err(|_| self.out_of_time())
    }

    pub(crate) async fn send(
        &self,
        shared: &Shared,
        request: &SessionRequest,
        deadline: Instant,
        http: &mut Http,
        pause: impl AsyncFnMut(Duration, &mut Http),
    ) -> Result<Session, Error> {
        let mut creation = Creation {
            http,
            pause,
            budget: &shared.budget,
            max_attempts: self.settings.max_attempts,
            deadline,
            log: self.settings.log.as_deref(),
            surroundings: self.surroundings,
        };
        creation.run(request).await
    }

    pub(crate) fn http(&self, shared: &Shared) -> Result<Http, Error> {
        let tls = match shared.tls.get() {
            Some(tls) => tls,
            None => {
                let tls = Arc::new(self.trust.configure()?);
                shared.tls.get_or_init(|| tls)
            }
        };
        Http::new(&self.settings, tls, shared.resolver.clone())
    }

    /// Tells the log of a call that has failed.
    pub(crate) fn log_failure(&self, error: &Error) {
        log::say(self.settings.log.as_deref(), Level::Error, || {
            error.message.clone()
        });
    }

    fn out_of_time(&self) -> Error {
        Error::new(
            Status::Timeout,
            format!(
                "{} did not answer within {} ms; try again, or raise the timeout",
                self.settings.endpoint.authority(),
                self.settings.timeout.as_millis()
            ),
        )
    }
}
