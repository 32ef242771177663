//! From a 2xx answer to a session.

use crate::{
    api::{
        claim::Claim,
        claims::{Claims, Payload},
        instant, json,
        lifetime::{self, Clocks, Life, Told},
        request::SessionRequest,
        server_words,
        token_text::TokenText,
    },
    error::{Error, Status},
    http::{answer::Answer, coding::Coding},
    session::{Claimed, Session, Times},
    text::is_visible_ascii,
};

/// A session, as received.
pub struct Received {
    pub session: Session,
    pub life: Life,
    /// The option that differs between the session and the request.
    pub contradicts: Option<&'static str>,
}

/// Reads `{"data":{"token","activatedAt","expiresAt"}}`.
///
/// Unknown fields are ignored, and times may be missing. A missing or unusable token is an error. A
/// session with less than `least` seconds left counts as expired.
pub fn read(
    answer: &Answer<'_>,
    request: &SessionRequest,
    clocks: Clocks,
    least: i64,
) -> Result<Received, Error> {
    let bad = |what: &str| not_a_session(what, answer);
    let body = json::without_byte_order_mark(answer.body);
    // The parser's message may quote the body, which contains the token.
    let unreadable = |error: serde_json::Error| {
        use serde_json::error::Category;
        match error.classify() {
            Category::Data => bad(NO_TOKEN),
            Category::Eof if body.is_empty() => bad("it is empty"),
            Category::Eof => bad("it ends before the end of the JSON"),
            _ => no_json(answer),
        }
    };
    let [token, activated_at, expires_at] =
        json::fields_within(body, "data", ["token", "activatedAt", "expiresAt"])
            .map_err(unreadable)?;
    let token = token.and_then(TokenText::of).ok_or_else(|| bad(NO_TOKEN))?;
    let token = token.bytes();
    check_token(token).map_err(bad)?;

    let payload = Payload::of(token);
    let claims = payload.claims();
    let told = Told {
        activated_at: instant::unix_seconds(&Claim::of(activated_at)),
        expires_at: instant::unix_seconds(&Claim::of(expires_at)),
        date: answer.date,
        issued_at: claims.issued_at,
    };
    let (times, life) = lifetime::read(told, clocks, least);
    let age = match (claims.issued_at, times.activated_at) {
        (None, _) | (_, 0) => None,
        (Some(issued_at), activated_at) => Some(issued_at.saturating_sub(activated_at)),
    };
    Ok(Received {
        session: Session::new(token, claimed(&claims), times).with_age(age),
        life,
        contradicts: contradiction(&claims, request),
    })
}

/// Creates a session from a stored token with its times.
pub fn of_token(token: &[u8], times: Times) -> Option<Session> {
    check_token(token).ok()?;
    let payload = Payload::of(token);
    Some(Session::new(token, claimed(&payload.claims()), times))
}

fn claimed<'a>(claims: &'a Claims<'_>) -> Claimed<'a> {
    Claimed {
        id: claims.session.as_deref(),
        identifier: claims.identifier.as_deref(),
        domain: claims.domain.text(),
        tag_name: claims.tag_name.text(),
        eth_address: claims.eth_address.text(),
        address: claims.ip.as_deref(),
    }
}

