//! A session: its token, its claims and its times.

use std::{fmt, ops::Range, sync::Arc};

use crate::{host::clock, moment::Moment, secret::Secret};

/// The prefix of `Authorization`. The server reads everything behind it as the token.
const SCHEME: &[u8] = b"Bearer ";

/// How long a session counts as new. An answer may take seconds, and its times are whole seconds.
const FRESH_SECONDS: i64 = 5;

/// A session. All its texts are in one buffer, each with a NUL at its end, so that C code can use
/// them directly. Clones share the buffer. It is overwritten with zeros when it is freed.
#[derive(Clone)]
pub struct Session {
    texts: Arc<Secret>,
    claims: [Option<Range<usize>>; 6],
    times: Times,
    /// The age of the session when its token was signed, in seconds of one clock.
    age: Option<i64>,
}

/// A claim of a token.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    Id,
    Identifier,
    Domain,
    TagName,
    EthAddress,
    /// The IP address of the client, as the server sees it.
    Address,
}

/// The claims of a token, without NULs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claimed<'a> {
    pub id: Option<&'a str>,
    pub identifier: Option<&'a str>,
    pub domain: Option<&'a str>,
    pub tag_name: Option<&'a str>,
    pub eth_address: Option<&'a str>,
    pub address: Option<&'a str>,
}

/// The start and the end of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Unix seconds by the server's clock, or 0 if they are unknown.
    pub activated_at: i64,
    pub expires_at: i64,
    /// The end by the device's clock that runs during sleep.
    pub ends_at: Moment,
}

impl Session {
    /// Creates a session. `token` is ASCII.
    pub fn new(token: &[u8], claimed: Claimed<'_>, times: Times) -> Self {
        // In the order of `Claim`.
        let claims = [
            claimed.id,
            claimed.identifier,
            claimed.domain,
            claimed.tag_name,
            claimed.eth_address,
            claimed.address,
        ];
        let claims_length: usize = claims.iter().flatten().map(|text| text.len() + 1).sum();
        let mut texts = Secret::with_capacity(SCHEME.len() + token.len() + 1 + claims_length);
        texts.append(SCHEME);
        texts.append(token);
        texts.append(b"\0");
        let claims = claims.map(|claim| {
            claim.map(|text| {
                let start = texts.len();
                texts.append(text.as_bytes());
                texts.append(b"\0");
                start..texts.len()
            })
        });
        Self {
            texts: Arc::new(texts),
            claims,
            times,
            age: None,
        }
    }

    /// Sets the age of the session when the server signed its token, if both times are known.
    pub fn with_age(mut self, seconds: Option<i64>) -> Self {
        self.age = seconds;
        self
    }

    /// Returns `Bearer `, the token and a NUL. Other bytes may follow.
    pub fn authorization_with_nul(&self) -> &[u8] {
        &self.texts
    }

    /// Returns `Bearer ` and the token.
    pub fn authorization(&self) -> &str {
        let end = SCHEME.len() + self.token().len();
        std::str::from_utf8(&self.texts[..end]).unwrap_or_default()
    }

    /// Returns the token and a NUL. Other bytes may follow.
    pub fn token_with_nul(&self) -> &[u8] {
        &self.texts[SCHEME.len()..]
    }

    /// Returns a claim, with a NUL at its end.
    pub fn claim_with_nul(&self, claim: Claim) -> Option<&[u8]> {
        self.claims[claim as usize]
            .clone()
            .map(|range| &self.texts[range])
    }

    pub fn token(&self) -> &str {
        before_nul(self.token_with_nul())
    }

    pub fn claim(&self, claim: Claim) -> Option<&str> {
        self.claim_with_nul(claim).map(before_nul)
    }

    pub fn id(&self) -> Option<&str> {
        self.claim(Claim::Id)
    }

    pub fn identifier(&self) -> Option<&str> {
        self.claim(Claim::Identifier)
    }

