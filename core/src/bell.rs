//! Lets a thread wait until another one wakes it.

use std::{
    sync::{Arc, Condvar, PoisonError},
    task::{Wake, Waker},
    time::Duration,
};

use crate::lock::Lock;

/// An event that one thread waits for. Its [`Waker`] signals it.
#[derive(Default)]
pub struct Bell {
    has_rung: Lock<bool>,
    rings: Condvar,
}

impl Bell {
    pub fn new() -> (Arc<Self>, Waker) {
        let bell = Arc::new(Self::default());
        let waker = Waker::from(Arc::clone(&bell));
        (bell, waker)
    }

    /// Waits until the bell rings or `time` has passed. A ring before the call is not lost.
    pub fn wait(&self, time: Duration) {
        let has_rung = self.has_rung.hold();
        let (mut has_rung, _) = self
            .rings
            .wait_timeout_while(has_rung, time, |has_rung| !*has_rung)
            .unwrap_or_else(PoisonError::into_inner);
        *has_rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.has_rung.hold() = true;
        self.rings.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_wakes_the_thread_that_waits_and_one_that_will() {
        let (bell, waker) = Bell::new();
        waker.wake_by_ref();
        bell.wait(LONG);
        let thread = thread::spawn(move || bell.wait(LONG));
        waker.wake();
        thread.join().unwrap();
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let (bell, _waker) = Bell::new();
        let began = Instant::now();
        bell.wait(Duration::from_millis(5));
        assert!(began.elapsed() >= Duration::from_millis(5));
    }
}
