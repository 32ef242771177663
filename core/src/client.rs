//! A client: settings that hold together, and the calls made with them.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use crate::{
    background::{
        calls::Finish,
        chore::Chore,
        engine::{self, Engine},
        order::Task,
        shutdown,
    },
    blocking::{
        self,
        pool::Pool,
        send::{Sender, Source},
    },
    config::Config,
    context::{Context, Shared},
    create::aim::Errand,
    environment::Environment,
    error::{Error, Status},
    host::fork::PerProcess,
    log,
    moment::Moment,
    send::{
        request::{Outline, Request},
        response::Response,
    },
    session::Session,
    session_options::SessionOptions,
};

pub struct Client {
    context: Arc<Context>,
    local: PerProcess<Local>,
    engine: Arc<Engine>,
}

/// What a forked child must not share with its parent.
#[derive(Default)]
struct Local {
    shared: Arc<Shared>,
    pool: Pool,
}

impl Client {
    pub fn new(config: &Config) -> Result<Self, Error> {
        Self::within(config, Environment::SYSTEM)
    }

    /// Makes a client with other clocks and random numbers, for tests.
    pub fn within(config: &Config, environment: Environment) -> Result<Self, Error> {
        let context = Arc::new(Context::new(config.check()?, environment));
        Ok(Self {
            engine: Engine::new(Arc::clone(&context), config.dispatched_by_host),
            context,
            local: PerProcess::new(Local::default),
        })
    }

    /// Creates a session on the calling thread.
    pub fn create_session(&self, options: &SessionOptions) -> Result<Session, Error> {
        let deadline = self.context.deadline();
        let outcome = match options.check() {
            // A client that takes no calls says so first.
            Err(_) if self.engine.is_closed() => return Err(engine::shut_down()),
            Err(error) => Err(error),
            Ok(errand) => return self.run(errand, deadline),
        };
        if let Err(error) = &outcome {
            self.context.log_failure(error);
        }
        outcome
    }

    /// Runs an errand on the calling thread.
    pub fn run(&self, errand: Errand, deadline: Moment) -> Result<Session, Error> {
        if self.engine.is_closed() {
            return Err(engine::shut_down());
        }
        let outcome = may_block_here().and_then(|()| {
            let local = self.local.get();
            blocking::create::create(&self.context, &local.shared, &local.pool, errand, deadline)
        });
        if let Err(error) = &outcome {
            self.context.log_failure(error);
        }
        outcome
    }

    /// Sends a request on the calling thread.
    pub fn send(
        &self,
        outline: &Outline,
        source: &Source<'_>,
        deadline: Moment,
    ) -> Result<Response, Error> {
        if self.engine.is_closed() {
            return Err(engine::shut_down());
        }
        let outcome = may_block_here().and_then(|()| {
            let local = self.local.get();
            let sender = Sender {
                context: &self.context,
                shared: &local.shared,
                pool: &local.pool,
                outline,
                deadline,
            };
            sender.send(source)
        });
        if let Err(error) = &outcome {
            self.context.log_failure(error);
        }
        outcome
    }

    /// Sends a request with a session that is not renewed, or without one.
    pub fn send_once(
        &self,
        request: &Request,
        session: Option<&Session>,
    ) -> Result<Response, Error> {
        if self.engine.is_closed() {
            return Err(engine::shut_down());
        }
        let outline = request.check()?;
        let deadline = self.context.now().saturating_add(outline.timeout);
        self.send(&outline, &Source::Given(session), deadline)
    }

    /// Whether it takes no more calls.
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Prepares an asynchronous call. It has to be submitted.
    pub fn begin(&self, options: &SessionOptions) -> Result<(AsyncCall, Unsent), Error> {
        let errand = options.check()?;
        self.begin_task(Asked::Task(Task::Errand(Arc::new(errand))))
    }

    /// Prepares an asynchronous call for anything. It has to be submitted.
    pub fn begin_task(&self, asked: Asked) -> Result<(AsyncCall, Unsent), Error> {
        let number = self.engine.begin(&self.local.get().shared)?;
        let call = AsyncCall {
            number,
            engine: Arc::downgrade(&self.engine),
        };
        let unsent = Unsent {
            number,
            engine: Arc::clone(&self.engine),
            asked,
        };
        Ok((call, unsent))
    }

    /// Has the I/O thread do a chore until the client's end.
    pub fn keep(&self, chore: Box<dyn Chore>) -> Result<(), Error> {
        self.engine.keep(&self.local.get().shared, chore)
    }

    pub fn shut_down(&self, timeout: Duration) -> Result<(), Error> {
        shutdown::shut_down(&self.engine, timeout)
    }

    pub fn descriptor(&self) -> Option<i32> {
        self.engine.descriptor()
    }

    pub fn dispatch(&self) -> Result<(), Error> {
        self.engine.dispatch()
    }

    /// Says that the owner has no more use for it. Calls may still be inside.
    pub fn let_go(&self) {
        shutdown::let_go(&self.engine);
        // A provider may keep the client, and makes no request with it.
        self.local.get().pool.clear();
    }
}

/// A log callback runs in the middle of a call, and must not wait for one.
pub fn may_block_here() -> Result<(), Error> {
    match log::is_telling() {
        true => Err(Error::new(
            Status::InvalidArgument,
            "a session cannot be created from inside a log callback",
        )),
        false => Ok(()),
    }
}

/// One asynchronous call, as its owner sees it.
pub struct AsyncCall {
    number: u64,
    /// Weak: what belongs to the client ends with it, whatever calls the host
    /// keeps.
    engine: Weak<Engine>,
}

impl AsyncCall {
    pub fn cancel(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.cancel(self.number);
        }
    }
}

/// An asynchronous call that is not yet under way.
pub struct Unsent {
    number: u64,
    engine: Arc<Engine>,
    asked: Asked,
}

/// What an asynchronous call is for.
pub enum Asked {
    Task(Task),
    /// Its outcome is known.
    Known(Session),
}

impl Unsent {
    /// Puts the call under way. `finish` may run before this returns.
    pub fn submit(self, finish: Finish) {
        match self.asked {
            Asked::Task(task) => self.engine.submit(self.number, task, finish),
            Asked::Known(session) => {
                self.engine
                    .submit_known(self.number, Ok(session.into()), finish);
            }
        }
    }
}