    /// Returns whether both are the same session of the server. Each answer has a new token.
    pub fn is_same_as(&self, other: &Session) -> bool {
        match (self.id(), other.id()) {
            (Some(one), Some(other)) => one == other,
            _ => self.token() == other.token(),
        }
    }

    pub fn times(&self) -> Times {
        self.times
    }

    /// Returns the whole seconds from `now` to the end of the session, or 0 after it.
    pub fn seconds_left_at(&self, now: Moment) -> i64 {
        let left = self.times.ends_at.saturating_sub(now);
        i64::try_from(left.as_secs()).unwrap_or(i64::MAX)
    }

    /// Returns the whole life of the session in seconds, or the largest value if it is unknown.
    pub fn whole_seconds(&self) -> i64 {
        match self.times.activated_at {
            0 => i64::MAX,
            start => self.times.expires_at.saturating_sub(start),
        }
    }

    /// Returns whether the session was new when the server answered. A session without times may be
    /// new.
    ///
    /// The server's own two times decide, if they are known. The remaining time is less reliable: a
    /// slow answer, or a proxy with a wrong `Date`, reduces it.
    pub fn is_fresh_at(&self, now: Moment) -> bool {
        if let Some(age) = self.age {
            return age <= FRESH_SECONDS;
        }
        let Times {
            activated_at,
            expires_at,
            ..
        } = self.times;
        let life = expires_at.saturating_sub(activated_at);
        activated_at == 0 || life - self.seconds_left_at(now) <= FRESH_SECONDS
    }

    pub fn seconds_left(&self) -> i64 {
        self.seconds_left_at(clock::since_boot())
    }
}

fn before_nul(bytes: &[u8]) -> &str {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    // It was valid text when it was stored.
    std::str::from_utf8(text).unwrap_or_default()
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_ends_with_a_nul_and_is_apart_from_the_others() {
        let claimed = Claimed {
            id: Some("id"),
            identifier: Some("who"),
            address: Some("::1"),
            ..Claimed::default()
        };
        let session = Session::new(b"abc", claimed, Times::default());
        assert!(
            session
                .authorization_with_nul()
                .starts_with(b"Bearer abc\0")
        );
        assert!(session.token_with_nul().starts_with(b"abc\0"));
        assert_eq!(session.claim_with_nul(Claim::Id), Some(b"id\0".as_slice()));
        assert_eq!(session.token(), "abc");
        assert_eq!(session.identifier(), Some("who"));
        assert_eq!(session.claim(Claim::Domain), None);
        assert_eq!(session.claim(Claim::Address), Some("::1"));
        let bare = Session::new(b"abc", Claimed::default(), Times::default());
        assert_eq!((bare.id(), bare.identifier()), (None, None));
    }

    #[test]
    fn a_session_is_fresh_by_the_servers_clock_before_any_other() {
        let times = Times {
            activated_at: 1000,
            expires_at: 1600,
            ends_at: Moment::from_secs(600),
        };
        let session = Session::new(b"abc", Claimed::default(), times);
        let is_fresh_at = |seconds| session.is_fresh_at(Moment::from_secs(seconds));
        assert!(is_fresh_at(5) && !is_fresh_at(7));
        let now = Moment::from_secs(30);
        for (age, is_fresh) in [(-1, true), (0, true), (5, true), (6, false)] {
            let session = session.clone().with_age(Some(age));
            assert_eq!(session.is_fresh_at(now), is_fresh, "{age}");
        }
    }

    #[test]
    fn nothing_is_left_after_the_end() {
        let times = Times {
            ends_at: Moment::from_millis(10_999),
            ..Times::default()
        };
        let session = Session::new(b"abc", Claimed::default(), times);
        let left = |ms| session.seconds_left_at(Moment::from_millis(ms));
        assert_eq!(
            (left(0), left(1000), left(10_999), left(99_999)),
            (10, 9, 0, 0)
        );
    }
}
