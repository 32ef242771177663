//! What the library does, for whoever asked to hear it. Never a token.

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

/// Says something, if somebody listens; the words are made only then.
pub(crate) fn say(log: Option<&Log>, level: Level, words: impl FnOnce() -> String) {
    if let Some(log) = log
        && level <= log.most
    {
        (log.sink)(level, words());
    }
}
