//! How many requests are being answered at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts requests from their last byte to the last byte of their answer.
#[derive(Debug, Default)]
pub struct AtOnce {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl AtOnce {
    /// Counts one until what it gives is dropped.
    pub fn enter(&self) -> Entered<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Entered(self)
    }

    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Forgets the most. What is there now counts.
    pub fn clear(&self) {
        let now = self.now.load(Ordering::SeqCst);
        self.most.store(now, Ordering::SeqCst);
    }
}

/// One that is counted.
pub struct Entered<'a>(&'a AtOnce);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
