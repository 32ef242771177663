//! A request to any route, with the caller's values.

use std::{sync::Arc, time::Duration};

use crate::{
    error::{Error, Status},
    http::head::Method,
    secret::Secret,
    text::{Rule, Text},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_MAX_RESPONSE: usize = 8 * 1024 * 1024;

/// The server answers 431 to a head of more than 16 KiB, and a token may need half of that.
const MAX_TARGET: usize = 8 * 1024;
const MAX_METHOD: usize = 32;
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// Headers that the library sets, and headers that would change the framing of the request or the
/// use of its connection.
const OWN_HEADERS: &[&str] = &[
    "Host",
    "Origin",
    "User-Agent",
    "Authorization",
    "Content-Length",
    "Accept-Encoding",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Upgrade",
    "HTTP2-Settings",
    "Expect",
    "TE",
    "Trailer",
];

/// The caller's values. [`Request::check`] validates them.
#[derive(Clone, Default)]
pub struct Request {
    pub method: Text,
    pub target: Text,
    headers: Vec<(Text, Text)>,
    body: Option<Body>,
    /// 0: the default.
    pub timeout_ms: u32,
    /// 0: the default.
    pub max_response_bytes: usize,
    pub is_repeatable: Option<bool>,
}

#[derive(Clone)]
struct Body {
    /// `None` if the caller passed a length without bytes.
    bytes: Option<Arc<Secret>>,
    content_type: Text,
}

/// A valid request.
#[derive(Clone)]
pub struct Outline {
    pub method: String,
    pub target: String,
    /// Lines that end with CRLF.
    pub headers: String,
    pub body: Option<Arc<Secret>>,
    pub timeout: Duration,
    pub max_response: usize,
    pub is_repeatable: bool,
}

impl Request {
    pub fn new(method: Text, target: Text) -> Self {
        Self {
            method,
            target,
            ..Self::default()
        }
    }

    /// Sets a header and replaces one of the same name. A value of `None` removes it.
    pub fn set_header(&mut self, name: Text, value: Text) {
        self.headers.retain(|(other, _)| !other.is_same_name(&name));
        if value.is_set() || !name.is_set() {
            self.headers.push((name, value));
        }
    }

    /// Sets the body. `None` with a length of 0 removes it.
    pub fn set_body(&mut self, bytes: Option<&[u8]>, length: usize, content_type: Text) {
        self.body = match (bytes, length) {
            (None, 0) => None,
            (bytes, _) => Some(Body {
                bytes: bytes.map(|bytes| Arc::new(Secret::from(bytes.to_vec()))),
                content_type,
            }),
        };
    }

    /// Returns the valid request, or an error for the first invalid value.
    pub fn check(&self) -> Result<Outline, Error> {
        let method = required(&self.method, "method", MAX_METHOD)?;
        if !method.bytes().all(is_of_a_token) {
            return Err(refused(
                "the method contains a character that HTTP does not allow",
            ));
        }
        if method == "CONNECT" {
            return Err(refused(
                "the method CONNECT is only for proxies; use another method",
            ));
        }
        let target = required(&self.target, "target", MAX_TARGET)?;
        check_target(target)?;
        let body = self.body.as_ref().map(Body::check).transpose()?;
        let content_type = body.as_ref().and_then(|(_, content_type)| *content_type);
        Ok(Outline {
            headers: self.header_lines(content_type)?,
            body: body.map(|(bytes, _)| bytes),
            timeout: match self.timeout_ms {
                0 => DEFAULT_TIMEOUT,
                ms => Duration::from_millis(ms.into()),
            },
            max_response: match self.max_response_bytes {
                0 => DEFAULT_MAX_RESPONSE,
                // The head precedes the body in memory, and a NUL follows it.
                bytes => bytes.min(usize::MAX / 4),
            },
            is_repeatable: self
                .is_repeatable
                .unwrap_or(matches!(method, "GET" | "HEAD")),
            method: method.to_owned(),
            target: target.to_owned(),
        })
    }

    fn header_lines(&self, content_type: Option<&str>) -> Result<String, Error> {
        if self.headers.len() > MAX_HEADERS {
            return Err(refused(&format!(
                "the request has {} headers; set at most {MAX_HEADERS}",
                self.headers.len()
            )));
        }
        let mut lines = String::new();
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                lines.push_str(part);
            }
        };
        let mut accepts = false;
        for (name, value) in &self.headers {
            let name = required(name, "name of a header", MAX_NAME)?;
            if !name.bytes().all(is_of_a_token) {
                return Err(refused(
                    "the name of a header contains a character that HTTP does not allow",
                ));
            }
            if let Some(own) = OWN_HEADERS
                .iter()
                .find(|own| own.eq_ignore_ascii_case(name))
            {
                return Err(refused(&format!(
                    "the header {own} is set by the library; do not set it"
                )));
            }
            if content_type.is_some() && name.eq_ignore_ascii_case("content-type") {
                return Err(refused(
                    "the header Content-Type is set twice; pass it with the body only",
                ));
            }
            accepts |= name.eq_ignore_ascii_case("accept");
            line(name, header_value(value, name)?);
        }
        if !accepts {
            line("accept", "*/*");
        }
        if let Some(content_type) = content_type {
            line("content-type", content_type);
        }
        Ok(lines)
    }
}

