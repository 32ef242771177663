//! A request of a check, and its answer.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::check::mask::Secrets;
use crate::log::printable;

/// The longest message of the server in a line of the report, in characters.
const LONGEST_WORDS: usize = 80;

/// A request, as it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    /// The path and query behind the base URL.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

/// An answer, as it was received.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The body was longer than the check's limit.
    pub is_cut: bool,
    /// The local address of the connection, which identifies it.
    pub local: Option<SocketAddr>,
    pub took: Duration,
    /// The secrets that must not be shown.
    pub secrets: Secrets,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum NoAnswer {
    /// The request was not sent.
    NotSent(String),
    /// No connection was opened, or a time limit passed. The next request would fail too.
    Unreachable(String),
    /// A connection was opened, but the answer is incomplete.
    Broken(String),
}

impl NoAnswer {
    pub fn reason(&self) -> &str {
        match self {
            NoAnswer::NotSent(reason)
            | NoAnswer::Unreachable(reason)
            | NoAnswer::Broken(reason) => reason,
        }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Option<Value> {
        // The library also skips a byte order mark.
        let body = self.body.strip_prefix(b"\xEF\xBB\xBF");
        serde_json::from_slice(body.unwrap_or(&self.body)).ok()
    }

    /// Returns the server's clock from the `Date` header.
    pub fn date(&self) -> Option<i64> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    }

    /// Returns how long the server keeps an idle connection.
    pub fn keep_alive(&self) -> Option<Duration> {
        let parameters = self.header("keep-alive")?.split(',');
        let mut timeouts = parameters.filter_map(|one| one.trim().strip_prefix("timeout="));
        timeouts.next()?.parse().ok().map(Duration::from_secs)
    }

    /// Returns whether the answer shows an outage, and nothing about the API.
    pub fn is_outage(&self) -> bool {
        matches!(self.status, 408 | 429 | 502 | 503 | 504)
    }

    /// Returns the server's message in a refusal, without secrets.
    pub fn words(&self) -> String {
        let text = match self.json() {
            Some(body) => ["validationError", "error", "message"]
                .iter()
                .find_map(|name| body[name].as_str().map(|words| self.secrets.text(words)))
                .unwrap_or_default(),
            None => self.secrets.plain(&String::from_utf8_lossy(&self.body)),
        };
        let words = printable(text.trim());
        if words.chars().count() <= LONGEST_WORDS {
            return words;
        }
        words.chars().take(LONGEST_WORDS).chain(['…']).collect()
    }

    /// Returns a description of the answer for a line of the report.
    pub fn in_short(&self) -> String {
        let words = match (self.status, self.header("location")) {
            (200..=299, _) => String::new(),
            (300..=399, Some(location)) => {
                format!("to {}", printable(&self.secrets.target(location)))
            }
            _ => self.words(),
        };
        match words.as_str() {
            "" => format!("HTTP {}", self.status),
            words => format!("HTTP {} ({words})", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter();
        Answer {
            status,
            body: body.into(),
            headers: headers
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Answer::default()
        }
    }

    #[test]
    fn the_words_of_every_shape_of_error_are_found() {
        for (body, words) in [
            (r#"{"error":"rejected"}"#, "rejected"),
            (r#"{"validationError":"missing a\n"}"#, "missing a"),
            ("Bad Request", "Bad Request"),
            ("", ""),
            (r#"{"data":1}"#, ""),
        ] {
            assert_eq!(answer(400, body, &[]).words(), words, "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_before_json_is_skipped() {
        assert_eq!(
            answer(200, "\u{feff}{\"a\":1}", &[]).json(),
            Some(serde_json::json!({"a": 1}))
        );
    }

    #[test]
    fn a_token_in_an_answer_is_not_among_the_words() {
        let said = answer(400, "no eyJhbGciOi.e30.x here", &[]).in_short();
        assert_eq!(said, "HTTP 400 (no <token> here)");
    }

    #[test]
    fn the_query_of_a_redirect_is_not_shown() {
        let redirect = answer(301, "", &[("Location", "https://u:p@x.test/a?key=1")]);
        assert_eq!(redirect.in_short(), "HTTP 301 (to https://x.test/a)");
    }

    #[test]
    fn the_time_of_an_idle_connection_is_read_from_its_header() {
        let timeout = |value| answer(200, "", &[("Keep-Alive", value)]).keep_alive();
        assert_eq!(timeout("timeout=5"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("max=9, timeout=5"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("max=9"), None);
    }
}
