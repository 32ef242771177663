//! From a 2xx answer to a session.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Deserialize, Deserializer, de::Visitor};

use crate::{
    api::{
        claim::Claim,
        claims::{Claims, Payload},
    },
    error::{Error, Status},
    http::answer::Answer,
    moment::Moment,
    secret::Secret,
    session::{Session, Times},
    text::is_visible_ascii,
};

/// How long a session lives when the server does not say. It always says the
/// same.
const DEFAULT_LIFETIME_SECONDS: i64 = 600;

/// The device's clocks around one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// When the request left.
    pub sent_at: Moment,
    /// When its answer was there.
    pub now: Moment,
    /// The wall clock in Unix seconds, possibly hours off.
    pub wall: i64,
}

/// Reads `{"data":{"token","activatedAt","expiresAt"}}`.
///
/// Unknown fields are ignored and times may be missing. A session without a
/// usable token is an error.
pub fn read(answer: &Answer<'_>, clocks: Clocks) -> Result<Session, Error> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        token: Token<'a>,
        #[serde(borrow, rename = "activatedAt")]
        activated_at: Option<Claim<'a>>,
        #[serde(borrow, rename = "expiresAt")]
        expires_at: Option<Claim<'a>>,
    }

    let bad = |what: &str| {
        Error::new(
            Status::BadResponse,
            format!("the server's answer is not a session: {what}"),
        )
        .with_http_status(answer.status)
    };
    // The parser's own message may quote the body, and with it the token.
    let Body { data } = serde_json::from_slice(answer.body).map_err(|error| {
        use serde_json::error::Category;
        match error.classify() {
            Category::Data => bad("it lacks data.token, or that is not text"),
            Category::Eof if answer.body.is_empty() => bad("it is empty"),
            Category::Eof => bad("it ends in the middle"),
            _ => bad("it is not JSON"),
        }
    })?;
    let token = &*data.token.0;
    check_token(token).map_err(bad)?;

    let payload = Payload::of(token);
    let claims = payload.claims();
    let times = times(
        data.activated_at.as_ref().and_then(unix_seconds),
        data.expires_at.as_ref().and_then(unix_seconds),
        answer.date,
        &claims,
        clocks,
    );
    Ok(Session::new(
        token,
        claims.session.as_deref(),
        claims.identifier.as_deref(),
        times,
    ))
}

fn times(
    activated_at: Option<i64>,
    expires_at: Option<i64>,
    date: Option<i64>,
    claims: &Claims<'_>,
    clocks: Clocks,
) -> Times {
    let server_now = server_clock(date, claims.issued_at).unwrap_or(clocks.wall);
    let expires_at = expires_at.unwrap_or_else(|| {
        activated_at
            .unwrap_or(server_now)
            .saturating_add(DEFAULT_LIFETIME_SECONDS)
    });
    // Counted from when the request left. So it errs on the early side, by at
    // most the time that the answer took.
    let left = u64::try_from(expires_at.saturating_sub(server_now)).unwrap_or(0);
    Times {
        activated_at: activated_at.unwrap_or(0),
        expires_at,
        ends_at: clocks.sent_at.saturating_add(Duration::from_secs(left)),
    }
}

/// Returns the server's time from the two places that tell it.
///
/// `Date` may be that of a proxy with a wrong clock, or of a while ago. The token
/// is signed by the clock that `expiresAt` is counted on, and anew for each
/// answer. Where both agree the later one decides: a session must not seem to
/// live longer than it does.
fn server_clock(date: Option<i64>, issued_at: Option<i64>) -> Option<i64> {
    const AGREE_WITHIN: u64 = 60;
    match (date, issued_at) {
        (Some(date), Some(issued_at)) if date.abs_diff(issued_at) > AGREE_WITHIN => Some(issued_at),
        (date, issued_at) => date.max(issued_at),
    }
}

/// A token, as bytes: whether they are text is checked with the rest. It is wiped
/// when it is a copy, as JSON escapes are undone in a buffer that is ours.
struct Token<'a>(Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Token<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TokenVisitor).map(Token)
    }
}

struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes.to_vec()))
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(token) = &mut self.0 {
            drop(Secret::from(std::mem::take(token)));
        }
    }
}

/// Checks that the token can go into an `Authorization` header as it is (RFC
/// 9110, field values).
fn check_token(token: &[u8]) -> Result<(), &'static str> {
    if token.is_empty() {
        Err("the token is empty")
    } else if !is_visible_ascii(token) {
        Err("the token contains a character that cannot go into a header")
    } else if token.starts_with(b" ") || token.ends_with(b" ") {
        Err("the token begins or ends with a space")
    } else {
        Ok(())
    }
}

/// Reads a number, or one written as text. Anything else counts as not said.
fn unix_seconds(time: &Claim<'_>) -> Option<i64> {
    match time {
        Claim::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Claim::Text(text) => text.trim().parse().ok(),
        Claim::Other => None,
    }
    .filter(|seconds| (1..=MAX_UNIX_SECONDS).contains(seconds))
}

