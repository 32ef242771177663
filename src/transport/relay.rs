//! Two futures in one task that wake each other without the event loop.
//!
//! A connection and the request on it pass each other messages all the time.
//! Through the event loop each of them would cost a system call.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// The event loop is asked again after so many rounds: a future may be waiting
/// for its turn to end.
const MAX_ROUNDS: u32 = 16;

/// A future that runs in the background of others: of whoever drives it.
pub(super) struct Driven<D> {
    /// `None`: it has ended.
    background: Option<Pin<Box<D>>>,
    relay: Arc<Relay>,
    waker: Waker,
}

impl<D: Future> Driven<D> {
    pub(super) fn new(background: D) -> Self {
        let relay = Arc::new(Relay::default());
        Self {
            background: Some(Box::pin(background)),
            waker: Waker::from(Arc::clone(&relay)),
            relay,
        }
    }

    /// Lets the background see what has happened; waits for nothing. Returns
    /// whether it goes on.
    pub(super) async fn look(&mut self) -> bool {
        poll_fn(|context| {
            self.relay.enter(context);
            self.poll_background();
            self.relay.leave();
            Poll::Ready(())
        })
        .await;
        self.background.is_some()
    }

    /// Runs `work` to its end.
    pub(super) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            for _ in 0..MAX_ROUNDS {
                self.relay.enter(context);
                let outcome = work.as_mut().poll(&mut Context::from_waker(&self.waker));
                if outcome.is_pending() {
                    self.poll_background();
                }
                let woken = self.relay.leave();
                if outcome.is_ready() || !woken {
                    return outcome;
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    fn poll_background(&mut self) {
        if let Some(background) = &mut self.background
            && background
                .as_mut()
                .poll(&mut Context::from_waker(&self.waker))
                .is_ready()
        {
            self.background = None;
        }
    }
}

/// Passes a wake-up on to the task, except while the task runs.
#[derive(Default)]
struct Relay {
    running: AtomicBool,
    woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Relay {
    fn enter(&self, context: &Context<'_>) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task
            .as_ref()
            .is_some_and(|task| task.will_wake(context.waker()))
        {
            *task = Some(context.waker().clone());
        }
        drop(task);
        self.running.store(true, SeqCst);
        self.woken.store(false, SeqCst);
    }

    /// Whether there was a wake-up meanwhile. One that comes later reaches the
    /// task.
    fn leave(&self) -> bool {
        self.running.store(false, SeqCst);
        self.woken.load(SeqCst)
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        if !self.running.load(SeqCst) {
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(task) = &*task {
                task.wake_by_ref();
            }
        }
    }
}
