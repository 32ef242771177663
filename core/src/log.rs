//! Tells the host what the library does. Never a token.

use std::{cell::Cell, mem};

use crate::host::{exit::ExitGate, fork::Owner, panics};

/// From the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// Where messages go, and which of them.
pub struct Log {
    /// `None`: nothing is told.
    most: Option<Level>,
    /// `None` only while it is dropped.
    sink: Option<Sink>,
    /// The process that it has spoken in.
    owner: Owner,
}

pub type Sink = Box<dyn Fn(Level, String) + Send + Sync>;

impl Log {
    pub fn new(most: Option<Level>, sink: Sink) -> Self {
        Self {
            most,
            sink: Some(sink),
            owner: Owner::default(),
        }
    }

    pub fn is_silent(&self) -> bool {
        self.most.is_none()
    }
}

impl Drop for Log {
    /// Drops the sink, which calls the host. A log that has spoken in another process
    /// is that one's to free.
    fn drop(&mut self) {
        let sink = self.sink.take();
        match ExitGate::enter() {
            Some(_gate) if !self.owner.is_another() => panics::outside(|| drop(sink)),
            _ => mem::forget(sink),
        }
    }
}

thread_local! {
    static TELLING: Cell<bool> = const { Cell::new(false) };
    static MUTED: Cell<bool> = const { Cell::new(false) };
}

/// Silences the calling thread: its client has been shut down in a log callback.
pub fn mute_this_thread() {
    MUTED.set(true);
}

/// Returns whether the calling thread is inside the host's callback.
pub fn is_telling() -> bool {
    TELLING.get()
}

/// Says something, if the host listens. The words are made only then. What happens
/// inside the callback is not told.
pub fn say(log: Option<&Log>, level: Level, words: impl FnOnce() -> String) {
    if let Some(log) = log
        && Some(level) <= log.most
        && !MUTED.get()
        && let Some(_gate) = ExitGate::enter()
        && !TELLING.replace(true)
    {
        if let Some(sink) = &log.sink {
            log.owner.claim();
            let words = words();
            panics::outside(|| sink(level, words));
        }
        TELLING.set(false);
    }
}
