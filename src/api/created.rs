//! From a 200 to a session.

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;

use crate::{
    api::{Answer, Payload, claim::Claim},
    clock::Clock,
    error::{Error, Status},
    secret::Secret,
    session::Session,
};

/// How long a session lives when the server does not say: what it always says.
const DEFAULT_LIFETIME_SECONDS: i64 = 600;

/// Reads `{"data":{"token","activatedAt","expiresAt"}}`: unknown fields are
/// ignored and times may be missing, but a session without a usable token is
/// none.
///
/// With it comes what the token says of itself, as far as it is a JWT.
pub(crate) fn session_from(
    answer: &Answer,
    clock: Clock,
) -> Result<(Session, Option<Payload>), Error> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        token: Cow<'a, str>,
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
        .with_http_status(answer.http_status)
    };
    // The parser's own message may quote the body, and with it the token.
    let Body { data } = serde_json::from_slice(&answer.body).map_err(|error| {
        use serde_json::error::Category;
        match error.classify() {
            Category::Data => bad("it lacks data.token, or that is not text"),
            Category::Eof if answer.body.is_empty() => bad("it is empty"),
            Category::Eof => bad("it ends in the middle"),
            _ => bad("it is not JSON"),
        }
    })?;
    let token = Token(data.token);
    check_token(&token.0).map_err(bad)?;

    let payload = Payload::of(&token.0);
    let issued_at = payload.as_ref().and_then(Payload::issued_at);
    let server_now = server_clock(answer.date, issued_at).unwrap_or_else(|| (clock.wall)());
    let activated_at = data.activated_at.as_ref().and_then(unix_seconds);
    let expires_at = data
        .expires_at
        .as_ref()
        .and_then(unix_seconds)
        .unwrap_or_else(|| {
            activated_at
                .unwrap_or(server_now)
                .saturating_add(DEFAULT_LIFETIME_SECONDS)
        });
    // Counted from when the request left, so it errs on the early side by at
    // most the time the answer took.
    let left = u64::try_from(expires_at.saturating_sub(server_now)).unwrap_or(0);
    let dies_at = answer.sent_at.saturating_add(Duration::from_secs(left));

    let mut session = Session::new(&token.0, dies_at, clock);
    session.activated_at = activated_at.unwrap_or(0);
    session.expires_at = expires_at;
    Ok((session, payload))
}

/// The server's time from the two places that tell it. `Date` may be that of a
/// proxy whose clock is wrong, or of a while ago; the token was signed by the
/// clock that `expiresAt` is counted on, and anew for each answer. Where they
/// agree the later one decides: a session must not seem to live longer than it
/// does.
fn server_clock(date: Option<i64>, issued_at: Option<i64>) -> Option<i64> {
    const AGREE_WITHIN: u64 = 60;
    match (date, issued_at) {
        (Some(date), Some(issued_at)) if date.abs_diff(issued_at) > AGREE_WITHIN => Some(issued_at),
        (date, issued_at) => date.max(issued_at),
    }
}

/// Wiped when it is a copy: a token with JSON escapes was unescaped into a
/// buffer of our own.
struct Token<'a>(Cow<'a, str>);

impl Drop for Token<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(token) = &mut self.0 {
            drop(Secret::from(std::mem::take(token)));
        }
    }
}

/// It goes into an `Authorization` header as it is (RFC 9110, field values).
fn check_token(token: &str) -> Result<(), &'static str> {
    if token.is_empty() {
        Err("the token is empty")
    // Every byte is looked at: without an early end it can be done many at once.
    } else if !token
        .bytes()
        .fold(true, |fine, byte| fine & matches!(byte, b' '..=b'~'))
    {
        Err("the token contains a character that cannot go into a header")
    } else if token.starts_with(' ') || token.ends_with(' ') {
        Err("the token begins or ends with a space")
    } else {
        Ok(())
    }
}

/// A number, or one written as text; anything else counts as not said.
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

/// The end of the year 9999; beyond it a time is a mistake.
const MAX_UNIX_SECONDS: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const CLOCK: Clock = Clock {
        since_boot: || Duration::from_secs(1000),
        wall: || 12,
    };

    fn answer(body: &str, date: Option<i64>) -> Answer {
        Answer {
            date,
            sent_at: Duration::from_secs(999),
            ..Answer::of(200, body)
        }
    }

    fn session(body: &str) -> Session {
        session_from(&answer(body, Some(NOW)), CLOCK).unwrap().0
    }

    fn refusal(body: &str) -> String {
        let error = session_from(&answer(body, Some(NOW)), CLOCK).err().unwrap();
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
        assert_eq!((session.activated_at, session.expires_at), (NOW, NOW + 600));
        // One second has passed since the request left.
        assert_eq!(session.seconds_left(), 599);
    }

    #[test]
    fn a_wrong_device_clock_changes_nothing() {
        // CLOCK.wall says 1970.
        let body = r#"{"data":{"token":"abc","activatedAt":1800000000,"expiresAt":1800000100}}"#;
        assert_eq!(session(body).seconds_left(), 99);
    }

    #[test]
    fn without_a_date_header_the_tokens_own_time_is_the_servers_clock() {
        // {"iat":1800000000}
        let body = r#"{"data":{"token":"e.eyJpYXQiOjE4MDAwMDAwMDB9.s","expiresAt":1800000100}}"#;
        let (session, _) = session_from(&answer(body, None), CLOCK).unwrap();
        assert_eq!(session.seconds_left(), 99);
    }

    #[test]
    fn where_the_date_and_the_token_nearly_agree_the_later_is_the_servers_clock() {
        // {"iat":1800000000}
        let body = r#"{"data":{"token":"e.eyJpYXQiOjE4MDAwMDAwMDB9.s","expiresAt":1800000040}}"#;
        for (date, left) in [(NOW - 58, 39), (NOW, 39), (NOW + 30, 9), (NOW + 58, 0)] {
            let (session, _) = session_from(&answer(body, Some(date)), CLOCK).unwrap();
            assert_eq!(session.seconds_left(), left, "{date}");
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
            assert_eq!(session.activated_at, 0, "{body}");
            assert_eq!(session.expires_at, NOW + 600, "{body}");
            assert_eq!(session.seconds_left(), 599, "{body}");
        }
    }

    #[test]
    fn a_session_that_is_over_has_nothing_left() {
        let session = session(r#"{"data":{"token":"abc","expiresAt":1799999000}}"#);
        assert_eq!(session.seconds_left(), 0);
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
