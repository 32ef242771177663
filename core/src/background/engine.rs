//! The asynchronous side of a client: one lock over its calls, callbacks and
//! threads.

use std::{
    cell::Cell,
    mem,
    sync::{
        Arc, Condvar, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    background::{
        callbacks::Callbacks,
        calls::{Calls, Due, Finish},
        chore::Chore,
        io_thread::{self, Reports},
        order::{Job, Order, Task},
        threads::{CALLBACK_STACK, IO_STACK, Threads},
        yields::Outcome,
    },
    connect::failure::Awaited,
    context::{Context, Shared},
    error::{Error, Status},
    host::{
        exit::{self, ExitGate},
        fork::Owner,
        panics, threads,
    },
    lock::Lock,
};

pub struct Engine {
    pub context: Arc<Context>,
    /// The host runs the callbacks.
    pub is_dispatched: bool,
    /// A forked child has neither the threads nor a lock that it could trust.
    owner: Owner,
    closed: AtomicBool,
    state: Lock<State>,
    /// Wakes the callback thread.
    due_came: Condvar,
    /// Wakes the threads that wait for the client's end.
    changed: Condvar,
}

/// Guarded by one lock, which is held for moments only. No code of the host runs
/// under it.
#[derive(Default)]
pub struct State {
    pub calls: Calls,
    pub callbacks: Callbacks,
    pub threads: Threads,
    /// The host has freed the client, and dispatches it no more.
    pub is_let_go: bool,
    /// How many threads wait for `changed`.
    waiting: usize,
    /// The callback thread waits for `due_came`.
    callback_thread_rests: bool,
}

pub type Guard<'a> = MutexGuard<'a, State>;

impl Engine {
    pub fn new(context: Arc<Context>, is_dispatched: bool) -> Arc<Self> {
        Arc::new(Self {
            context,
            is_dispatched,
            owner: Owner::default(),
            closed: AtomicBool::new(false),
            state: Lock::default(),
            due_came: Condvar::new(),
            changed: Condvar::new(),
        })
    }

    /// Whether it takes no more calls.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn set_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Makes this process the owner, unless another is.
    pub fn enter(&self) -> Result<(), Error> {
        match self.owner.claim() {
            true => Ok(()),
            false => Err(forked()),
        }
    }

    /// Whether another process owns it. Then nothing may be touched.
    pub fn is_inherited(&self) -> bool {
        self.owner.is_another()
    }

    /// Returns the number of a call that will be submitted. Starts the threads if
    /// they do not run.
    pub fn begin(self: &Arc<Self>, shared: &Arc<Shared>) -> Result<u64, Error> {
        self.enter()?;
        if !self.is_dispatched && exit::has_begun() {
            return Err(Error::new(
                Status::ShutDown,
                "the process is exiting, and no callback begins any more",
            ));
        }
        let mut state = self.hold();
        if self.is_closed() {
            return Err(shut_down());
        }
        if self.is_dispatched {
            state.callbacks.notifier()?;
        }
        if state.threads.orders.is_none() {
            self.start_threads(&mut state, Arc::clone(shared))?;
        }
        Ok(state.calls.begin())
    }

    /// Has the I/O thread do a chore for nobody in particular, until the client's end.
    pub fn keep(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        chore: Box<dyn Chore>,
    ) -> Result<(), Error> {
        self.enter()?;
        let mut state = self.hold();
        if self.is_closed() {
            return Err(shut_down());
        }
        if state.threads.orders.is_none() {
            self.start_threads(&mut state, Arc::clone(shared))?;
        }
        state.threads.order(Order::Keep(chore));
        Ok(())
    }

    /// Ends a call at its beginning, with what is known already.
    pub fn submit_known(&self, call: u64, outcome: Outcome, finish: Finish) {
        let mut state = self.hold();
        state.calls.start(call, finish);
        let outcome = match self.is_closed() {
            true => Err(cancelled()),
            false => outcome,
        };
        state.end(call, outcome);
        self.tell(state);
    }

    /// Puts a call under way. From here on its callback may run.
    pub fn submit(&self, call: u64, task: Task, finish: Finish) {
        let job = Job {
            call,
            deadline: match &task {
                Task::Errand(_) => self.context.deadline(),
                Task::Chore(chore) => chore.deadline(),
            },
            waits_for: Cell::new(Awaited::SERVER),
        };
        let mut state = self.hold();
        state.calls.start(call, finish);
        if self.is_closed() || !state.threads.order(Order::Start(job, task)) {
            state.end(call, Err(cancelled()));
        }
        self.tell(state);
    }

    pub fn cancel(&self, call: u64) {
        if self.is_inherited() {
            return;
        }
        let mut state = self.hold();
        if state.end(call, Err(cancelled())) {
            // A thread that has ended has nothing under way.
            state.threads.order(Order::Stop(call));
        }
        self.tell(state);
    }

    /// Returns the descriptor that is readable while callbacks are due.
    pub fn descriptor(&self) -> Option<i32> {
        if !self.is_dispatched || self.enter().is_err() {
            return None;
        }
        let mut state = self.hold();
        let notifier = state.callbacks.notifier().ok()?;
        Some(notifier.descriptor())
    }

    /// Runs, on this thread, the callbacks that are due now.
    pub fn dispatch(&self) -> Result<(), Error> {
        if self.is_inherited() {
            return Err(forked());
        }
        if !self.is_dispatched {
            return Err(Error::new(
                Status::InvalidArgument,
                "the client runs its callbacks itself; dispatch is for one that leaves them to you",
            ));
        }
        self.enter()?;
        let state = self.hold();
        let due = state.callbacks.count();
        self.run_due(state, due).map(drop).ok_or_else(forked)
    }

    /// Runs so many of the callbacks that are due, or all once the client is
    /// closed. Runs none while another thread runs some: that one runs those of a
    /// closed client. Returns `None` as [`run_one`](Self::run_one) does.
    pub fn run_due<'a>(&'a self, mut state: Guard<'a>, mut most: usize) -> Option<Guard<'a>> {
        while (most > 0 || self.is_closed())
            && !state.callbacks.run_elsewhere()
            && let Some(due) = state.callbacks.pop()
        {
            state = self.run_one(state, due)?;
            most = most.saturating_sub(1);
        }
        state.callbacks.signal_again();
        Some(state)
    }

    /// Runs a callback. Returns `None` when the callback has forked and this is
    /// the child: what it finds here belongs to the parent, the lock included.
    pub fn run_one<'a>(&'a self, mut state: Guard<'a>, due: Due) -> Option<Guard<'a>> {
        state.callbacks.begins_here();
        drop(state);
        // With a bug of ours one callback is lost, and not all that follow.
        let _ = panics::catch(|| {
            #[cfg(feature = "test-hooks")]
            panics::Point::Callback.strike();
            panics::outside(|| (due.finish)(due.outcome));
        });
        if self.is_inherited() {
            return None;
        }
        let mut state = self.hold();
        state.callbacks.has_ended_here();
        state.calls.callback_has_returned();
        let (has_work, has_waiting) = self.concerns(&mut state);
        self.wake(has_work, has_waiting);
        Some(state)
    }

    fn start_threads(
        self: &Arc<Self>,
        state: &mut State,
        shared: Arc<Shared>,
    ) -> Result<(), Error> {
        ExitGate::install();
        if !self.is_dispatched && !state.threads.has_callback_thread {
            self.start_thread(state, "zelf-callbacks", CALLBACK_STACK, |engine| {
                let _ = panics::catch(|| engine.run_callbacks());
            })?;
            state.threads.has_callback_thread = true;
        }
        let event_loop = io_thread::event_loop()?;
        let (sender, orders) = mpsc::unbounded_channel();
        self.start_thread(state, "zelf-io", IO_STACK, |engine| {
            let context = Arc::clone(&engine.context);
            let reports = Arc::clone(engine);
            let end =
                panics::catch(|| io_thread::run(context, shared, reports, orders, event_loop));
            // After a bug only is anything left under way. The next call starts a
            // new thread then.
            if let Err(bug) = end {
                let mut state = engine.hold();
                state.threads.orders = None;
                state.end_all(|| bug.clone());
                engine.tell(state);
            }
        })?;
        state.threads.orders = Some(sender);
        Ok(())
    }

    fn start_thread(
        self: &Arc<Self>,
        state: &mut State,
        name: &str,
        stack_size: usize,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> Result<(), Error> {
        let engine = Arc::clone(self);
        let thread = threads::spawn(name, stack_size, move || {
            exit::this_thread_is_ours();
            engine.hold().threads.begins_here();
            work(&engine);
            if engine.is_inherited() {
                // A callback has forked, and this is all there is in the child.
                mem::forget(engine);
                return;
            }
            let mut state = engine.hold();
            state.threads.ends_here();
            engine.tell(state);
        })
        .map_err(|error| {
            Error::new(
                Status::System,
                format!("the system gave no thread: {error}; end some or raise the limit"),
            )
        })?;
        state.threads.has_started(thread);
        Ok(())
    }

    /// Does the callback thread's work, until there can be none any more.
    fn run_callbacks(&self) {
        let mut state = self.hold();
        while !(self.is_closed() && state.calls.unfinished() == 0) {
            // No callback begins in a process that exits. What is due stays, for a
            // host that shuts the client down meanwhile.
            let gate = match state.callbacks.count() {
                0 => None,
                _ => ExitGate::enter(),
            };
            let next = gate.and_then(|gate| Some((gate, state.callbacks.pop()?)));
            state = match next {
                Some((_gate, due)) => match self.run_one(state, due) {
                    Some(state) => state,
                    None => return,
                },
                None => self.rest(state),
            };
        }
    }

    /// Waits, on the callback thread, for something to do.
    fn rest<'a>(&self, mut state: Guard<'a>) -> Guard<'a> {
        state.callback_thread_rests = true;
        let woken = self.due_came.wait(state);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.callback_thread_rests = false;
        state
    }

    /// Lets go of the lock, and wakes those whom the change concerns.
    pub fn tell(&self, mut state: Guard<'_>) {
        let (has_work, has_waiting) = self.concerns(&mut state);
        drop(state);
        self.wake(has_work, has_waiting);
    }

    /// Whether the callback thread is to be woken, and whether those that wait for a
    /// change are. Waking takes a system call even if nobody waits.
    fn concerns(&self, state: &mut State) -> (bool, bool) {
        let has_work = state.callbacks.count() > 0 || self.is_closed();
        (
            has_work && mem::take(&mut state.callback_thread_rests),
            state.waiting > 0,
        )
    }

    fn wake(&self, has_work: bool, has_waiting: bool) {
        if has_work {
            self.due_came.notify_one();
        }
        if has_waiting {
            self.changed.notify_all();
        }
    }

    /// Waits for a change, at most so long.
    pub fn wait<'a>(&self, mut state: Guard<'a>, timeout: Duration) -> Guard<'a> {
        state.waiting += 1;
        let woken = self.changed.wait_timeout(state, timeout);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state
    }

    pub fn hold(&self) -> Guard<'_> {
        self.state.hold()
    }
}

impl Reports for Engine {
    fn is_live(&self, call: u64) -> bool {
        self.hold().calls.is_live(call)
    }

    fn complete(&self, call: u64, outcome: Outcome) {
        let mut state = self.hold();
        state.end(call, outcome);
        self.tell(state);
    }
}

impl State {
    /// Ends a call, unless it has ended. Returns whether it had not.
    fn end(&mut self, call: u64, outcome: Outcome) -> bool {
        let due = self.calls.complete(call, outcome);
        let is_ended_here = due.is_some();
        if let Some(due) = due {
            self.callbacks.push(due);
        }
        is_ended_here
    }

    /// Ends every call under way.
    pub fn end_all(&mut self, why: impl Fn() -> Error) {
        for due in self.calls.complete_all(why) {
            self.callbacks.push(due);
        }
    }
}

pub fn forked() -> Error {
    Error::new(
        Status::Forked,
        "this process was forked, and the client's asynchronous calls belong to its parent; make a client here",
    )
}

pub fn cancelled() -> Error {
    Error::new(Status::Cancelled, "the call was cancelled")
}

pub fn shut_down() -> Error {
    Error::new(
        Status::ShutDown,
        "the client has been shut down; make another",
    )
}
