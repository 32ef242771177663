//! The bytes of a request.

use std::io::Write;

/// The head of a request. It is the same for every call of a client.
#[derive(Clone, Debug)]
pub struct RequestHead(Vec<u8>);

impl RequestHead {
    /// Creates a head. The caller has checked that `target` and the headers are visible ASCII
    /// without line breaks.
    pub fn new(method: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in headers {
            debug_assert!(!value.contains(['\r', '\n']));
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        Self(head.into_bytes())
    }

    /// Returns a request without a body.
    pub fn alone(&self) -> Vec<u8> {
        [&self.0, b"\r\n".as_slice()].concat()
    }

    /// Returns a request with a body.
    pub fn with_body(&self, body: &[u8]) -> Vec<u8> {
        const MOST_FOR_LENGTH: usize = 48;
        let mut bytes = Vec::with_capacity(self.0.len() + MOST_FOR_LENGTH + body.len());
        bytes.extend_from_slice(&self.0);
        // Writing to a vector cannot fail.
        let _ = write!(bytes, "content-length: {}\r\n\r\n", body.len());
        bytes.extend_from_slice(body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_line_its_headers_its_length_and_its_body() {
        let head = RequestHead::new("POST", "/x", &[("host", "a.test"), ("origin", "b")]);
        assert_eq!(
            head.with_body(b"{}"),
            b"POST /x HTTP/1.1\r\nhost: a.test\r\norigin: b\r\ncontent-length: 2\r\n\r\n{}"
        );
        assert_eq!(
            head.alone(),
            b"POST /x HTTP/1.1\r\nhost: a.test\r\norigin: b\r\n\r\n"
        );
    }
}
