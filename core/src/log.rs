//! Log messages for the host. They never contain a token.

use std::{cell::Cell, mem};

use crate::host::{at_end::AtEnd, exit::ExitGate, forced_unwind, fork::Owner, panics};

/// In the order of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// The host's callback, and the level of messages that it gets.
pub struct Log {
    /// The most verbose level, or `None` for a silent log.
    most: Option<Level>,
    /// `None` only while it is dropped.
    sink: Option<Sink>,
    /// The process that created the log. Only this process frees the host's data.
    owner: Owner,
}

pub type Sink = Box<dyn Fn(Level, String) + Send + Sync>;

impl Log {
    pub fn new(most: Option<Level>, sink: Sink) -> Self {
        Self {
            most,
            sink: Some(sink),
            owner: Owner::this_process(),
        }
    }

    pub fn is_silent(&self) -> bool {
        self.most.is_none()
    }
}

impl Drop for Log {
    /// Drops the sink, which calls the host. A forked child only has a copy of the host's data, and
    /// its parent frees the data.
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

/// Mutes the calling thread, because its client was shut down in a log callback.
pub fn mute_this_thread() {
    MUTED.set(true);
}

/// Returns whether the calling thread is inside the log callback.
pub fn is_telling() -> bool {
    TELLING.get()
}

/// Logs a message, if the host has requested its level. The text is only created then. Messages
/// from inside the callback are dropped.
pub fn say(log: Option<&Log>, level: Level, words: impl FnOnce() -> String) {
    if let Some(log) = log
        && Some(level) <= log.most
        && !MUTED.get()
        && !forced_unwind::is_ending()
        && let Some(_gate) = ExitGate::enter()
        && !TELLING.replace(true)
    {
        let _end = AtEnd(|| TELLING.set(false));
        if let Some(sink) = &log.sink {
            let words = words();
            panics::outside(|| sink(level, words));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering::SeqCst},
        },
    };

    use super::*;

    #[test]
    fn a_thread_logs_again_after_the_callback_has_panicked() {
        let told = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&told);
        let sink = move |_, _| {
            assert_ne!(
                count.fetch_add(1, SeqCst),
                0,
                "the host's callback panics once"
            );
        };
        let log = Log::new(Some(Level::Debug), Box::new(sink));
        let first = || say(Some(&log), Level::Error, String::new);
        catch_unwind(AssertUnwindSafe(first)).unwrap_err();
        assert!(!is_telling());
        say(Some(&log), Level::Error, String::new);
        assert_eq!(told.load(SeqCst), 2);
    }
}
