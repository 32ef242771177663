//! The aim of a call: which session is good enough, and what it may do to get one.

use crate::{
    api::{lifetime::LEAST_SECONDS, request::SessionRequest},
    error::{Error, Status},
};

/// A request with its aim. Calls with equal errands share one outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    pub request: SessionRequest,
    pub aim: Aim,
}

impl Errand {
    /// Returns whether the call starts with a kill of the server's session.
    pub fn kills(&self) -> bool {
        self.request.kills() || self.aim.kill == Kill::First
    }

    /// Returns whether the session that this kill creates also satisfies `other`.
    pub fn kills_for(&self, other: &Self) -> bool {
        self.request.kills()
            && self.request.sparing() == other.request.sparing()
            && self.aim == other.aim
    }
}

/// Which session is good enough, and what the call may do to get one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// In seconds. A session with less time left counts as expired.
    pub least: i64,
    /// The session must also have that much left on the device's clock, after a slow answer too.
    pub is_strict: bool,
    pub kill: Kill,
    /// The id of a session that a route has refused. It counts as expired.
    pub refused: Option<String>,
    /// A session that may be a ghost is requested again before it is returned.
    pub confirms: bool,
}

/// When the call replaces the server's session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kill {
    /// When it has expired.
    #[default]
    IfOver,
    /// Never. An expired session is a valid outcome too.
    Never,
    /// Before anything else.
    First,
}

impl Default for Aim {
    fn default() -> Self {
        Self {
            least: LEAST_SECONDS,
            is_strict: false,
            kill: Kill::IfOver,
            refused: None,
            confirms: false,
        }
    }
}

/// After this many different sessions in a row, none of them exists.
pub const GHOSTS_IN_A_ROW: u32 = 3;

/// Returns the error for a server whose sessions are refused one after another.
pub fn refused_ghost() -> Error {
    Error::new(
        Status::GhostSession,
        "the server returned several sessions and each was refused as not active, so none of them exists; \
         if the network has changed, wait until the old session has ended; otherwise set another identifier (a lower-case UUID)",
    )
    .with_http_status(403)
}

/// Returns the error for a server that returns a different session each time.
pub fn ghost() -> Error {
    Error::new(
        Status::GhostSession,
        "the server returned a different session each time, so none of them exists; \
         if the network has changed, wait until the old session has ended; otherwise set another identifier (a lower-case UUID)",
    )
    .with_http_status(200)
}
