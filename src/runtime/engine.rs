//! The asynchronous side of a client: which calls are under way, and whose
//! callbacks are due.
//!
//! Two threads serve it, both started by the first call: one does the I/O
//! (`io_thread`), one runs the callbacks, so that a slow host stalls nothing.
//! With a `Doorbell` the host runs the callbacks itself, and the second does
//! not exist.
//!
//! A call is complete when somebody takes it out of `live`, whoever is first: the
//! I/O thread with an outcome, or a cancellation. From then on it is only an
//! entry in `due`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{sync::mpsc::UnboundedSender, task::AbortHandle};

use crate::{
    creator::{Creator, Shared},
    error::{Error, Status},
    exit, panics,
    process::this_process,
    runtime::{Doorbell, io_thread::Job, this_thread},
    session::Session,
    session_options::SessionRequest,
    sys,
};

/// Hands the outcome to the host. Run once, or dropped with nothing done.
pub(crate) type Finish = Box<dyn FnOnce(Outcome) + Send>;
type Outcome = Result<Session, Error>;

pub(crate) struct Engine {
    pub(super) creator: Arc<Creator>,
    /// The host runs the callbacks.
    pub(super) is_dispatched: bool,
    /// The process that uses it; 0 until then. A forked child has neither its
    /// threads nor a lock that it could trust.
    owner: AtomicU64,
    pub(super) closed: AtomicBool,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// `None`: there is no I/O thread.
    pub(super) jobs: Option<UnboundedSender<Job>>,
    pub(super) last_call: u64,
    pub(super) live: BTreeMap<u64, Live>,
    pub(super) due: VecDeque<(Finish, Outcome)>,
    /// Calls that have an object but are not yet submitted.
    pub(super) beginning: usize,
    /// Calls whose callback has not returned.
    pub(super) unfinished: usize,
    /// The threads that run callbacks now, once for each.
    pub(super) in_callbacks: Vec<usize>,
    pub(super) doorbell: Option<Doorbell>,
    /// The host has freed the client, and dispatches it no more.
    pub(super) is_let_go: bool,
    pub(super) has_callback_thread: bool,
    /// Threads of ours that were started and have not come to their end.
    pub(super) running: usize,
    /// Those of them that are past their beginning.
    pub(super) own: Vec<usize>,
    pub(super) threads: Vec<JoinHandle<()>>,
}

pub(super) struct Live {
    finish: Finish,
    task: Option<AbortHandle>,
}

impl State {
    fn make_due(&mut self, finish: Finish, outcome: Outcome) {
        self.due.push_back((finish, outcome));
        if let Some(doorbell) = &mut self.doorbell {
            doorbell.ring();
        }
    }

    pub(super) fn next_due(&mut self) -> Option<(Finish, Outcome)> {
        let due = self.due.pop_front();
        if self.due.is_empty()
            && let Some(doorbell) = &mut self.doorbell
        {
            doorbell.silence();
        }
        due
    }

    pub(super) fn others_run_callbacks(&self) -> bool {
        let here = this_thread();
        self.in_callbacks.iter().any(|&on| on != here)
    }

    /// For whoever is told of changes only. While another thread runs callbacks
    /// nobody need come; that one rings when it goes.
    pub(super) fn ring_again(&mut self) {
        let others = self.others_run_callbacks();
        if let Some(doorbell) = &mut self.doorbell
            && !self.due.is_empty()
        {
            doorbell.silence();
            if !others {
                doorbell.ring();
            }
        }
    }

    /// Joins the threads that have ended; returns how many others have not, this
    /// one not counted.
    pub(super) fn join_ended(&mut self) -> usize {
        let mut others = 0;
        for started in std::mem::take(&mut self.threads) {
            let is_here = sys::is_this_thread(&started);
            let alive = match is_here {
                true => Some(started),
                false => sys::try_join(started),
            };
            others += usize::from(!is_here && alive.is_some());
            self.threads.extend(alive);
        }
        others
    }

    fn doorbell(&mut self) -> Result<&mut Doorbell, Error> {
        match &mut self.doorbell {
            Some(doorbell) => Ok(doorbell),
            none => Ok(none.insert(Doorbell::new()?)),
        }
    }

    /// Ends every call under way; their tasks are left to be aborted.
    pub(super) fn end_all(&mut self, why: impl Fn() -> Error) -> Vec<AbortHandle> {
        let live = std::mem::take(&mut self.live);
        live.into_values()
            .filter_map(|live| {
                self.make_due(live.finish, Err(why()));
                live.task
            })
            .collect()
    }
}

