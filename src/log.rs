//! What the library does, for whoever asked to hear it. Never a token.

use std::cell::Cell;

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
    pub(crate) most: Level,
    pub(crate) sink: Box<dyn Fn(Level, String) + Send + Sync>,
}

thread_local! {
    static TELLING: Cell<bool> = const { Cell::new(false) };
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
        && let Some(_gate) = ExitGate::enter()
        && !TELLING.replace(true)
    {
        let words = words();
        panics::outside(|| (log.sink)(level, words));
        TELLING.set(false);
    }
}
