//! The limit for parallel requests of a client.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    bell::Bell,
    error::{Error, Status},
};

/// Further requests wait for a place, in the order of their arrival.
const MOST: usize = 32;

/// The places of one process. A request holds one while it uses a connection.
pub struct Places(Semaphore);

pub type Place<'a> = SemaphorePermit<'a>;

impl Default for Places {
    fn default() -> Self {
        Self(Semaphore::new(MOST))
    }
}

impl Places {
    /// Takes a place, if one is free.
    pub fn take_now(&self) -> Option<Place<'_>> {
        self.0.try_acquire().ok()
    }

    /// Waits for a place, as a task.
    pub async fn take(&self) -> Result<Place<'_>, Error> {
        // The semaphore is never closed.
        let place = self.0.acquire().await;
        place.map_err(|error| Error::new(Status::Panic, error.to_string()))
    }

    /// Waits for a place, on the calling thread. `left` returns the remaining time. Returns `None`
    /// if the time has passed.
    pub fn wait(&self, left: impl Fn() -> Duration) -> Option<Place<'_>> {
        let (bell, waker) = Bell::new();
        let mut context = Context::from_waker(&waker);
        let mut place = pin!(self.0.acquire());
        loop {
            if let Poll::Ready(place) = place.as_mut().poll(&mut context) {
                return place.ok();
            }
            let left = left();
            if left.is_zero() {
                return None;
            }
            bell.wait(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, thread};

    use super::*;

    const LONG: fn() -> Duration = || Duration::from_secs(60);

    #[test]
    fn one_that_comes_late_waits_until_another_goes() {
        let places = Places::default();
        let mut taken: Vec<_> = (0..MOST).map(|_| places.wait(LONG).unwrap()).collect();
        thread::scope(|scope| {
            let late = scope.spawn(|| places.wait(LONG).is_some());
            taken.pop();
            assert!(late.join().unwrap());
        });
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let places = Places::default();
        let taken: Vec<_> = (0..MOST).map(|_| places.wait(LONG).unwrap()).collect();
        let looks = Cell::new(3);
        let left = || {
            looks.set(looks.get() - 1);
            Duration::from_millis(looks.get())
        };
        assert!(places.wait(left).is_none());
        drop(taken);
        assert!(places.wait(LONG).is_some());
    }
}
