//! A client: settings that hold together, and the calls made with them.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, time::sleep};

use crate::{
    config::Config,
    creator::{Creator, Shared, Surroundings},
    error::{Error, Status},
    log,
    process::PerProcess,
    runtime::{Engine, Finish, Lane, Lanes, shut_down},
    session::Session,
    session_options::{SessionOptions, SessionRequest},
    sys,
    transport::Http,
};

pub(crate) struct Client {
    creator: Arc<Creator>,
    local: PerProcess<Local>,
    engine: Arc<Engine>,
}

/// What a forked child must not share with its parent.
#[derive(Default)]
struct Local {
    lanes: Lanes,
    shared: Arc<Shared>,
}

impl Client {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        Self::within(config, Surroundings::SYSTEM)
    }

    pub(crate) fn within(config: &Config, surroundings: Surroundings) -> Result<Self, Error> {
        let (settings, trust) = config.check()?;
        let creator = Arc::new(Creator {
            settings,
            trust,
            surroundings,
        });
        Ok(Self {
            engine: Engine::new(Arc::clone(&creator), config.dispatched_by_host),
            creator,
            local: PerProcess::new(Local::default),
        })
    }

    /// Creates a session on the calling thread.
    pub(crate) fn create_session(&self, options: &SessionOptions) -> Result<Session, Error> {
        if self.engine.is_closed() {
            return Err(shut_down());
        }
        let outcome = self.create(options);
        if let Err(error) = &outcome {
            self.creator.log_failure(error);
        }
        outcome
    }

    fn create(&self, options: &SessionOptions) -> Result<Session, Error> {
        let request = options.check()?;
        can_drive_here()?;
        let local = self.local.get();
        let (creator, shared) = (&*self.creator, &*local.shared);
        let mut lane = match local.lanes.take() {
            Some(lane) => lane,
            None => Lane::new()?,
        };
        // What goes through a proxy is written in ways that can raise it.
        let _no_sigpipe = creator.settings.proxy.is_some().then(sys::NoSigpipe::new);
        let outcome = lane.drive(async |http| {
            let deadline = creator.deadline();
            let sending = async || {
                let http = match http {
                    Some(http) => http,
                    None => http.insert(creator.http(shared)?),
                };
                let pause = async |time, _: &mut Http| sleep(time).await;
                creator.send(shared, &request, deadline, http, pause).await
            };
            creator.create(shared, &request, deadline, sending).await
        });
        // When time ran out the lane is dropped, and what is under way on it.
        let outcome = outcome?;
        local.lanes.put_back(lane);
        outcome
    }

    /// Prepares a call that runs on a thread of the client's.
    pub(crate) fn begin(&self, options: &SessionOptions) -> Result<Call, Error> {
        let request = options.check()?;
        let shared = Arc::clone(&self.local.get().shared);
        Ok(Call {
            number: self.engine.begin(shared)?,
            engine: Arc::downgrade(&self.engine),
            unsent: Some((Arc::clone(&self.engine), request)),
        })
    }

    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), Error> {
        self.engine.shut_down(timeout)
    }

    pub(crate) fn descriptor(&self) -> Option<i32> {
        self.engine.descriptor()
    }

    pub(crate) fn dispatch(&self) -> Result<(), Error> {
        self.engine.dispatch()
    }

    /// The owner has no more use for it, though calls may still be inside.
    pub(crate) fn let_go(&self) {
        self.engine.let_go();
    }
}

/// One asynchronous call.
pub(crate) struct Call {
    number: u64,
    /// What belongs to the client ends with it, whatever calls the host keeps.
    engine: Weak<Engine>,
    /// Until it is submitted.
    unsent: Option<(Arc<Engine>, SessionRequest)>,
}

impl Call {
    /// Sends it on its way; without fail for each call that was begun.
    pub(crate) fn submit(&mut self, finish: Finish) {
        if let Some((engine, request)) = self.unsent.take() {
            engine.submit(self.number, request, finish);
        }
    }

    pub(crate) fn cancel(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.cancel(self.number);
        }
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
