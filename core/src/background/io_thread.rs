//! The thread that does the I/O of all asynchronous calls of a client.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use tokio::{
    runtime::Runtime,
    sync::mpsc::UnboundedReceiver,
    task::{AbortHandle, LocalSet, spawn_local},
    time::{sleep, timeout},
};

use crate::{
    api::lifetime::Clocks,
    background::{
        chore::{LocalFuture, Requests, Source},
        connections::Connections,
        order::{Job, Order, Task},
        sender::Sender,
        yields,
    },
    connect::{
        event_loop,
        failure::{Awaited, Failure},
        places::Place,
        transfer::Outgoing,
    },
    context::{Context, Shared},
    create::{
        aim::Errand,
        call::{Call, Failed, Over, Step},
        single_flight::{Joined, Leader, Outcome, Turn},
    },
    error::Error,
    host::{endings::refuse_if_ending, entropy, forced_unwind, panics},
    http::exchange::Exchange,
    moment::Moment,
    send::{request::Outline, response::Response},
};

/// Receives the results of the calls.
pub trait Reports {
    /// Returns whether a call is in progress.
    fn is_live(&self, call: u64) -> bool;

    /// Ends a call, unless it has ended.
    fn complete(&self, call: u64, outcome: yields::Outcome);
}

/// A runtime that can be dropped on the thread of another runtime. A host may free a client in a
/// log callback on the I/O thread, and tokio forbids to block there.
pub struct EventLoop(Option<Runtime>);

pub fn event_loop() -> Result<EventLoop, Error> {
    refuse_if_ending()?;
    Ok(EventLoop(Some(event_loop::new()?)))
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Carries out orders until no more can come. Then it drops its tasks, whose calls have been
/// cancelled. Fails if the system refuses a call.
pub fn run(
    context: Arc<Context>,
    shared: Arc<Shared>,
    reports: Arc<dyn Reports>,
    orders: UnboundedReceiver<Order>,
    event_loop: EventLoop,
) -> Result<(), Error> {
    let Some(runtime) = &event_loop.0 else {
        return Ok(());
    };
    entropy::prepare_thread()?;
    let tasks = LocalSet::new();
    tasks.block_on(runtime, serve(context, shared, reports, orders));
    // The tasks use the event loop, so drop them first.
    drop(tasks);
    Ok(())
}

/// Carries out orders until no more can come, as tasks of the current `LocalSet`.
pub async fn serve(
    context: Arc<Context>,
    shared: Arc<Shared>,
    reports: Arc<dyn Reports>,
    mut orders: UnboundedReceiver<Order>,
) {
    let io = Rc::new(Io::new(context, shared, reports));
    while let Some(order) = next(&mut orders).await {
        match order {
            Order::Start(job, task) => io.start(job, task),
            Order::Stop(call) => io.stop(call),
            Order::Keep(chore) => {
                let requests = Rc::new(ByIo(Rc::clone(&io)));
                spawn_local(chore.run(requests));
            }
        }
    }
}

/// Returns the next order. Returns `None` when no more can come, or when the host ends the thread.
async fn next(orders: &mut UnboundedReceiver<Order>) -> Option<Order> {
    poll_fn(|context| {
        forced_unwind::wake_at_end(context.waker());
        match forced_unwind::is_ending() {
            true => Poll::Ready(None),
            false => orders.poll_recv(context),
        }
    })
    .await
}

async fn carry_out(io: Rc<Io>, job: Job, task: Task) {
    let end = End {
        io: &io,
        call: job.call,
    };
    // The call may have been cancelled after the order to start it.
    if !io.reports.is_live(job.call) {
        return;
    }
    #[cfg(feature = "test-hooks")]
    panics::Point::Task.strike();
    let left = job.deadline.saturating_sub(io.context.now());
    // A chore's requests log their failures themselves.
    let is_errand = matches!(task, Task::Errand(_));
    let outcome = match task {
        Task::Errand(errand) => timeout(left, io.create(&job, &errand, &Cell::default()))
            .await
            .map(|outcome| outcome.map(Into::into)),
        Task::Chore(chore) => timeout(left, chore.run(Rc::new(ByIo(Rc::clone(&io))))).await,
    };
    let outcome = outcome.unwrap_or_else(|_| Err(io.context.out_of_time(job.waits_for.get())));
    if let Err(error) = &outcome
        && is_errand
    {
        io.context.log_failure(error);
    }
    end.with(outcome);
}

struct ByIo(Rc<Io>);

impl Requests for ByIo {
    fn create(
        &self,
        errand: Errand,
        deadline: Moment,
        is_killing: Rc<Cell<bool>>,
    ) -> LocalFuture<Outcome> {
        let io = Rc::clone(&self.0);
        Box::pin(async move {
            let job = Job {
                call: 0,
                deadline,
                waits_for: Cell::new(Awaited::SERVER),
            };
            let left = deadline.saturating_sub(io.context.now());
            let outcome = timeout(left, io.create(&job, &Arc::new(errand), &is_killing)).await;
            let outcome =
                outcome.unwrap_or_else(|_| Err(io.context.out_of_time(job.waits_for.get())));
            if let Err(error) = &outcome {
                io.context.log_failure(error);
            }
            outcome
        })
    }

    fn send(
        &self,
        outline: Outline,
        source: Source,
        deadline: Moment,
    ) -> LocalFuture<Result<Response, Error>> {
        let io = Rc::clone(&self.0);
        Box::pin(async move {
            let sender = Sender::new(&io.connections, &outline, &source, deadline);
            let left = deadline.saturating_sub(io.context.now());
            let outcome = timeout(left, sender.send()).await;
            // An earlier answer, which was going to be retried, is better than an error.
            let outcome = outcome.unwrap_or_else(|_| {
                let came = sender.came.take();
                came.ok_or_else(|| sender.out_of_time())
            });
            if let Err(error) = &outcome {
                io.context.log_failure(error);
            }
            outcome
        })
    }
}

/// Ends a call even if its task panics.
struct End<'a> {
    io: &'a Io,
    call: u64,
}

