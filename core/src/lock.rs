//! A mutex that a panic does not spoil.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Guards a value that stays valid when the thread that holds it panics: every
/// change of it is complete before code that could panic runs.
#[derive(Debug, Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub fn hold(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
