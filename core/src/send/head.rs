//! The head of a request.

use std::io::Write;

use crate::{secret::Secret, send::request::Outline, session::Session};

/// The parts that the heads of all requests of a client share.
pub struct Common {
    /// The path of the base URL, without a slash at its end.
    path: String,
    lines: String,
}

impl Common {
    pub fn new(path: &str, host: &str, origin: &str, user_agent: &str) -> Self {
        let lines = format!(
            "host: {host}\r\norigin: {origin}\r\nuser-agent: {user_agent}\r\naccept-encoding: identity\r\n"
        );
        Self {
            path: path.to_owned(),
            lines,
        }
    }

    /// Returns a request with the token of `session`: its head, and the body. A body of up to
    /// `most` bytes is appended to the head.
    pub fn request<'a>(
        &self,
        outline: &'a Outline,
        session: Option<&Session>,
        most: usize,
    ) -> (Secret, &'a [u8]) {
        let head = self.head(outline, session, most);
        match outline.body().len() <= most {
            true => (head, &[]),
            false => (head, outline.body()),
        }
    }

    fn head(&self, outline: &Outline, session: Option<&Session>, most: usize) -> Secret {
        const PUNCTUATION: usize = 80;
        let authorization = session.map(|session| session.authorization());
        let body = outline.body();
        let with_body = match body.len() <= most {
            true => body,
            false => &[],
        };
        let length = [
            &outline.method,
            &self.path,
            &outline.target,
            &self.lines,
            &outline.headers,
        ]
        .iter()
        .map(|part| part.len())
        .sum::<usize>();
        let authorization = authorization.unwrap_or_default();
        let mut head =
            Secret::with_capacity(length + authorization.len() + with_body.len() + PUNCTUATION);
        let mut add = |parts: &[&str]| parts.iter().for_each(|part| head.append(part.as_bytes()));
        add(&[
            &outline.method,
            " ",
            &self.path,
            &outline.target,
            " HTTP/1.1\r\n",
        ]);
        add(&[&self.lines, &outline.headers]);
        if !authorization.is_empty() {
            add(&["authorization: ", authorization, "\r\n"]);
        }
        if outline.announces_length() {
            let mut digits = [0; 48];
            let mut rest = &mut digits[..];
            // The buffer is long enough for any number.
            let _ = write!(rest, "content-length: {}\r\n", body.len());
            let left = rest.len();
            head.append(&digits[..digits.len() - left]);
        }
        head.append(b"\r\n");
        head.append(with_body);
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        send::request::Request,
        session::{Claimed, Times},
        text::Text,
    };

    fn text(text: &str) -> Text {
        Text::new(Some(text.as_bytes()))
    }

    fn common() -> Common {
        Common::new("/base", "a.test", "https://o.test", "x/1")
    }

    const LINES: &str = "host: a.test\r\norigin: https://o.test\r\nuser-agent: x/1\r\naccept-encoding: identity\r\n";

    #[test]
    fn a_target_stands_behind_the_path_of_the_base_url() {
        let outline = Request::new(text("GET"), text("/a?b")).check().unwrap();
        let head = common().head(&outline, None, 0);
        let expected = format!("GET /base/a?b HTTP/1.1\r\n{LINES}accept: */*\r\n\r\n");
        assert_eq!(&*head, expected.as_bytes());
    }

    #[test]
    fn a_session_is_shown_and_a_small_body_follows_at_once() {
        let mut request = Request::new(text("POST"), text("/a"));
        request.set_body(Some(b"{}"), 2, text("application/json"));
        let session = Session::new(b"abc", Claimed::default(), Times::default());
        let outline = request.check().unwrap();
        let expected = format!(
            "POST /base/a HTTP/1.1\r\n{LINES}accept: */*\r\ncontent-type: application/json\r\n\
             authorization: Bearer abc\r\ncontent-length: 2\r\n\r\n"
        );
        let head = |most| common().head(&outline, Some(&session), most);
        assert_eq!(&*head(2), format!("{expected}{{}}").as_bytes());
        assert_eq!(&*head(1), expected.as_bytes());
    }
}
