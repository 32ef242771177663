//! One rule for locks, and one for waiting.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A panic elsewhere must not turn every later request into another one.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A timer rounds up to its next tick: no wait at all must not ask it.
pub async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
