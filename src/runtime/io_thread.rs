//! The thread that does the I/O of all asynchronous calls of a client.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc::UnboundedReceiver},
    task::{LocalSet, spawn_local},
    time::{Instant, sleep},
};

use crate::{
    creator::{Creator, Shared},
    error::{Error, Status},
    panics,
    runtime::{Engine, EventLoop},
    session::Session,
    session_options::SessionRequest,
    transport::{Http, MAX_REST},
};

/// More calls than this wait for a connection, in the order they came.
const MAX_CONNECTIONS: usize = 32;
pub(super) struct Job {
    pub(super) call: u64,
    pub(super) request: SessionRequest,
    pub(super) deadline: Instant,
}

/// Reads jobs until there can be no more, and leaves what is under way then:
/// it has been cancelled.
pub(super) fn run(
    engine: &Arc<Engine>,
    shared: Arc<Shared>,
    mut jobs: UnboundedReceiver<Job>,
    event_loop: EventLoop,
) {
    let tasks = LocalSet::new();
    tasks.block_on(&event_loop, async {
        let pool = Rc::new(Pool::new(Arc::clone(&engine.creator), shared));
        while let Some(job) = jobs.recv().await {
            #[cfg(feature = "test-hooks")]
            panics::Point::IoThread.strike();
            let call = job.call;
            let task = spawn_local(carry_out(Arc::clone(engine), Rc::clone(&pool), job));
            engine.is_carried_out_by(call, task.abort_handle());
        }
    });
    // Before the event loop that their connections belong to.
    drop(tasks);
}

async fn carry_out(engine: Arc<Engine>, pool: Rc<Pool>, job: Job) {
    let landing = Landing {
        engine: &engine,
        call: job.call,
    };
    #[cfg(feature = "test-hooks")]
    panics::Point::Task.strike();
    let Pool {
        creator, shared, ..
    } = &*pool;
    let sending = async || {
        // In a box of its own: while it waits for a connection a call is small.
        let turn = pool.connections.acquire().await.map_err(unreachable)?;
        Box::pin(pool.send(&job, turn)).await
    };
    let outcome = creator
        .create(shared, &job.request, job.deadline, sending)
        .await
        .and_then(|outcome| outcome);
    if let Err(error) = &outcome {
        creator.log_failure(error);
    }
    landing.land(outcome);
}

/// The semaphore is never closed.
fn unreachable(error: impl std::fmt::Display) -> Error {
    Error::new(Status::Panic, error.to_string())
}

/// Sees to it that a call ends even if its task panics.
struct Landing<'a> {
    engine: &'a Engine,
    call: u64,
}

impl Landing<'_> {
    fn land(self, outcome: Result<Session, Error>) {
        self.engine.complete(self.call, outcome);
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.engine.complete(self.call, Err(panics::last()));
        }
    }
}

/// The connections between calls.
struct Pool {
    creator: Arc<Creator>,
    shared: Arc<Shared>,
    connections: Semaphore,
    /// The last used on top.
    resting: RefCell<Vec<(Http, Instant)>>,
    has_reaper: Cell<bool>,
}

impl Pool {
    fn new(creator: Arc<Creator>, shared: Arc<Shared>) -> Self {
        Self {
            creator,
            shared,
            connections: Semaphore::new(MAX_CONNECTIONS),
            resting: RefCell::default(),
            has_reaper: Cell::new(false),
        }
    }

    /// `turn` is given back for as long as the call rests.
    async fn send(self: &Rc<Self>, job: &Job, turn: SemaphorePermit<'_>) -> Result<Session, Error> {
        let mut turn = Some(turn);
        let rest = async |time, http: &mut Http| {
            drop(turn.take());
            sleep(time).await;
            turn = self.connections.acquire().await.ok();
            if let Some(rested) = self.take_rested() {
                *http = rested;
            }
        };
        let mut http = match self.take_rested() {
            Some(http) => http,
            None => self.creator.http(&self.shared)?,
        };
        let outcome = self
            .creator
            .send(&self.shared, &job.request, job.deadline, &mut http, rest)
            .await;
        self.put_back(http);
        outcome
    }

    fn take_rested(&self) -> Option<Http> {
        self.resting.borrow_mut().pop().map(|(http, _)| http)
    }

    fn put_back(self: &Rc<Self>, http: Http) {
        self.resting.borrow_mut().push((http, Instant::now()));
        if !self.has_reaper.replace(true) {
            spawn_local(Rc::clone(self).reap());
        }
    }

    /// Drops connections that the server is about to close, as long as there
    /// are any.
    async fn reap(self: Rc<Self>) {
        while !self.resting.borrow().is_empty() {
            sleep(MAX_REST).await;
            let now = Instant::now();
            self.resting
                .borrow_mut()
                .retain(|(_, since)| now.duration_since(*since) < MAX_REST);
        }
        self.has_reaper.set(false);
    }
}