impl Body {
    fn check(&self) -> Result<(Arc<Secret>, Option<&str>), Error> {
        let bytes = self.bytes.clone().ok_or_else(|| {
            refused("the body is NULL or too long; pass its bytes and their length")
        })?;
        let content_type = match self.content_type.is_set() {
            true => Some(header_value(&self.content_type, "Content-Type")?),
            false => None,
        };
        Ok((bytes, content_type))
    }
}

impl Outline {
    pub fn framing(&self) -> Method {
        match &*self.method {
            "HEAD" => Method::Head,
            _ => Method::Usual,
        }
    }

    pub fn body(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |body| body)
    }

    /// Returns the error for a request that found no free place before its deadline.
    pub fn no_place(&self) -> Error {
        let limit = self.timeout.as_millis();
        Error::new(
            Status::Timeout,
            format!(
                "too many requests were in progress for {limit} ms; send fewer in parallel, or raise the timeout"
            ),
        )
    }

    /// Returns the error for a response that is longer than the request allows.
    pub fn too_long(&self) -> Error {
        let most = self.max_response;
        Error::new(
            Status::ResponseTooLarge,
            format!(
                "the response is longer than the {most} bytes that the request allows; raise its limit"
            ),
        )
    }

    /// Returns whether to send a Content-Length of 0 too (RFC 9110, section 8.6).
    pub fn announces_length(&self) -> bool {
        self.body.is_some() || matches!(&*self.method, "POST" | "PUT" | "PATCH")
    }
}

/// Checks a path with a query. Rejects characters that RFC 3986 does not allow there, because a
/// corrected target could be another resource.
fn check_target(target: &str) -> Result<(), Error> {
    if !target.starts_with('/') {
        return Err(refused("the target does not begin with \"/\"; pass a path"));
    }
    if target.contains('#') {
        return Err(refused(
            "the target has a fragment, which cannot be sent; remove it",
        ));
    }
    let mut bytes = target.bytes();
    while let Some(byte) = bytes.next() {
        let is_legal = match byte {
            b'%' => {
                let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                is_hex(bytes.next()) && is_hex(bytes.next())
            }
            byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
        };
        if !is_legal {
            let byte = char::from(byte).escape_default();
            return Err(refused(&format!(
                "the target contains a \"{byte}\" that is not allowed in a URL; percent-encode it"
            )));
        }
    }
    Ok(())
}

/// Checks the value of a header: visible ASCII, spaces and tabs, with no space at either end.
fn header_value<'a>(value: &'a Text, name: &str) -> Result<&'a str, Error> {
    let wrong = |what: &str| Err(refused(&format!("the value of the header {name} {what}")));
    let bytes = value.bytes();
    if bytes.len() > MAX_VALUE {
        return wrong(&format!(
            "is {} bytes long; at most {MAX_VALUE} are allowed",
            bytes.len()
        ));
    }
    if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return wrong("contains a control character, or a character outside ASCII");
    }
    if bytes.trim_ascii().len() != bytes.len() {
        return wrong("begins or ends with a space or a tab");
    }
    Ok(std::str::from_utf8(bytes).unwrap_or_default())
}

fn required<'a>(text: &'a Text, name: &'static str, max_bytes: usize) -> Result<&'a str, Error> {
    let rule = Rule {
        name,
        max_bytes,
        ascii_only: true,
        status: Status::InvalidArgument,
    };
    if text.is_set() && text.bytes().is_empty() {
        return Err(refused(&format!("the {name} is empty")));
    }
    text.check(&rule)?
        .ok_or_else(|| refused(&format!("the {name} is NULL")))
}

