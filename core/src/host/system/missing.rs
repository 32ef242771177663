//! Stands in for what a system does not have. Does nothing.
//!
//! Each system uses a part of it.
#![allow(dead_code)]

use std::ffi::c_int;

use super::{ForkHandler, probe::Probe};

/// The system has no identifier of its start.
pub fn boot_id() -> Option<String> {
    None
}

/// The system has no cheap number that changes with the time.
pub fn tick() -> u64 {
    0
}

/// The system's verifier of certificates needs no preparation.
pub fn check_verifier() -> Result<(), &'static str> {
    Ok(())
}

/// The system limits no files with a signal, or sends it to the whole process.
pub fn without_size_signal<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// Ends a forked child, which the system does not have.
pub fn end_process() {}

/// The system takes nothing from a thread's stack.
pub fn reserved_stack() -> usize {
    0
}

/// The system cannot fork.
pub fn around_forks(_: ForkHandler, _: ForkHandler, _: ForkHandler) {}

/// Threads cannot be cancelled.
pub struct NoCancel;

impl NoCancel {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self
    }
}

/// The system has no signal masks.
#[derive(Clone, Copy)]
pub struct SignalSet;

impl SignalSet {
    pub fn none() -> Self {
        Self
    }

    pub fn all() -> Self {
        Self
    }

    pub fn of_this_thread() -> Self {
        Self
    }

    pub fn set(&self) -> Self {
        Self
    }

    pub fn remove(&mut self, _: c_int) {}

    pub fn contains(&self, _: c_int) -> bool {
        false
    }
}

pub const NEVER_BLOCKED: [c_int; 0] = [];

pub fn collectors_signals() -> impl Iterator<Item = c_int> {
    std::iter::empty()
}

/// The system's sandboxes fail a call at its place, so there is nothing to find out.
pub const THREADS: &[Probe] = &[];
pub const EVENT_LOOPS: &[Probe] = &[];
pub const NOTIFIERS: &[Probe] = &[];
pub const CONNECTIONS: &[Probe] = &[];
pub const LOOK_UPS: &[Probe] = &[];
pub const FILES: &[Probe] = &[];
pub const RANDOM_NUMBERS: &[Probe] = &[];
pub const WAITS: &[Probe] = &[];
pub const WITHOUT_A_WAY_OUT: &[Probe] = &[];

pub fn call_on_nothing(_: i64, _: &[usize]) -> i64 {
    0
}