impl End<'_> {
    fn with(self, outcome: yields::Outcome) {
        self.io.reports.complete(self.call, outcome);
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.io.tasks.borrow_mut().remove(&self.call);
        if std::thread::panicking() {
            self.io.reports.complete(self.call, Err(panics::last()));
        }
    }
}

/// The state that all calls on the thread share.
struct Io {
    context: Arc<Context>,
    shared: Arc<Shared>,
    reports: Arc<dyn Reports>,
    /// The tasks of the calls in progress.
    tasks: RefCell<HashMap<u64, AbortHandle>>,
    connections: Rc<Connections>,
}

impl Io {
    fn new(context: Arc<Context>, shared: Arc<Shared>, reports: Arc<dyn Reports>) -> Self {
        let connections = Connections::new(Arc::clone(&context), Arc::clone(&shared));
        Self {
            context,
            shared,
            reports,
            tasks: RefCell::default(),
            connections: Rc::new(connections),
        }
    }

    fn start(self: &Rc<Self>, job: Job, task: Task) {
        #[cfg(feature = "test-hooks")]
        panics::Point::IoThread.strike();
        let call = job.call;
        let task = spawn_local(carry_out(Rc::clone(self), job, task));
        self.tasks.borrow_mut().insert(call, task.abort_handle());
    }

    fn stop(&self, call: u64) {
        // Remove the task first: its destructor looks for it in `tasks`.
        let task = self.tasks.borrow_mut().remove(&call);
        if let Some(task) = task {
            task.abort();
        }
    }

    async fn create(
        self: &Rc<Self>,
        job: &Job,
        errand: &Arc<Errand>,
        is_killing: &Cell<bool>,
    ) -> Outcome {
        let leader = match self.shared.single_flight.join(errand, job.deadline) {
            Joined::Leads(leader) => leader,
            Joined::Follows(follower) => {
                match poll_fn(|context| follower.poll(context.waker())).await {
                    Turn::Has(outcome) => return outcome,
                    Turn::Leads(leader) => leader,
                }
            }
        };
        let place = self.shared.session_places.take().await?;
        // Boxed, so that a call that waits for its turn uses little memory.
        Box::pin(self.lead(leader, job, place, is_killing)).await
    }

    async fn lead(
        self: &Rc<Self>,
        leader: Leader,
        job: &Job,
        place: Place<'_>,
        is_killing: &Cell<bool>,
    ) -> Outcome {
        let mut place = Some(place);
        let now = self.context.decision(&self.shared);
        let mut call = Call::new(
            Arc::clone(leader.errand()),
            job.deadline,
            leader.stopped(),
            &now,
        );
        loop {
            match call.step() {
                Step::Exchange { body, over } => {
                    // Only kills use a connection of their own.
                    is_killing.set(over == Over::Own);
                    self.exchange(&mut call, &body, over, job).await;
                    is_killing.set(false);
                    self.context.log_note(call.take_note());
                }
                Step::Wait { until, is_long } => {
                    if is_long {
                        place = None;
                    }
                    sleep(until.saturating_sub(self.context.now())).await;
                    if place.is_none() {
                        place = Some(self.shared.session_places.take().await?);
                    }
                }
                Step::Finish(outcome) => {
                    leader.finish(&outcome);
                    return outcome;
                }
                Step::Stop(stopped) => {
                    leader.stop(&stopped);
                    return Err(stopped.error);
                }
            }
        }
    }

    async fn exchange(self: &Rc<Self>, call: &mut Call, body: &[u8], over: Over, job: &Job) {
        let context = &*self.context;
        let kept = self.connections.take_for(over);
        let was_kept = kept.is_some();
        job.waits_for.set(Awaited::SERVER);
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => self.connections.open(job.deadline, &job.waits_for).await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return self.failed(call, failure, false, None),
        };
        let sent_at = context.now();
        let request = context.request_head.with_body(body);
        let outcome = connection
            .exchange(
                Outgoing::new(&request, &[]),
                context.rules,
                job.deadline,
                &job.waits_for,
            )
            .await;
        job.waits_for.set(Awaited::SERVER);
        let exchange = connection.last();
        let decision = context.decision(&self.shared);
        let now = decision.time;
        if exchange.status() != 0 {
            context.log_answer(exchange.status(), now.saturating_sub(sent_at), was_kept);
        }
        if let Err(failure) = outcome {
            return self.failed(call, failure, was_kept, Some(exchange));
        }
        let clocks = Clocks {
            sent_at,
            now,
            wall: (context.environment.wall)(),
        };
        call.answered(&exchange.answer(), clocks, &context.policy, &decision);
        if connection.may_be_used_again() {
            self.connections.put(connection);
        }
    }

    fn failed(
        &self,
        call: &mut Call,
        failure: Failure,
        was_kept: bool,
        exchange: Option<&Exchange>,
    ) {
        let context = &*self.context;
        let failed = Failed {
            error: context.describe(failure, exchange),
            was_kept,
            was_sent: exchange.is_some(),
            has_heard: exchange.is_some_and(Exchange::has_heard),
        };
        let now = context.decision(&self.shared);
        call.failed(failed, &context.policy, &now);
    }
}
