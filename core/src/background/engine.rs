//! The asynchronous side of a client. One lock guards its calls, callbacks and threads.

use std::{
    cell::Cell,
    mem,
    sync::{
        Arc, Condvar, MutexGuard, PoisonError, Weak,
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
        nesting::{self, Closed},
        order::{Job, Order, Task},
        threads::{NotSent, Role, Threads},
        yields::Outcome,
    },
    connect::failure::Awaited,
    context::{Context, Shared},
    error::{Error, Status},
    host::{
        exit::{self, ExitGate},
        forced_unwind,
        fork::Owner,
        panics, threads,
    },
    lock::Lock,
};

pub struct Engine {
    this: Weak<Self>,
    pub context: Arc<Context>,
    /// The host runs the callbacks.
    pub is_dispatched: bool,
    /// The process that uses the engine. A forked child has neither the threads nor a lock that
    /// works.
    owner: Owner,
    closed: AtomicBool,
    state: Lock<State>,
    /// Wakes the callback thread.
    due_came: Condvar,
    /// Wakes the threads that wait for the end of the client.
    changed: Condvar,
}

/// The state of an engine, under one lock. The lock is held briefly, and no code of the host runs
/// under it.
#[derive(Default)]
pub struct State {
    pub calls: Calls,
    pub callbacks: Callbacks,
    pub threads: Threads,
    /// The host has freed the client, and no longer dispatches its callbacks.
    pub is_let_go: bool,
    /// How many threads wait for `changed`.
    waiting: usize,
    /// The callback thread waits for `due_came`.
    callback_thread_rests: bool,
}

/// How long a thread waits until it tries again to start a callback thread. The system does not
/// report when it has room for a thread.
const PAUSE: Duration = Duration::from_millis(50);

pub type Guard<'a> = MutexGuard<'a, State>;

