//! A client: settings that hold together, and the calls made with them.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use crate::{
    clock::Clock,
    config::{Config, Settings},
    creation::Creation,
    error::{Error, Status},
    flights::Flights,
    log::{self, Level},
    process::PerProcess,
    random,
    retry::Budget,
    runtime::{Lane, Lanes},
    session::Session,
    session_options::SessionOptions,
    sys,
    transport::{Http, Resolver, Trust},
};

pub(crate) struct Client {
    settings: Settings,
    trust: Trust,
    surroundings: Surroundings,
    local: PerProcess<Local>,
}

/// What tests replace.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) random: fn() -> u32,
}

impl Surroundings {
    const SYSTEM: Surroundings = Surroundings {
        clock: Clock::SYSTEM,
        random: random::uniform,
    };
}

/// What a forked child must not share with its parent.
#[derive(Default)]
struct Local {
    lanes: Lanes,
    flights: Flights,
    budget: Budget,
    resolver: Resolver,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Client {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        Self::within(config, Surroundings::SYSTEM)
    }

    pub(crate) fn within(config: &Config, surroundings: Surroundings) -> Result<Self, Error> {
        let (settings, trust) = config.check()?;
        Ok(Self {
            settings,
            trust,
            surroundings,
            local: PerProcess::new(Local::default),
        })
    }

    /// Creates a session on the calling thread.
    pub(crate) fn create_session(&self, options: &SessionOptions) -> Result<Session, Error> {
        let outcome = self.create(options);
        if let Err(error) = &outcome {
            log::say(self.settings.log.as_deref(), Level::Error, || {
                error.message.clone()
            });
        }
        outcome
    }

    fn create(&self, options: &SessionOptions) -> Result<Session, Error> {
        let request = options.check()?;
        can_drive_here()?;
        let local = self.local.get();
        let mut lane = match local.lanes.take() {
            Some(lane) => lane,
            None => Lane::new()?,
        };
        // What goes through a proxy is written in ways that can raise it.
        let _no_sigpipe = self.settings.proxy.is_some().then(sys::NoSigpipe::new);
        let outcome = lane.drive(async |http| {
            let deadline = Instant::now() + self.settings.timeout;
            let sending = local.flights.share(&request, async || {
                let http = match http {
                    Some(http) => http,
                    None => http.insert(self.http(&local)?),
                };
                let mut creation = Creation {
                    http,
                    budget: &local.budget,
                    max_attempts: self.settings.max_attempts,
                    deadline,
                    log: self.settings.log.as_deref(),
                    surroundings: self.surroundings,
                };
                creation.run(&request).await
            });
            timeout_at(deadline, sending).await
        });
        match outcome {
            Ok(outcome) => {
                local.lanes.put_back(lane);
                outcome
            }
            // Dropping the lane ends what is under way on it.
            Err(_) => Err(self.out_of_time()),
        }
    }

    fn http(&self, local: &Local) -> Result<Http, Error> {
        let tls = match local.tls.get() {
            Some(tls) => tls,
            None => {
                let tls = Arc::new(self.trust.configure()?);
                local.tls.get_or_init(|| tls)
            }
        };
        Http::new(&self.settings, tls, local.resolver.clone())
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

/// A thread inside the log callback drives a call already, and one whose
/// thread-local variables are gone cannot drive any.
fn can_drive_here() -> Result<(), Error> {
    let why = if log::is_telling() {
        "a session cannot be created from inside a log callback"
    } else if Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed()) {
        "a session cannot be created by a thread, or a process, that is already ending"
    } else {
        return Ok(());
    };
    Err(Error::new(Status::InvalidArgument, why))
}
