//! One call, as the world sees it.

use zelf_core::{create::budget::Budget, moment::Moment, send::sending::Sending, session::Session};

pub struct Caller {
    pub sending: Sending,
    pub deadline: Moment,
    pub is_repeatable: bool,
    pub session: Option<Session>,
    /// It waits for the provider.
    pub waits: bool,
    /// Counts the exchanges. Events of an older exchange are ignored.
    pub exchange: u64,
    /// The server may have the whole request.
    pub is_sent: bool,
    pub last: Option<u16>,
    /// The server has asked it to wait until then.
    pub not_before: Moment,
    pub is_over: bool,
    pub began_at: Moment,
}

/// The retry budget of a client.
#[derive(Default)]
pub struct Client {
    pub budget: Budget,
}