impl Engine {
    pub fn new(context: Arc<Context>, is_dispatched: bool) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            context,
            is_dispatched,
            owner: Owner::default(),
            closed: AtomicBool::new(false),
            state: Lock::default(),
            due_came: Condvar::new(),
            changed: Condvar::new(),
        })
    }

    /// Returns whether the engine rejects new calls.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn set_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Makes this process the owner, unless another process is.
    pub fn enter(&self) -> Result<(), Error> {
        match self.owner.claim() {
            true => Ok(()),
            false => Err(forked()),
        }
    }

    /// Returns whether another process owns the engine. Then this process must not touch it.
    pub fn is_inherited(&self) -> bool {
        self.owner.is_another()
    }

    /// Returns the number of a new call, which will be submitted. Starts the threads if necessary.
    pub fn begin(self: &Arc<Self>, shared: &Arc<Shared>) -> Result<u64, Error> {
        self.enter()?;
        if !self.is_dispatched && exit::has_begun() {
            return Err(Error::new(
                Status::ShutDown,
                "the process is exiting, so no callback can run any more; make the call before exit",
            ));
        }
        let mut state = self.hold();
        if self.is_closed() {
            return Err(shut_down());
        }
        if self.is_dispatched {
            state.callbacks.notifier()?;
        }
        self.start_threads(&mut state, shared)?;
        Ok(state.calls.begin())
    }

    /// Runs a chore on the I/O thread until the client ends. No call waits for it.
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
        self.start_threads(&mut state, shared)?;
        let kept = state.threads.order(Order::Keep(chore));
        drop(state);
        kept.map_err(|NotSent(why, _)| why.unwrap_or_else(cancelled))
    }

    /// Ends a call at once with an outcome that is already known.
    pub fn submit_known(self: &Arc<Self>, call: u64, outcome: Outcome, finish: Finish) {
        let mut state = self.hold();
        state.calls.start(call, finish);
        let outcome = match self.is_closed() {
            true => Err(cancelled()),
            false => outcome,
        };
        state.end(call, outcome);
        self.has_submitted(state);
    }

    /// Starts a call. Its callback may run from here on.
    pub fn submit(self: &Arc<Self>, call: u64, task: Task, finish: Finish) {
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
        let order = Order::Start(job, task);
        let begun = match self.is_closed() {
            true => Err(NotSent(None, Some(order))),
            false => state.threads.order(order),
        };
        let unsent = begun.map_err(|NotSent(why, order)| {
            state.end(call, Err(why.unwrap_or_else(cancelled)));
            order
        });
        self.has_submitted(state);
        drop(unsent);
    }

    /// Releases the lock after a call was submitted. If the host has dropped the client meanwhile,
    /// no other call runs the callback.
    fn has_submitted(self: &Arc<Self>, state: Guard<'_>) {
        match state.is_let_go {
            true => self.run_rest(state),
            false => self.tell(state),
        }
    }

    /// Ends a call that will not be submitted. It has no callback.
    pub fn abandon(&self) {
        if self.is_inherited() {
            return;
        }
        let mut state = self.hold();
        state.calls.abandon();
        self.tell(state);
    }

    pub fn cancel(&self, call: u64) {
        if self.is_inherited() {
            return;
        }
        let mut state = self.hold();
        if state.end(call, Err(cancelled())) {
            // If the thread has ended, the call has no task.
            let _ = state.threads.order(Order::Stop(call));
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

    /// Runs the callbacks that are due, on this thread.
    pub fn dispatch(&self) -> Result<(), Error> {
        if self.is_inherited() {
            return Err(forked());
        }
        if !self.is_dispatched {
            return Err(Error::new(
                Status::InvalidArgument,
                "the client has its own callback thread; zelf_client_dispatch needs a client that is configured for dispatch",
            ));
        }
        self.enter()?;
        if threads::does_io() {
            // This is a log callback on the I/O thread. The next call on another thread runs the
            // callbacks.
            return Ok(());
        }
        let state = self.hold();
        let due = state.callbacks.count();
        self.run_due(state, due).map(drop).ok_or_else(forked)
    }

    /// Runs up to `most` of the due callbacks, or all of them if the client is closed. Runs none
    /// while another thread runs callbacks: that thread also runs those of a closed client. Returns
    /// `None` like [`run_one`](Self::run_one).
    pub fn run_due<'a>(&'a self, mut state: Guard<'a>, mut most: usize) -> Option<Guard<'a>> {
        // The callbacks that are left run later.
        let is_too_deep = nesting::is_too_deep();
        // A thread that the host is ending runs no further callback, unless no other thread can.
        while (most > 0 || self.is_closed())
            && !is_too_deep
            && (!forced_unwind::is_ending() || state.is_let_go)
            && !state.callbacks.run_elsewhere()
            && let Some(due) = state.callbacks.pop()
        {
            state = self.run_one(state, due)?;
            most = most.saturating_sub(1);
        }
        state.callbacks.signal_again();
        Some(state)
    }

    /// Runs the callbacks that are left after the host has freed the client.
    pub fn run_rest<'a>(self: &'a Arc<Self>, mut state: Guard<'a>) {
        if state.callbacks.count() == 0 {
            return self.tell(state);
        }
        if threads::does_io() {
            // The stack of an I/O thread is small.
            state.threads.lacks_callback_thread = true;
            self.replace_callback_thread(&mut state);
            // If that fails, the client's threads try again before they end.
            if state.threads.running() == 0 {
                state = self.await_callback_thread(state);
            }
            return self.tell(state);
        }
        if nesting::is_too_deep() {
            drop(state);
            return nesting::leave(self.clone());
        }
        if self.run_due(state, 0).is_none() {
            mem::forget(Arc::clone(self));
        }
    }

    /// Runs a callback. Returns `None` if the callback has forked and this is the child: there, the
    /// state and its lock belong to the parent.
    pub fn run_one<'a>(&'a self, mut state: Guard<'a>, due: Due) -> Option<Guard<'a>> {
        state.callbacks.begins_here();
        drop(state);
        nesting::run(|| {
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

    /// Starts the threads that are not running.
    fn start_threads(
        self: &Arc<Self>,
        state: &mut State,
        shared: &Arc<Shared>,
    ) -> Result<(), Error> {
        if state.threads.are_all_there(self.is_dispatched) {
            return Ok(());
        }
        // This comes first: if it fails, no thread was started.
        let event_loop = match state.threads.orders {
            Some(_) => None,
            None => Some(io_thread::event_loop()?),
        };
        ExitGate::install();
        if !self.is_dispatched {
            self.start_callback_thread(state)?;
        }
        let Some(event_loop) = event_loop else {
            return Ok(());
        };
        let shared = Arc::clone(shared);
        let (sender, orders) = mpsc::unbounded_channel();
        self.start_thread(state, Role::Io, |engine| {
            threads::this_does_io();
            let context = Arc::clone(&engine.context);
            let reports = Arc::clone(engine);
            let end =
                panics::catch(|| io_thread::run(context, shared, reports, orders, event_loop));
            // If the thread ends early, its calls end too. The next call starts a new thread.
            let why = match end.and_then(|end| end) {
                // The system has refused a call, or a bug has ended the thread.
                Err(why) => why,
                Ok(()) if forced_unwind::is_ending() => ended_by_host(),
                Ok(()) => return,
            };
            let mut state = engine.hold();
            let orders = state.threads.orders.take();
            state.threads.broken = Some(why.clone());
            state.end_all(|| why.clone());
            engine.tell(state);
            // An order that came too late may own the client, whose destructor takes the lock.
            drop(orders);
        })?;
        state.threads.orders = Some(sender);
        Ok(())
    }

    /// Starts the callback thread, unless it is running.
    pub fn start_callback_thread(self: &Arc<Self>, state: &mut State) -> Result<(), Error> {
        if state.threads.has_callback_thread {
            return Ok(());
        }
        self.start_thread(state, Role::Callbacks, |engine| {
            let _ = panics::catch(|| engine.run_callbacks());
            if engine.is_inherited() {
                return;
            }
            let mut state = engine.hold();
            state.threads.has_callback_thread = false;
            // The host or a bug has ended this thread early.
            if !engine.has_told_all(&state) {
                // If no thread can be started, the next event and a shutdown try again.
                state.threads.lacks_callback_thread = true;
                engine.replace_callback_thread(&mut state);
            }
        })?;
        state.threads.has_callback_thread = true;
        Ok(())
    }

    /// Starts a callback thread if the client lacks one.
    pub fn replace_callback_thread(self: &Arc<Self>, state: &mut State) {
        if state.threads.lacks_callback_thread && self.start_callback_thread(state).is_ok() {
            state.threads.lacks_callback_thread = false;
        }
    }

    /// Waits until there is a callback thread for the callbacks that are left, or none is left. The
    /// client has ended, so no other event starts the thread.
    pub fn await_callback_thread<'a>(self: &'a Arc<Self>, mut state: Guard<'a>) -> Guard<'a> {
        while state.threads.lacks_callback_thread && self.is_closed() && state.callbacks.count() > 0
        {
            self.replace_callback_thread(&mut state);
            if state.threads.lacks_callback_thread {
                state = self.wait(state, PAUSE);
            }
        }
        state
    }

    /// Returns whether no callback will run any more.
    fn has_told_all(&self, state: &State) -> bool {
        self.is_closed() && state.calls.unfinished() == 0
    }

    fn start_thread(
        self: &Arc<Self>,
        state: &mut State,
        role: Role,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> Result<(), Error> {
        let engine = Arc::clone(self);
        let mask = state.threads.hosts_mask();
        let thread = threads::spawn_for_host(role.name(), role.stack(), mask, move || {
            exit::this_thread_is_ours();
            engine.hold().threads.begins_here();
            work(&engine);
            if engine.is_inherited() {
                // A callback has forked, and this thread is the only one of the child.
                mem::forget(engine);
                return;
            }
            let mut state = engine.hold();
            // A thread that ends makes room for another one, so only the last one waits.
            if state.threads.running() == 1 {
                state = engine.await_callback_thread(state);
            }
            state.threads.ends_here();
            engine.tell(state);
        })?;
        // Join ended threads here. Otherwise a host that ends each thread would leave many handles.
        state.threads.join_ended();
        state.threads.has_started(thread);
        Ok(())
    }

    /// Runs callbacks on the callback thread, until no more can come.
    fn run_callbacks(&self) {
        let mut state = self.hold();
        while !self.has_told_all(&state) && !forced_unwind::is_ending() {
            // No callback starts while the process exits. Callbacks that are due remain, in case
            // the host shuts the client down during the exit.
            let is_due = state.callbacks.count() > 0 && !state.callbacks.run_elsewhere();
            let gate = if is_due { ExitGate::enter() } else { None };
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

    /// Waits on the callback thread until it is woken.
    fn rest<'a>(&self, mut state: Guard<'a>) -> Guard<'a> {
        state.callback_thread_rests = true;
        let woken = self.due_came.wait(state);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.callback_thread_rests = false;
        state
    }

    /// Releases the lock, and wakes the threads that the change concerns.
    pub fn tell(&self, mut state: Guard<'_>) {
        if state.threads.lacks_callback_thread
            && let Some(this) = self.this.upgrade()
        {
            this.replace_callback_thread(&mut state);
        }
        let (has_work, has_waiting) = self.concerns(&mut state);
        drop(state);
        self.wake(has_work, has_waiting);
    }

    /// Returns whether to wake the callback thread, and the threads that wait for a change. A
    /// wake-up costs a system call even if no thread waits.
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

    /// Waits for a change, for `timeout` at most.
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

impl Closed for Engine {
    fn run_left(self: Arc<Self>) {
        if self.is_inherited() || self.run_due(self.hold(), 0).is_none() {
            mem::forget(self);
        }
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
    /// Ends a call, unless it has ended. Returns whether it did.
    fn end(&mut self, call: u64, outcome: Outcome) -> bool {
        let due = self.calls.complete(call, outcome);
        let is_ended_here = due.is_some();
        if let Some(due) = due {
            self.callbacks.push(due);
        }
        is_ended_here
    }

    /// Ends all calls in progress.
    pub fn end_all(&mut self, why: impl Fn() -> Error) {
        for due in self.calls.complete_all(why) {
            self.callbacks.push(due);
        }
    }
}

pub fn forked() -> Error {
    Error::new(
        Status::Forked,
        "this process was forked, and the client's asynchronous calls belong to its parent; create a client in this process",
    )
}

fn ended_by_host() -> Error {
    Error::new(
        Status::Cancelled,
        "a callback of the program has ended the library's I/O thread (pthread_exit); return from callbacks instead",
    )
}

pub fn cancelled() -> Error {
    Error::new(Status::Cancelled, "the call was cancelled")
}

pub fn shut_down() -> Error {
    Error::new(
        Status::ShutDown,
        "the client has been shut down; create another",
    )
}
