//! The number of requests that are answered in parallel.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts requests, from the last byte of the request to the last byte of the answer.
#[derive(Debug, Default)]
pub struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl AtOnce {
    /// Counts a request until the result is dropped.
    pub fn enter(&self) -> Entered<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Entered(self)
    }

    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Resets the maximum to the current number.
    pub fn clear(&self) {
        let now = self.now.load(Ordering::SeqCst);
        self.most.store(now, Ordering::SeqCst);
    }
}

/// A request that is counted.
pub struct Entered<'a>(&'a AtOnce);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