/// The end of the year 9999. A later time is a mistake.
const MAX_UNIX_SECONDS: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const CLOCKS: Clocks = Clocks {
        sent_at: Duration::from_secs(999),
        now: Duration::from_secs(1000),
        wall: 12,
    };

    fn at(body: &str, date: Option<i64>) -> Result<Session, Error> {
        let answer = Answer {
            date,
            ..Answer::of(200, body.as_bytes())
        };
        read(&answer, CLOCKS)
    }

    fn session(body: &str) -> Session {
        at(body, Some(NOW)).unwrap()
    }

    fn left(session: &Session) -> i64 {
        session.seconds_left_at(CLOCKS.now)
    }

    fn refusal(body: &str) -> String {
        let error = at(body, Some(NOW)).err().unwrap();
        assert_eq!(error.status, Status::BadResponse, "{body}");
        assert_eq!(error.http_status, 200);
        error.message
    }

    #[test]
    fn a_session_has_its_token_and_times() {
        let session = session(
            r#"{"data":{"token":"abc","activatedAt":1800000000,"expiresAt":1800000600,"new":1},"x":[]}"#,
        );
        assert_eq!(session.token(), "abc");
        assert_eq!(
            (session.times().activated_at, session.times().expires_at),
            (NOW, NOW + 600)
        );
        // One second has passed since the request left.
        assert_eq!(left(&session), 599);
    }

    #[test]
    fn a_wrong_device_clock_changes_nothing() {
        // CLOCKS.wall says 1970.
        let body = r#"{"data":{"token":"abc","activatedAt":1800000000,"expiresAt":1800000100}}"#;
        assert_eq!(left(&session(body)), 99);
    }

    #[test]
    fn without_a_date_header_the_tokens_own_time_is_the_servers_clock() {
        // {"iat":1800000000}
        let body = r#"{"data":{"token":"e.eyJpYXQiOjE4MDAwMDAwMDB9.s","expiresAt":1800000100}}"#;
        let session = at(body, None).unwrap();
        assert_eq!(left(&session), 99);
    }

    #[test]
    fn where_the_date_and_the_token_nearly_agree_the_later_is_the_servers_clock() {
        // {"iat":1800000000}
        let body = r#"{"data":{"token":"e.eyJpYXQiOjE4MDAwMDAwMDB9.s","expiresAt":1800000040}}"#;
        for (date, seconds) in [(NOW - 58, 39), (NOW, 39), (NOW + 30, 9), (NOW + 58, 0)] {
            let session = at(body, Some(date)).unwrap();
            assert_eq!(left(&session), seconds, "{date}");
        }
    }

    #[test]
    fn missing_or_odd_times_mean_600_seconds_from_receipt() {
        for body in [
            r#"{"data":{"token":"abc"}}"#,
            r#"{"data":{"token":"abc","activatedAt":null,"expiresAt":"tomorrow"}}"#,
            r#"{"data":{"token":"abc","activatedAt":{},"expiresAt":1e300}}"#,
            r#"{"data":{"token":"abc","expiresAt":-1}}"#,
        ] {
            let session = session(body);
            assert_eq!(session.times().activated_at, 0, "{body}");
            assert_eq!(session.times().expires_at, NOW + 600, "{body}");
            assert_eq!(left(&session), 599, "{body}");
        }
    }

    #[test]
    fn a_session_that_is_over_has_nothing_left() {
        let session = session(r#"{"data":{"token":"abc","expiresAt":1799999000}}"#);
        assert_eq!(left(&session), 0);
    }

    #[test]
    fn anything_but_a_usable_token_is_a_bad_response_that_says_what_is_wrong() {
        assert!(refusal("").contains("empty"));
        assert!(refusal("<html>").contains("not JSON"));
        assert!(refusal(r#"{"data":{"token":"abc""#).contains("middle"));
        for body in [
            "{}",
            "[]",
            "null",
            r#"{"data":{}}"#,
            r#"{"data":{"token":7}}"#,
            r#"{"data":null}"#,
        ] {
            assert!(refusal(body).contains("data.token"), "{body}");
        }
        assert!(refusal(r#"{"data":{"token":""}}"#).contains("empty"));
        for token in ["a\\nb", "a\\u0000", "é", "a\\tb"] {
            let body = format!(r#"{{"data":{{"token":"{token}"}}}}"#);
            assert!(refusal(&body).contains("header"), "{body}");
        }
        assert!(refusal(r#"{"data":{"token":" abc"}}"#).contains("space"));
    }

    #[test]
    fn no_error_or_debug_output_repeats_a_token() {
        let secret = "s3cr3t";
        for body in [
            format!(r#"{{"data":{{"token":"{secret}\n"}}}}"#),
            format!(r#"{{"data":{{"token":["{secret}"]}}}}"#),
            format!(r#"{{"data":{{"token":"{secret}"#),
            format!(r#"{{"data":"{secret}"}}"#),
        ] {
            assert!(!refusal(&body).contains(secret), "{body}");
        }
        let session = session(&format!(r#"{{"data":{{"token":"{secret}"}}}}"#));
        assert!(!format!("{session:?}").contains(secret));
    }
}