fn contradiction(claims: &Claims<'_>, request: &SessionRequest) -> Option<&'static str> {
    [
        (&claims.domain, &request.domain, "domain"),
        (&claims.tag_name, &request.tag_name, "tag name"),
        (
            &claims.eth_address,
            &request.eth_address,
            "Ethereum address",
        ),
    ]
    .into_iter()
    .find(|(told, asked, _)| told.contradicts(asked.as_deref()))
    .map(|(_, _, name)| name)
}

fn not_a_session(what: &str, answer: &Answer<'_>) -> Error {
    Error::new(
        Status::BadResponse,
        format!("the server's answer is not a session: {what}"),
    )
    .with_http_status(answer.status)
}

/// Returns the error for a body that is not JSON. Hotels and airports answer every request with
/// their own page.
fn no_json(answer: &Answer<'_>) -> Error {
    let words = server_words::read(answer.body, answer.coding);
    let coding = words.coding.or_else(|| Coding::of(answer.body));
    if let Some(coding) = coding.filter(|_| !words.is_page) {
        let name = coding.name();
        return not_a_session(
            &format!("it is encoded ({name}), which the library does not decode"),
            answer,
        );
    }
    if !words.is_page {
        return not_a_session("it is not JSON; check the base URL", answer);
    }
    let title = match &words.said {
        Some(title) => format!(" (\"{title}\")"),
        None => String::new(),
    };
    let what = format!(
        "it is a web page{title}; sign in to this network if it has a captive portal, or correct the base URL"
    );
    Error {
        server_message: words.said,
        ..not_a_session(&what, answer)
    }
}

const NO_TOKEN: &str = "data.token is missing or is not text";

/// Checks that the token can be sent in an `Authorization` header as it is (RFC 9110, field
/// values).
fn check_token(token: &[u8]) -> Result<(), &'static str> {
    if token.is_empty() {
        Err("the token is empty")
    } else if !is_visible_ascii(token) {
        Err("the token contains a character that a header cannot contain")
    } else if token.starts_with(b" ") || token.ends_with(b" ") {
        Err("the token begins or ends with a space")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const CLOCKS: Clocks = Clocks {
        sent_at: Duration::from_secs(999),
        now: Duration::from_secs(1000),
        wall: 12,
    };

    fn read_any(answer: &Answer<'_>) -> Result<Received, Error> {
        read(
            answer,
            &SessionRequest::default(),
            CLOCKS,
            lifetime::LEAST_SECONDS,
        )
    }

    fn at(body: &str, date: Option<i64>) -> Result<Session, Error> {
        let answer = Answer {
            date,
            ..Answer::of(200, body.as_bytes())
        };
        read_any(&answer).map(|received| received.session)
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
        // One second has passed since the request was sent.
        assert_eq!(left(&session), 599);
    }

    #[test]
    fn neither_a_slow_answer_nor_a_date_that_is_ahead_makes_a_new_session_old() {
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{}}}"#, NOW + 1));
        let body = format!(
            r#"{{"data":{{"token":"x.{payload}.y","activatedAt":{NOW},"expiresAt":{}}}}}"#,
            NOW + 600
        );
        let slow = CLOCKS.now + Duration::from_secs(20);
        assert!(at(&body, Some(NOW + 1)).unwrap().is_fresh_at(slow));
        assert!(at(&body, Some(NOW + 50)).unwrap().is_fresh_at(CLOCKS.now));
        let old = body.replace(&NOW.to_string(), &(NOW - 10).to_string());
        assert!(!at(&old, Some(NOW)).unwrap().is_fresh_at(CLOCKS.now));
    }

    #[test]
    fn a_wrong_device_clock_changes_nothing() {
        // `CLOCKS.wall` is in 1970.
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
    fn a_page_in_place_of_a_session_is_named_with_its_title() {
        for (page, title) in [
            (
                "<!DOCTYPE html>\n<title> Sign in\nto WiFi</title>",
                Some("Sign in to WiFi"),
            ),
            ("\u{feff} <html><body>Welcome", None),
        ] {
            let error = at(page, None).err().unwrap();
            assert_eq!(error.status, Status::BadResponse);
            assert_eq!(error.server_message.as_deref(), title);
            assert!(error.message.contains("captive portal"), "{error}");
            assert!(
                error.message.contains(title.unwrap_or("web page;")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_coded_body_in_place_of_a_session_is_named() {
        let coded = Answer::of(200, b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
        let named = Answer {
            coding: Some(Coding::Brotli),
            ..Answer::of(200, b"\x8b\x09\x80{}\x03")
        };
        let wide = Answer::of(200, b"\xff\xfe{\0}\0");
        for (answer, name) in [(coded, "gzip"), (named, "Brotli"), (wide, "UTF-16")] {
            let error = read_any(&answer).err().unwrap();
            assert!(error.message.contains(name), "{error}");
        }
    }

    #[test]
    fn a_body_is_read_as_javascript_reads_it() {
        for body in [
            "\u{feff}{\"data\":{\"token\":\"abc\"}} \r\n",
            r#"{"data":7,"data":{"token":["x"],"token":"abc"}}"#,
            r#"{"data":{"token":"abc","expiresAt":1e999,"x":1e999}}"#,
            r#"{"d\u0061ta":{"token":"\u0061bc"}}"#,
        ] {
            assert_eq!(session(body).token(), "abc", "{body}");
        }
        assert!(refusal(r#"{"data":{"token":"abc"},"data":null}"#).contains("data.token"));
        assert!(refusal(r#"{"data":{"token":"abc"}}{}"#).contains("not JSON"));
    }

    #[test]
    fn anything_but_a_usable_token_is_a_bad_response_that_says_what_is_wrong() {
        assert!(refusal("").contains("empty"));
        assert!(refusal("OK").contains("not JSON"));
        assert!(refusal(r#"{"data":{"token":"abc""#).contains("before the end"));
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
