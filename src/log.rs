//! What the library does, for whoever asked to hear it. Never a token.

use std::{cell::Cell, mem};

use crate::{exit::ExitGate, panics};

/// From the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// Where the messages go, and which.
pub(crate) struct Log {
    most: Level,
    /// There until it is dropped.
    sink: Option<Sink>,
}

pub(crate) type Sink = Box<dyn Fn(Level, String) + Send + Sync>;

impl Log {
    pub(crate) fn new(most: Level, sink: Sink) -> Self {
        Self {
            most,
            sink: Some(sink),
        }
    }
}

impl Drop for Log {
    /// The sink calls the host when it goes.
    fn drop(&mut self) {
        let sink = self.sink.take();
        match ExitGate::enter() {
            Some(_gate) => panics::outside(|| drop(sink)),
            None => mem::forget(sink),
        }
    }
}

thread_local! {
    static TELLING: Cell<bool> = const { Cell::new(false) };
    static MUTED: Cell<bool> = const { Cell::new(false) };
}

/// The thread says no more: its client has been shut down in a log callback.
pub(crate) fn mute_this_thread() {
    MUTED.set(true);
}

/// Whether this thread is inside the host's callback.
pub(crate) fn is_telling() -> bool {
    TELLING.get()
}

/// Says something, if somebody listens; the words are made only then. What
/// happens inside the callback is not told to it.
pub(crate) fn say(log: Option<&Log>, level: Level, words: impl FnOnce() -> String) {
    if let Some(log) = log
        && level <= log.most
        && !MUTED.get()
        && let Some(_gate) = ExitGate::enter()
        && !TELLING.replace(true)
    {
        if let Some(sink) = &log.sink {
            let words = words();
            panics::outside(|| sink(level, words));
        }
        TELLING.set(false);
    }
}
