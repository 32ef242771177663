//! A session that was created: the token, whose it is, and how long it lives.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Clock;

/// `Authorization` is exactly this and the token: the server reads everything
/// that follows as part of the token.
const SCHEME: &str = "Bearer ";

#[derive(Clone)]
pub(crate) struct Session {
    authorization: Zeroizing<String>,
    pub(crate) id: Option<String>,
    pub(crate) identifier: Option<String>,
    /// 0 when the server did not say.
    pub(crate) activated_at: i64,
    pub(crate) expires_at: i64,
    /// The moment of expiry on the clock that runs through sleep.
    pub(crate) dies_at: Duration,
    pub(crate) clock: Clock,
}

impl Session {
    pub(crate) fn new(token: &str, dies_at: Duration, clock: Clock) -> Self {
        // One byte of room for a terminator: growing a string would leave a
        // copy of the token in freed memory.
        let mut authorization =
            Zeroizing::new(String::with_capacity(SCHEME.len() + token.len() + 1));
        authorization.push_str(SCHEME);
        authorization.push_str(token);
        Self {
            authorization,
            id: None,
            identifier: None,
            activated_at: 0,
            expires_at: 0,
            dies_at,
            clock,
        }
    }

    /// Takes `Bearer …` out, with the number of bytes before the token.
    pub(crate) fn take_authorization(&mut self) -> (Zeroizing<String>, usize) {
        (std::mem::take(&mut self.authorization), SCHEME.len())
    }

    #[cfg(test)]
    pub(crate) fn token(&self) -> &str {
        &self.authorization[SCHEME.len()..]
    }

    /// Whole seconds until the server calls it expired, 0 from then on.
    pub(crate) fn seconds_left(&self) -> i64 {
        let left = self.dies_at.saturating_sub((self.clock.since_boot)());
        i64::try_from(left.as_secs()).unwrap_or(i64::MAX)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("identifier", &self.identifier)
            .field("activated_at", &self.activated_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