/// Returns whether a byte is allowed in a method or in the name of a header (RFC 9110, section
/// 5.6.2).
fn is_of_a_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn refused(message: &str) -> Error {
    Error::new(Status::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new(Some(text.as_bytes()))
    }

    fn to(target: &str) -> Request {
        Request::new(text("GET"), text(target))
    }

    fn refusal(request: &Request) -> String {
        let error = request.check().err().unwrap();
        assert_eq!(error.status, Status::InvalidArgument);
        error.message
    }

    #[test]
    fn a_get_has_its_defaults() {
        let outline = to("/api/tags/search?tagName=a.zelf").check().unwrap();
        assert_eq!(outline.target, "/api/tags/search?tagName=a.zelf");
        assert_eq!(outline.headers, "accept: */*\r\n");
        assert_eq!(outline.timeout, Duration::from_secs(30));
        assert_eq!(outline.max_response, 8 << 20);
        assert!(outline.is_repeatable && !outline.announces_length());
        let post = Request::new(text("POST"), text("/x")).check().unwrap();
        assert!(!post.is_repeatable && post.announces_length());
    }

    #[test]
    fn every_legal_target_is_kept_as_it_is() {
        for target in [
            "/",
            "//x",
            "/a/../b",
            "/a;b=c/d:e@f",
            "/?",
            "/?a=b&c=/?:@!$'()*+,;",
            "/%c3%A9",
        ] {
            assert_eq!(to(target).check().unwrap().target, target);
        }
    }

    #[test]
    fn an_illegal_target_is_refused_and_not_repaired() {
        for target in [
            "",
            "x",
            "*",
            "https://other.test/",
            "/a b",
            "/a\tb",
            "/a\r\nx: y",
            "/é",
            "/a#b",
            "/a\\b",
            "/[a]",
            "/{a}",
            "/a|b",
            "/a^b",
            "/\"",
            "/<",
            "/`",
            "/%",
            "/%2",
            "/%zz",
            "/a%2",
        ] {
            assert!(refusal(&to(target)).contains("target"), "{target}");
        }
        assert!(refusal(&Request::new(text("GET"), Text::UNSET)).contains("NULL"));
        let long = format!("/{}", "a".repeat(MAX_TARGET));
        assert!(refusal(&to(&long)).contains("8193 bytes"));
    }

    #[test]
    fn a_method_is_a_token_and_opens_no_tunnel() {
        for method in ["", "G ET", "GET\r\n", "GÉT", "G/T", "CONNECT"] {
            let request = Request::new(text(method), text("/"));
            assert!(refusal(&request).contains("method"), "{method}");
        }
        assert!(Request::new(text("PURGE"), text("/")).check().is_ok());
    }

    #[test]
    fn headers_are_sent_as_they_were_set_the_last_of_a_name() {
        let mut request = to("/");
        request.set_header(text("X-One"), text("1"));
        request.set_header(text("Accept"), text("application/json"));
        request.set_header(text("x-ONE"), text("2\t3"));
        request.set_header(text("X-None"), text(""));
        assert_eq!(
            request.check().unwrap().headers,
            "Accept: application/json\r\nx-ONE: 2\t3\r\nX-None: \r\n"
        );
        request.set_header(text("x-one"), Text::UNSET);
        request.set_header(text("x-none"), Text::UNSET);
        assert_eq!(
            request.check().unwrap().headers,
            "Accept: application/json\r\n"
        );
    }

    #[test]
    fn a_header_that_http_forbids_is_refused() {
        for name in ["", "a b", "a:", "a\r\n", "é", "a\0"] {
            let mut request = to("/");
            request.set_header(text(name), text("x"));
            assert!(refusal(&request).contains("name of a header"), "{name:?}");
        }
        for value in ["a\r\nb: c", "a\n", "a\0b", "\u{7f}", "é", " a", "a\t"] {
            let mut request = to("/");
            request.set_header(text("X-Mine"), text(value));
            assert!(refusal(&request).contains("X-Mine"), "{value:?}");
        }
        let mut request = to("/");
        request.set_header(Text::UNSET, text("x"));
        assert!(refusal(&request).contains("NULL"));
    }

    #[test]
    fn the_librarys_own_headers_are_refused_by_name() {
        for own in OWN_HEADERS {
            let mut request = to("/");
            request.set_header(text(&own.to_ascii_uppercase()), text("x"));
            assert!(refusal(&request).contains(&format!("header {own} ")));
        }
    }

    #[test]
    fn a_body_comes_with_its_type() {
        let mut request = Request::new(text("POST"), text("/"));
        request.set_body(Some(b"{}"), 2, text("application/json"));
        let outline = request.check().unwrap();
        assert_eq!(outline.body(), b"{}");
        assert!(
            outline
                .headers
                .ends_with("content-type: application/json\r\n")
        );
        request.set_header(text("content-TYPE"), text("text/plain"));
        assert!(refusal(&request).contains("twice"));
        request.set_body(Some(b"x"), 1, Text::UNSET);
        assert!(request.check().unwrap().headers.contains("text/plain"));
        request.set_body(None, 3, Text::UNSET);
        assert!(refusal(&request).contains("NULL"));
        request.set_body(None, 0, Text::UNSET);
        assert!(request.check().unwrap().body.is_none());
        request.set_body(Some(b"x"), 1, text("a\r\nb"));
        assert!(refusal(&request).contains("Content-Type"));
    }
}
