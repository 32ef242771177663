//! What a call has to achieve, beyond an answer.

use crate::{
    api::{lifetime::LEAST_SECONDS, request::SessionRequest},
    error::{Error, Status},
};

/// A request with its aim. Calls whose errands are equal share one outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    pub request: SessionRequest,
    pub aim: Aim,
}

/// Which session is good enough, and what may be done to have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// A session with less left counts as over, in seconds.
    pub least: i64,
    /// The device must see that much left as well, also after a slow answer.
    pub is_strict: bool,
    pub kill: Kill,
    /// A session that a route has refused. It counts as over.
    pub refused: Option<String>,
    /// A session that may be a ghost is asked for again.
    pub confirms: bool,
}

/// When the server's session is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kill {
    /// When it is over.
    #[default]
    IfOver,
    /// Never. A session that is over is an outcome too.
    Never,
    /// At once.
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

/// How many different sessions in a row prove that none of them exists.
pub const GHOSTS_IN_A_ROW: u32 = 3;

/// Returns the error for a server whose sessions are refused one after the other.
pub fn refused_ghost() -> Error {
    Error::new(
        Status::GhostSession,
        "each session that the server gave was refused as not active, so none of them exists; \
         wait until the old one has ended if the network has changed, or set another identifier (a lower-case UUID) if the server mistakes this one",
    )
    .with_http_status(403)
}

/// Returns the error for a server that returns another session each time.
pub fn ghost() -> Error {
    Error::new(
        Status::GhostSession,
        "the server returned another session each time, so none of them exists; \
         wait until the old one has ended if the network has changed, or set another identifier (a lower-case UUID) if the server mistakes this one",
    )
    .with_http_status(200)
}
