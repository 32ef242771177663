//! Keeps a session for a caller who wants a token that works, at any moment.

pub mod by_caller;
pub mod by_thread;
pub mod files;
pub mod keeping;
pub mod listener;
pub mod options;
pub mod place;
pub mod published;
pub mod session_provider;
pub mod stored;
