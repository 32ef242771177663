//! A session that was created: the token, whose it is, and how long it lives.

use std::time::Duration;

use crate::{
    api::{self, Claims},
    clock::Clock,
    secret::Secret,
};

/// `Authorization` is exactly this and the token: the server reads everything
/// that follows as part of the token.
const SCHEME: &[u8] = b"Bearer ";

#[derive(Clone)]
pub(crate) struct Session {
    /// Ends with a NUL, so that it can be lent to C as it is.
    authorization: Secret,
    /// 0 when the server did not say.
    pub(crate) activated_at: i64,
    pub(crate) expires_at: i64,
    /// The moment of expiry on the clock that runs through sleep.
    pub(crate) dies_at: Duration,
    pub(crate) clock: Clock,
}

impl Session {
    pub(crate) fn new(token: &str, dies_at: Duration, clock: Clock) -> Self {
        let mut authorization = Secret::with_capacity(SCHEME.len() + token.len() + 1);
        authorization.append(SCHEME);
        authorization.append(token.as_bytes());
        authorization.append(b"\0");
        Self {
            authorization,
            activated_at: 0,
            expires_at: 0,
            dies_at,
            clock,
        }
    }

    /// `Bearer …` and a NUL.
    pub(crate) fn authorization(&self) -> &[u8] {
        &self.authorization
    }

    /// The token and a NUL.
    pub(crate) fn token_with_nul(&self) -> &[u8] {
        &self.authorization[SCHEME.len()..]
    }

    #[cfg(test)]
    pub(crate) fn token(&self) -> &str {
        self.token_text()
    }

    fn token_text(&self) -> &str {
        let (_nul, token) = self.token_with_nul().split_last().unwrap_or((&0, &[]));
        // It was text when it came in.
        std::str::from_utf8(token).unwrap_or_default()
    }

    /// What the token says of itself, unverified.
    pub(crate) fn claims(&self) -> Claims {
        api::read_claims(self.token_text())
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
            .field("activated_at", &self.activated_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
