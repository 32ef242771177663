//! A client: its checked settings, and its calls.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::AcqRel},
    },
    time::Duration,
};

use crate::{
    background::{
        calls::Finish,
        chore::Chore,
        engine::{self, Engine},
        order::Task,
        send_once::SendOnce,
        shutdown,
    },
    blocking::{
        self,
        pool::Pool,
        send::{Sender, Source},
    },
    config::Config,
    connect::event_loop,
    context::{Context, Shared},
    create::aim::Errand,
    environment::Environment,
    error::{Error, Status},
    host::{entropy, fork::PerProcess},
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
    /// The host has freed the client.
    is_let_go: AtomicBool,
}

/// State that a forked child must not share with its parent.
#[derive(Default)]
struct Local {
    shared: Arc<Shared>,
    pool: Pool,
}

impl Client {
    pub fn new(config: &Config) -> Result<Self, Error> {
        Self::within(config, Environment::SYSTEM)
    }

    /// Creates a client with other clocks and random numbers, for tests.
    pub fn within(config: &Config, environment: Environment) -> Result<Self, Error> {
        entropy::prepare_process()?;
        let context = Arc::new(Context::new(config.check()?, environment));
        Ok(Self {
            engine: Engine::new(Arc::clone(&context), config.dispatched_by_host),
            context,
            local: PerProcess::new(Local::default),
            is_let_go: AtomicBool::new(false),
        })
    }

    /// Creates a session on the calling thread.
    pub fn create_session(&self, options: &SessionOptions) -> Result<Session, Error> {
        let deadline = self.context.deadline();
        let outcome = match options.check() {
            // The error of a closed client is reported first.
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

    /// Sends a request with a session that is not renewed, or without a session.
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

    /// Returns whether the client rejects new calls.
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// Returns the base URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.context.destination.endpoint.base_url()
    }

    /// Returns the `Origin` header of its requests.
    pub fn origin(&self) -> &str {
        &self.context.origin
    }

    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Returns the state that the calls of this process share.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.local.get().shared)
    }

    /// Prepares an asynchronous call that creates a session. The caller has to submit it.
    pub fn begin(&self, options: &SessionOptions) -> Result<(AsyncCall, Unsent), Error> {
        let errand = options.check()?;
        self.begin_task(Asked::Task(Task::Errand(Arc::new(errand))))
    }

    /// Prepares an asynchronous call that sends a request with the caller's session, or
    /// without one.
    pub fn begin_send(
        &self,
        request: &Request,
        session: Option<&Session>,
    ) -> Result<(AsyncCall, Unsent), Error> {
        let send = self.send_once_later(request, session)?;
        self.begin_task(Asked::Task(Task::Chore(Box::new(send))))
    }

    /// Returns the work that sends a request with the caller's session, or without one.
    pub fn send_once_later(
        &self,
        request: &Request,
        session: Option<&Session>,
    ) -> Result<SendOnce, Error> {
        let outline = request.check()?;
        Ok(SendOnce {
            deadline: self.context.now().saturating_add(outline.timeout),
            outline,
            session: session.cloned(),
        })
    }

    /// Prepares an asynchronous call of any kind. The caller has to submit it.
    pub fn begin_task(&self, asked: Asked) -> Result<(AsyncCall, Unsent), Error> {
        let number = self.engine.begin(&self.local.get().shared)?;
        let call = AsyncCall {
            number,
            engine: Arc::downgrade(&self.engine),
        };
        let unsent = Unsent {
            number,
            engine: Arc::clone(&self.engine),
            asked: Some(asked),
        };
        Ok((call, unsent))
    }

    /// Runs a chore on the I/O thread until the client ends.
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

    /// Ends the client when the host frees it. Other calls may still be running. A second time has
    /// no effect.
    pub fn let_go(&self) {
        if self.is_let_go.swap(true, AcqRel) {
            return;
        }
        shutdown::let_go(&self.engine, true);
        // A provider may still refer to the client, but makes no requests.
        self.local.get().pool.clear();
    }
}

impl Drop for Client {
    /// Cancels the asynchronous calls, and ends the threads. Does not wait for the threads, which
    /// own the engine. The callbacks of a client that the host dispatches run here.
    fn drop(&mut self) {
        if !*self.is_let_go.get_mut() {
            // No other thread has the client. This thread may have a call that is not submitted.
            shutdown::let_go(&self.engine, false);
        }
    }
}

/// Fails inside a log callback, and on a thread whose event loop runs. Both are in the middle of
/// another call, and must not wait for this one.
pub fn may_block_here() -> Result<(), Error> {
    let words = if log::is_telling() {
        "a blocking call cannot be made in a log callback; make it after the callback"
    } else if event_loop::runs_here() {
        "a blocking call cannot be made on the client's I/O thread; make it on another thread"
    } else {
        return Ok(());
    };
    Err(Error::new(Status::InvalidArgument, words))
}

/// An asynchronous call, for its owner.
pub struct AsyncCall {
    number: u64,
    /// Weak, so that the client's data is freed with the client, even if the host keeps call
    /// objects.
    engine: Weak<Engine>,
}

impl AsyncCall {
    pub fn cancel(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.cancel(self.number);
        }
    }
}

/// An asynchronous call that was not submitted yet. If it is dropped, the call ends without a
/// callback.
pub struct Unsent {
    number: u64,
    engine: Arc<Engine>,
    /// `None` after the call was submitted.
    asked: Option<Asked>,
}

/// The purpose of an asynchronous call.
pub enum Asked {
    Task(Task),
    /// The outcome is already known.
    Known(Session),
}

impl Unsent {
    /// Starts the call. `finish` may run before this returns.
    pub fn submit(mut self, finish: Finish) {
        match self.asked.take() {
            Some(Asked::Task(task)) => self.engine.submit(self.number, task, finish),
            Some(Asked::Known(session)) => {
                self.engine
                    .submit_known(self.number, Ok(session.into()), finish);
            }
            None => {}
        }
    }
}

impl Drop for Unsent {
    /// Ends a call that was not submitted. Otherwise a shutdown would wait for it.
    fn drop(&mut self) {
        if self.asked.is_some() {
            self.engine.abandon();
        }
    }
}
