//! Keeps a session for a caller who wants a token that works, at any moment.

pub mod files;
pub mod listener;
pub mod options;
pub mod place;
pub mod published;
pub mod session_provider;
pub mod stored;
