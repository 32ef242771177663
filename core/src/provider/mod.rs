//! Providers: they keep a session that is valid at any time.

pub mod by_caller;
pub mod by_thread;
pub mod files;
pub mod keeping;
pub mod listener;
pub mod options;
pub mod place;
pub mod published;
pub mod reports;
pub mod session_provider;
pub mod stored;
