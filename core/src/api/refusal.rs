//! Turns an answer without a session into an error. Has the tables of statuses for session calls
//! and for proxies. `Sending::meaning` has one for requests: 404, 429 and 502 to 504, and 401 and
//! 403 if they refuse the session.

use std::time::Duration;

use url::Url;

use crate::{
    api::{
        json,
        server_words::{self, Words},
    },
    error::{Error, Status},
    http::{answer::Answer, retry_after::RetryAfter},
};

/// Returns the error for a status other than 2xx, with the server's message.
///
/// * `server`: the URL of the request; a redirect may be relative to it.
/// * `authority`: the name of the server in messages.
/// * `wall`: the device's wall clock, for a `Retry-After` without a `Date`.
pub fn read(answer: &Answer<'_>, server: &Url, authority: &str, wall: i64) -> Error {
    let words = server_words::read(answer.body, answer.coding);
    let said = words.said.as_deref().unwrap_or_default();
    let code = answer.status;
    // Complete JSON was not cut short.
    let is_cut_short = answer.is_cut_short && !json::is_whole(answer.body);
    let (status, explanation) = classify(code, said, is_cut_short);

    let mut about = format!("HTTP {code}");
    if let Some(target) = redirect_target(answer, Some(server)) {
        about.push_str(&format!(", to {target}"));
    }
    error(
        status,
        &format!("{authority} {explanation}"),
        about,
        words,
        answer,
        wall,
    )
}

/// Returns the error for the answer of a proxy that opens no tunnel. The request has not reached
/// the server.
///
/// * `proxy`: the name of the proxy in messages.
/// * `authority`: the name of the server in messages.
pub fn of_proxy(answer: &Answer<'_>, proxy: &str, authority: &str, wall: i64) -> Error {
    let words = server_words::read(answer.body, answer.coding);
    let code = answer.status;
    let (status, explanation) = match code {
        407 => (
            Status::Proxy,
            "requires other credentials; set the user and the password in its URL",
        ),
        408 => (
            Status::Timeout,
            "waited too long for the request; try again",
        ),
        429 => (
            Status::RateLimited,
            "received too many requests; wait and try again",
        ),
        // The proxy does not support or does not allow this, so a retry does not help.
        501 | 505 => (Status::Proxy, REFUSED),
        511 => (
            Status::Proxy,
            "requires you to sign in to the network first (a captive portal)",
        ),
        500..=599 => (Status::Server, "failed; try again later"),
        _ => (Status::Proxy, REFUSED),
    };
    let mut about = format!("HTTP {code}");
    if let Some(target) = redirect_target(answer, None) {
        about.push_str(&format!(", to {target}"));
    }
    let what = format!("the proxy {proxy} for {authority} {explanation}");
    error(status, &what, about, words, answer, wall)
}

const REFUSED: &str = "refused the connection; check its URL and its rules";

/// Creates the error for an answer. Its message ends with that of the server or the proxy.
fn error(
    status: Status,
    what: &str,
    mut about: String,
    words: Words,
    answer: &Answer<'_>,
    wall: i64,
) -> Error {
    if let Some(said) = &words.said {
        about.push_str(&format!(": {said}"));
    }
    if let Some(coding) = words.coding {
        let name = coding.name();
        about.push_str(&format!("; its message cannot be read, coding: {name}"));
    }
    Error {
        server_message: words.said,
        retry_after: wait(answer, wall),
        ..Error::new(status, format!("{what} ({about})")).with_http_status(answer.status)
    }
}

/// Returns the target of a redirect, without query, fragment and credentials, which may be secret.
/// `base`: the URL that it may be relative to.
fn redirect_target(answer: &Answer<'_>, base: Option<&Url>) -> Option<String> {
    if !(300..400).contains(&answer.status) {
        return None;
    }
    let location = std::str::from_utf8(answer.location?).ok()?;
    let mut target = Url::options().base_url(base).parse(location).ok()?;
    if target.cannot_be_a_base() {
        return Some(target.scheme().to_owned());
    }
    target.set_query(None);
    target.set_fragment(None);
    // This fails only for a URL without a host, which has no credentials.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    server_words::on_one_line(target.as_str())
}

/// Returns the wait that the server asks for. A date is compared with the server's own clock.
pub fn wait(answer: &Answer<'_>, wall: i64) -> Option<Duration> {
    let seconds = match answer.retry_after? {
        RetryAfter::Seconds(seconds) => seconds,
        RetryAfter::Date(date) => {
            let left = date.saturating_sub(answer.date.unwrap_or(wall));
            // A server that sends a date wants a wait.
            u64::try_from(left).unwrap_or(0).max(1)
        }
    };
    Some(Duration::from_secs(seconds))
}

