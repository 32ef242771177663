//! The body, parsed like in the service.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::{Value, json};

use crate::request::{Body, Head};
use crate::response::{Response, TEXT};

/// The longest form. The service reads longer bodies only as JSON.
const FORM_LIMIT: usize = 56 * 1024;

/// Reads a body as JSON. A body of an unknown type is an empty object. `limit` applies to the
/// decoded body.
pub fn parse(head: &Head, body: Body, limit: usize) -> Result<Value, Response> {
    let content_type = head.content_type();
    let is_form = content_type == "application/x-www-form-urlencoded";
    if !is_form && !is_json(&content_type) {
        return Ok(json!({}));
    }
    match decoded(head, body, limit)? {
        Body::Complete(body) if is_form && body.len() <= FORM_LIMIT => Ok(form(&body)),
        Body::Complete(body) if !is_form => json(&body),
        _ => Err(Response::bare(413, TEXT, "request entity too large")),
    }
}

/// Decodes the body. The limit applies to the result.
fn decoded(head: &Head, body: Body, limit: usize) -> Result<Body, Response> {
    let encoding = head.header("content-encoding").unwrap_or("identity");
    match (encoding.trim().to_ascii_lowercase().as_str(), body) {
        ("identity", body) => Ok(body),
        ("gzip", Body::Complete(bytes)) => inflated(GzDecoder::new(bytes.as_slice()), limit),
        ("deflate", Body::Complete(bytes)) => inflated(ZlibDecoder::new(bytes.as_slice()), limit),
        ("gzip" | "deflate", Body::TooLarge) => Ok(Body::TooLarge),
        _ => Err(Response::bare(415, TEXT, "Unsupported Media Type")),
    }
}

fn inflated(decoder: impl Read, limit: usize) -> Result<Body, Response> {
    let mut body = Vec::new();
    match decoder.take(limit as u64 + 1).read_to_end(&mut body) {
        Ok(length) if length > limit => Ok(Body::TooLarge),
        Ok(_) => Ok(Body::Complete(body)),
        // The service does not handle this error.
        Err(_) => Err(Response::bare(500, TEXT, "Internal Server Error")),
    }
}

fn is_json(content_type: &str) -> bool {
    matches!(
        content_type,
        "application/json"
            | "application/json-patch+json"
            | "application/vnd.api+json"
            | "application/csp-report"
    )
}

fn json(body: &[u8]) -> Result<Value, Response> {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice(body) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
        // The service's parser is strict: other JSON values are errors too.
        Ok(_) | Err(_) => Err(Response::bare(400, TEXT, "Bad Request")),
    }
}

/// Returns a form as the object of an equivalent JSON body.
fn form(body: &[u8]) -> Value {
    let pairs = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())));
    Value::Object(pairs.collect())
}
