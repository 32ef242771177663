//! The response of a route.

use std::{fmt, ops::Range, sync::OnceLock};

use crate::{
    api::server_words,
    http::{coding::Coding, exchange::Whole, head},
    secret::Secret,
};

/// The longest body, in bytes, that is searched for a message. Longer ones are not errors for
/// people to read.
const LONGEST_WORDS: usize = 64 * 1024;

/// A complete answer. Its memory is overwritten with zeros when it is dropped.
pub struct Response {
    status: u16,
    /// The head, the body, and a NUL.
    bytes: Secret,
    body: Range<usize>,
    /// Parsed when a header is requested for the first time.
    headers: OnceLock<Vec<Header>>,
    words: OnceLock<Option<String>>,
}

struct Header {
    name: Range<usize>,
    /// With a NUL at its end.
    value: Secret,
}

impl fmt::Debug for Response {
    /// Omits the body, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Response {
    pub fn new(status: u16, whole: Whole) -> Self {
        let Whole {
            mut bytes,
            body_start,
        } = whole;
        let body = body_start..bytes.len();
        bytes.append(&[0]);
        Self {
            status,
            bytes,
            body,
            headers: OnceLock::new(),
            words: OnceLock::new(),
        }
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    /// Returns the body with a NUL at its end.
    pub fn body_with_nul(&self) -> &[u8] {
        &self.bytes[self.body.start..]
    }

    /// Returns the value of the first header with this name, in any case, with a NUL at its end.
    pub fn header_with_nul(&self, name: &[u8]) -> Option<&[u8]> {
        let headers = self.headers.get_or_init(|| self.read_headers());
        let header = headers
            .iter()
            .find(|header| self.bytes[header.name.clone()].eq_ignore_ascii_case(name))?;
        Some(&header.value)
    }

    /// Returns the server's message if the answer is an error, with a NUL at its end.
    pub fn server_message_with_nul(&self) -> Option<&str> {
        let words = self.words.get_or_init(|| {
            let is_short = self.body().len() <= LONGEST_WORDS;
            let is_error = self.status >= 400 && is_short;
            let words = is_error.then(|| server_words::read(self.body(), self.coding()).said)??;
            Some(format!("{}\0", words.replace('\0', " ")))
        });
        words.as_deref()
    }

    fn coding(&self) -> Option<Coding> {
        let value = self.header_with_nul(b"content-encoding")?;
        Coding::named(value.strip_suffix(b"\0")?)
    }

    fn read_headers(&self) -> Vec<Header> {
        let head = &self.bytes[..self.body.start];
        let mut headers = Vec::new();
        head::for_each_header(head, |name, value| {
            let mut text = Secret::with_capacity(value.len() + 1);
            // Line breaks in a folded value become spaces (RFC 9112, section 5.2). A NUL would hide
            // the bytes behind it.
            for byte in value.trim_ascii() {
                let is_odd = matches!(byte, b'\r' | b'\n' | 0);
                text.append(&[if is_odd { b' ' } else { *byte }]);
            }
            text.append(&[0]);
            headers.push(Header { name, value: text });
        });
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(head: &str, body: &str) -> Response {
        let bytes = Secret::from(format!("{head}\r\n{body}"));
        Response::new(
            500,
            Whole {
                bytes,
                body_start: head.len() + 2,
            },
        )
    }

    #[test]
    fn the_body_has_a_nul_behind_it() {
        let response = response("HTTP/1.1 200 OK\r\n", "abc");
        assert_eq!(response.body(), b"abc");
        assert_eq!(response.body_with_nul(), b"abc\0");
        assert_eq!(
            self::response("HTTP/1.1 200 OK\r\n", "").body_with_nul(),
            b"\0"
        );
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        let response = response(
            "HTTP/1.1 200 OK\r\nX-One:  1 \r\nX-Two: a\r\n b\r\nx-one: 2\r\nX-Empty:\r\n",
            "X-Body: 1\r\n\r\n",
        );
        assert_eq!(response.header_with_nul(b"x-ONE"), Some(&b"1\0"[..]));
        assert_eq!(response.header_with_nul(b"x-empty"), Some(&b"\0"[..]));
        assert_eq!(response.header_with_nul(b"x-body"), None);
        assert_eq!(response.header_with_nul(b""), None);
        let folded = response.header_with_nul(b"x-two").unwrap();
        assert!(folded.starts_with(b"a") && folded.ends_with(b"b\0") && !folded.contains(&b'\n'));
    }

    #[test]
    fn headers_are_found_in_a_head_with_control_characters() {
        let response = response("HTTP/1.1 200 O\u{1}K\r\nX-One: 1\r\n", "");
        assert_eq!(response.header_with_nul(b"x-one"), Some(&b"1\0"[..]));
    }

    #[test]
    fn the_servers_words_are_those_of_an_error() {
        let words = response("HTTP/1.1 500 X\r\n", r#"{"error":"connect ECONNREFUSED"}"#);
        assert_eq!(
            words.server_message_with_nul(),
            Some("connect ECONNREFUSED\0")
        );
        assert_eq!(
            response("HTTP/1.1 500 X\r\n", "").server_message_with_nul(),
            None
        );
    }

    #[test]
    fn a_compressed_body_has_no_words() {
        let head = b"HTTP/1.1 500 X\r\nContent-Encoding: br\r\n\r\n";
        let response = Response::new(
            500,
            Whole {
                bytes: Secret::from([head, &b"\x8b\x02\x80abc"[..]].concat()),
                body_start: head.len(),
            },
        );
        assert_eq!(response.server_message_with_nul(), None);
    }
}
