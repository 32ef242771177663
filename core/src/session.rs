//! A session that was created: the token, whose it is, and how long it lives.

use std::{fmt, ops::Range};

use crate::{host::clock, moment::Moment, secret::Secret};

/// The server reads everything that follows as part of the token, so
/// `Authorization` is exactly this and the token.
const SCHEME: &[u8] = b"Bearer ";

/// One session. All its texts stand in one buffer that is wiped, each with a
/// NUL behind it, so that they can be lent as they are.
#[derive(Clone)]
pub struct Session {
    texts: Secret,
    id: Option<Range<usize>>,
    identifier: Option<Range<usize>>,
    times: Times,
}

/// When a session begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Unix seconds by the server's clock. 0 when the server did not say.
    pub activated_at: i64,
    pub expires_at: i64,
    /// The end by the clock of the device that runs while it sleeps.
    pub ends_at: Moment,
}

impl Session {
    /// `token` is ASCII. `id` and `identifier` are what it says, without NULs.
    pub fn new(token: &[u8], id: Option<&str>, identifier: Option<&str>, times: Times) -> Self {
        let length = |text: Option<&str>| text.map_or(0, |text| text.len() + 1);
        let mut texts =
            Secret::with_capacity(SCHEME.len() + token.len() + 1 + length(id) + length(identifier));
        texts.append(SCHEME);
        texts.append(token);
        texts.append(b"\0");
        let mut append = |text: &str| {
            let start = texts.len();
            texts.append(text.as_bytes());
            texts.append(b"\0");
            start..texts.len()
        };
        let id = id.map(&mut append);
        let identifier = identifier.map(&mut append);
        Self {
            texts,
            id,
            identifier,
            times,
        }
    }

    /// Returns `Bearer `, the token and a NUL. More may follow the NUL.
    pub fn authorization_with_nul(&self) -> &[u8] {
        &self.texts
    }

    /// Returns the token and a NUL. More may follow the NUL.
    pub fn token_with_nul(&self) -> &[u8] {
        &self.texts[SCHEME.len()..]
    }

    /// Returns the id that the token says, with a NUL.
    pub fn id_with_nul(&self) -> Option<&[u8]> {
        self.id.clone().map(|range| &self.texts[range])
    }

    /// Returns the identifier that the token says, with a NUL.
    pub fn identifier_with_nul(&self) -> Option<&[u8]> {
        self.identifier.clone().map(|range| &self.texts[range])
    }

    pub fn token(&self) -> &str {
        before_nul(self.token_with_nul())
    }

    pub fn id(&self) -> Option<&str> {
        self.id_with_nul().map(before_nul)
    }

    pub fn identifier(&self) -> Option<&str> {
        self.identifier_with_nul().map(before_nul)
    }

    pub fn times(&self) -> Times {
        self.times
    }

    /// Returns the whole seconds from `now` until the server calls it expired, 0
    /// from then on.
    pub fn seconds_left_at(&self, now: Moment) -> i64 {
        let left = self.times.ends_at.saturating_sub(now);
        i64::try_from(left.as_secs()).unwrap_or(i64::MAX)
    }

    pub fn seconds_left(&self) -> i64 {
        self.seconds_left_at(clock::since_boot())
    }
}

fn before_nul(bytes: &[u8]) -> &str {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    // It was text when it came in.
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
        let session = Session::new(b"abc", Some("id"), Some("who"), Times::default());
        assert!(
            session
                .authorization_with_nul()
                .starts_with(b"Bearer abc\0")
        );
        assert!(session.token_with_nul().starts_with(b"abc\0"));
        assert_eq!(session.id_with_nul(), Some(b"id\0".as_slice()));
        assert_eq!(session.identifier_with_nul(), Some(b"who\0".as_slice()));
        assert_eq!(session.token(), "abc");
        assert_eq!(session.identifier(), Some("who"));
        let bare = Session::new(b"abc", None, None, Times::default());
        assert_eq!((bare.id(), bare.identifier()), (None, None));
    }

    #[test]
    fn nothing_is_left_after_the_end() {
        let times = Times {
            ends_at: Moment::from_millis(10_999),
            ..Times::default()
        };
        let session = Session::new(b"abc", None, None, times);
        let left = |ms| session.seconds_left_at(Moment::from_millis(ms));
        assert_eq!(
            (left(0), left(1000), left(10_999), left(99_999)),
            (10, 9, 0, 0)
        );
    }
}