/// Returns the status for an HTTP status, and an explanation.
///
/// The message of the answer decides where one HTTP status has several meanings: 401 may be an
/// exhausted session, and 403 has four meanings. An incomplete message without known words decides
/// nothing.
fn classify(code: u16, said: &str, is_cut_short: bool) -> (Status, &'static str) {
    let said = said.to_ascii_lowercase();
    let limit = said.contains("limit exceeded");
    match code {
        301 | 302 | 303 | 307 | 308 => (
            Status::Redirected,
            "redirects to another URL, which the library does not follow; correct the base URL",
        ),
        400 | 413 | 415 | 431 => (Status::BadRequest, "could not accept the request"),
        401 if said.contains("invalid session") => (
            Status::LimitExceeded,
            "says that the session is used up; create it again with kill session set",
        ),
        403 if said == "rejected" => (
            Status::RejectedOrigin,
            "rejected the origin; set one that it accepts",
        ),
        403 if said.contains("not active") => (
            Status::SessionNotActive,
            "says that the session has ended; create a new one",
        ),
        403 if limit => (
            Status::LimitExceeded,
            "says that a limit of the session is reached; create it again with kill session set",
        ),
        404 if said == "not found" => (
            Status::StartingUp,
            "has no session API yet; it is still starting, or the base URL is wrong",
        ),
        401 | 403 | 404 if is_cut_short => (
            Status::ConnectionLost,
            "refused the request, and the answer ended before the reason; try again",
        ),
        401 => (
            Status::Unauthorized,
            "requires a token for this path; check the base URL",
        ),
        403 => (Status::Forbidden, "refused the request"),
        404 => (
            Status::NotFound,
            "has no session API at this address; check the base URL",
        ),
        408 => (Status::Timeout, "waited too long for the request"),
        409 | 422 => (Status::Validation, "refused a value in the request"),
        429 => (
            Status::RateLimited,
            "received too many requests; wait and try again",
        ),
        501 | 505 => (
            Status::UnexpectedHttpStatus,
            "does not support the request; check the base URL",
        ),
        511 => (
            Status::UnexpectedHttpStatus,
            "was not reached, because the network requires you to sign in first (a captive portal)",
        ),
        500..=599 => (Status::Server, "failed; try again later"),
        _ => (
            Status::UnexpectedHttpStatus,
            "answered with a status that the session API does not have",
        ),
    }
}

/// A test compares docs/errors.md, the table of all statuses, with this code.
#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, body: &str) -> Error {
        let server = Url::parse("https://api.test/api/sessions").unwrap();
        read(
            &Answer::of(code, body.as_bytes()),
            &server,
            "api.test:443",
            0,
        )
    }

    #[test]
    fn the_servers_words_are_kept_apart_and_in_the_message() {
        let error = error(500, r#"{"error":"connect ECONNREFUSED"}"#);
        assert_eq!(
            error.server_message.as_deref(),
            Some("connect ECONNREFUSED")
        );
        assert!(error.message.contains("(HTTP 500: connect ECONNREFUSED)"));
    }

    #[test]
    fn a_redirect_names_its_target_without_what_may_be_secret() {
        let server = Url::parse("https://api.test/api/sessions").unwrap();
        for (location, target) in [
            ("https://b.test/v2/sessions", "https://b.test/v2/sessions"),
            ("/v2/x?key=s3cr3t#s3cr3t", "https://api.test/v2/x"),
            ("https://u:s3cr3t@b.test:8443/", "https://b.test:8443/"),
            ("//b.test", "https://b.test/"),
            ("..", "https://api.test/"),
            ("data:text/html,s3cr3t", "data"),
            ("https://b.test/eyJhbGciOi.eyJ.s", "https://b.test/[token]"),
            ("http://[::1]:80/", "http://[::1]/"),
        ] {
            let answer = Answer {
                location: Some(location.as_bytes()),
                ..Answer::of(302, b"")
            };
            let message = read(&answer, &server, "api.test:443", 0).message;
            let expected = format!("(HTTP 302, to {target})");
            assert!(message.ends_with(&expected), "{location}: {message}");
        }
        let long = format!("/{}", "x".repeat(9000));
        let answer = Answer {
            location: Some(long.as_bytes()),
            ..Answer::of(302, b"")
        };
        assert!(read(&answer, &server, "api.test:443", 0).message.len() < 800);
    }

    #[test]
    fn words_that_are_coded_are_named_and_not_shown() {
        let error = read(
            &Answer::of(403, b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab"),
            &Url::parse("https://api.test").unwrap(),
            "api.test:443",
            0,
        );
        assert_eq!(error.status, Status::Forbidden);
        assert_eq!(error.server_message, None);
        assert!(error.message.contains("gzip"), "{}", error.message);
    }

    #[test]
    fn words_in_utf_16_decide_too() {
        let body: Vec<u8> =
            r#"{"error":"rejected"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let server = Url::parse("https://api.test").unwrap();
        let error = read(&Answer::of(403, &body), &server, "api.test:443", 0);
        assert_eq!(error.status, Status::RejectedOrigin);
    }

    #[test]
    fn words_that_did_not_come_whole_decide_nothing() {
        for code in [401, 403, 404] {
            let whole = classify(code, "what", false).0;
            assert!(!whole.is_retryable(), "{code}");
            assert_eq!(classify(code, "what", true).0, Status::ConnectionLost);
        }
        assert_eq!(classify(403, "rejected", true).0, Status::RejectedOrigin);
        assert_eq!(classify(409, "missing", true).0, Status::Validation);
    }
}