impl Engine {
    pub(crate) fn new(creator: Arc<Creator>, is_dispatched: bool) -> Arc<Self> {
        Arc::new(Self {
            creator,
            is_dispatched,
            owner: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Whether it takes no more calls.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Makes this process the owner, unless another is.
    pub(super) fn enter(&self) -> Result<(), Error> {
        let here = this_process();
        match self
            .owner
            .compare_exchange(0, here, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => Ok(()),
            Err(owner) if owner == here => Ok(()),
            Err(_) => Err(forked()),
        }
    }

    /// Whether another process owns it: then nothing may be touched.
    pub(crate) fn is_inherited(&self) -> bool {
        let owner = self.owner.load(Ordering::Acquire);
        owner != 0 && owner != this_process()
    }

    /// A call that will be submitted. Starts the threads if they do not run.
    pub(crate) fn begin(self: &Arc<Self>, shared: Arc<Shared>) -> Result<u64, Error> {
        self.enter()?;
        if !self.is_dispatched && exit::has_begun() {
            return Err(Error::new(
                Status::ShutDown,
                "the process is exiting, and no callback begins any more",
            ));
        }
        let mut state = self.lock();
        if self.is_closed() {
            return Err(shut_down());
        }
        if self.is_dispatched {
            state.doorbell()?;
        }
        if state.jobs.is_none() {
            self.start_threads(&mut state, shared)?;
        }
        state.last_call += 1;
        state.beginning += 1;
        state.unfinished += 1;
        Ok(state.last_call)
    }

    /// From here on the call is under way, and its callback may run.
    pub(crate) fn submit(&self, call: u64, request: SessionRequest, finish: Finish) {
        let mut state = self.lock();
        state.beginning -= 1;
        let job = Job {
            call,
            request,
            deadline: self.creator.deadline(),
        };
        let sent = !self.is_closed()
            && state
                .jobs
                .as_ref()
                .is_some_and(|jobs| jobs.send(job).is_ok());
        if sent {
            state.live.insert(call, Live { finish, task: None });
        } else {
            state.make_due(finish, Err(cancelled()));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The task that carries a call out, so that it can be stopped.
    pub(super) fn is_carried_out_by(&self, call: u64, task: AbortHandle) {
        let mut state = self.lock();
        match state.live.get_mut(&call) {
            Some(live) => live.task = Some(task),
            None => {
                drop(state);
                task.abort();
            }
        }
    }

    /// Ends a call, unless it has ended.
    pub(super) fn complete(&self, call: u64, outcome: Outcome) {
        let mut state = self.lock();
        if let Some(live) = state.live.remove(&call) {
            state.make_due(live.finish, outcome);
            drop(state);
            self.changed.notify_all();
        }
    }

    pub(crate) fn cancel(&self, call: u64) {
        if self.is_inherited() {
            return;
        }
        let mut state = self.lock();
        if let Some(live) = state.live.remove(&call) {
            state.make_due(live.finish, Err(cancelled()));
            drop(state);
            self.changed.notify_all();
            if let Some(task) = live.task {
                task.abort();
            }
        }
    }

    /// The descriptor that is readable while callbacks are due.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        if !self.is_dispatched || self.enter().is_err() {
            return None;
        }
        let mut state = self.lock();
        state.doorbell().ok().map(|doorbell| doorbell.descriptor())
    }

    /// Runs, on this thread, the callbacks that are due now.
    pub(crate) fn dispatch(&self) -> Result<(), Error> {
        if self.is_inherited() {
            return Err(forked());
        }
        if !self.is_dispatched {
            return Err(Error::new(
                Status::InvalidArgument,
                "the client runs its callbacks on a thread of its own",
            ));
        }
        self.enter()?;
        let state = self.lock();
        let due = state.due.len();
        self.run_due(state, due).map(drop).ok_or_else(forked)
    }

    /// Runs so many of the callbacks that are due; all, once the client is
    /// closed. None if another thread runs some: then a closed client's are left
    /// to that one. `None`: as [`Engine::run_one`].
    pub(super) fn run_due<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mut most: usize,
    ) -> Option<MutexGuard<'a, State>> {
        while (most > 0 || self.is_closed())
            && !state.others_run_callbacks()
            && let Some(due) = state.next_due()
        {
            state = self.run_one(state, due)?;
            most = most.saturating_sub(1);
        }
        state.ring_again();
        Some(state)
    }

    /// `None`: the callback has forked, and this is the child. What it finds
    /// here belongs to the parent, the lock included.
    pub(super) fn run_one<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        (finish, outcome): (Finish, Outcome),
    ) -> Option<MutexGuard<'a, State>> {
        let here = this_thread();
        state.in_callbacks.push(here);
        drop(state);
        // With a bug of ours one callback is lost, and not all that follow.
        let _ = panics::catch(|| {
            #[cfg(feature = "test-hooks")]
            panics::Point::Callback.strike();
            panics::outside(|| finish(outcome));
        });
        if self.is_inherited() {
            return None;
        }
        let mut state = self.lock();
        if let Some(this) = state.in_callbacks.iter().rposition(|&on| on == here) {
            state.in_callbacks.remove(this);
        }
        state.unfinished -= 1;
        self.changed.notify_all();
        Some(state)
    }

    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        timeout: Duration,
    ) -> MutexGuard<'a, State> {
        let woken = self.changed.wait_timeout(state, timeout);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn forked() -> Error {
    Error::new(
        Status::Forked,
        "this process was forked, and the client's asynchronous calls belong to its parent; make a client here",
    )
}

pub(super) fn cancelled() -> Error {
    Error::new(Status::Cancelled, "the call was cancelled")
}

pub(crate) fn shut_down() -> Error {
    Error::new(
        Status::ShutDown,
        "the client has been shut down; make another",
    )
}
