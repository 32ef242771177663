//! An answer, with its headers in the service's order.

use serde_json::Value;

/// An answer, independent of its connection.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// In this order, before `Content-Length`, `Date` and `Connection`. If one of these three is
    /// set here, it replaces the automatic one.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub const JSON: &str = "application/json; charset=utf-8";
pub const TEXT: &str = "text/plain; charset=utf-8";
pub const HTML: &str = "text/html; charset=utf-8";

impl Response {
    /// Returns an answer of the service's application, with CORS headers.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = [
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", "*"),
            ("Content-Type", content_type),
        ];
        Response {
            status,
            headers: owned(&headers),
            body: body.into(),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Response::new(status, JSON, body.to_string())
    }

    pub fn data(data: &Value) -> Self {
        Response::new(200, JSON, format!("{{\"data\":{data}}}"))
    }

    pub fn error(status: u16, message: &str) -> Self {
        Response::json(status, &serde_json::json!({ "error": message }))
    }

    pub fn validation_error(status: u16, message: &str) -> Self {
        Response::json(status, &serde_json::json!({ "validationError": message }))
    }

    /// Returns an answer of the body parser or a proxy, not of the application.
    pub fn bare(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Response {
            status,
            headers: owned(&[("Content-Type", content_type)]),
            body: body.into(),
        }
    }

    /// Returns an answer without a body.
    pub fn empty(status: u16, headers: &[(&str, &str)]) -> Self {
        Response {
            status,
            headers: owned(headers),
            body: Vec::new(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Replaces a header at its position, or adds it.
    pub fn set_header(&mut self, name: &str, value: &str) {
        let mut existing = self.headers.iter_mut();
        match existing.find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, old)) => value.clone_into(old),
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Applies a merge patch (RFC 7396). A body that is not JSON is unchanged.
    pub fn patch_body(&mut self, patch: &Value) {
        if let Ok(mut body) = serde_json::from_slice(&self.body) {
            json_patch::merge(&mut body, patch);
            self.body = body.to_string().into_bytes();
        }
    }

    /// Returns the head of the answer, with these optional values of `Content-Length` and `Date`.
    pub fn head(&self, length: Option<u64>, date: Option<&str>, keep_alive: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        let mut automatic = |name: &str, value: &str| {
            if self.header(name).is_none() {
                line(name, value);
            }
        };
        if let Some(length) = length
            && !matches!(self.status, 204 | 304)
        {
            automatic("Content-Length", &length.to_string());
        }
        if let Some(date) = date {
            automatic("Date", date);
        }
        if keep_alive {
            automatic("Connection", "keep-alive");
            automatic("Keep-Alive", "timeout=5");
        } else {
            automatic("Connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// Returns the answer of the platform's HTTP parser. Such a request does not reach the application.
pub fn bare_refusal(status: u16) -> Vec<u8> {
    let reason = reason(status);
    format!("HTTP/1.1 {status} {reason}\r\nConnection: close\r\n\r\n").into_bytes()
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let headers = headers.iter();
    headers
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        418 => "I'm a Teapot",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(body: &str, patch: &Value) -> Vec<u8> {
        let mut response = Response::bare(200, TEXT, body);
        response.patch_body(patch);
        response.body
    }

    #[test]
    fn a_patch_sets_members_and_removes_those_that_are_null_in_it() {
        let body = r#"{"data":{"token":"t","expiresAt":1}}"#;
        let patch = json!({"data": {"expiresAt": null, "activatedAt": 2}});
        assert_eq!(
            patched(body, &patch),
            br#"{"data":{"activatedAt":2,"token":"t"}}"#
        );
    }

    #[test]
    fn a_body_that_is_not_json_stays_as_it_is() {
        assert_eq!(patched("Bad Request", &json!({"a": 1})), b"Bad Request");
    }
}
