//! The body as the service's parser reads it.

use serde_json::{Value, json};

use crate::request::{Body, Head};
use crate::response::{Response, TEXT};

/// Bounds a form: the service reads longer ones only as JSON.
const FORM_LIMIT: usize = 56 * 1024;

/// Reads a body as JSON. A body of a type that the service does not read is an
/// empty object.
pub fn parse(head: &Head, body: Body) -> Result<Value, Response> {
    let content_type = head.content_type();
    let is_form = content_type == "application/x-www-form-urlencoded";
    if !is_form && !is_json(&content_type) {
        return Ok(json!({}));
    }
    let encoding = head.header("content-encoding").unwrap_or("identity");
    if !encoding.trim().eq_ignore_ascii_case("identity") {
        return Err(Response::bare(415, TEXT, "Unsupported Media Type"));
    }
    match body {
        Body::Complete(body) if is_form && body.len() <= FORM_LIMIT => Ok(form(&body)),
        Body::Complete(body) if !is_form => json(&body),
        _ => Err(Response::bare(413, TEXT, "request entity too large")),
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
        // The service's parser is strict: other JSON is as wrong as no JSON.
        Ok(_) | Err(_) => Err(Response::bare(400, TEXT, "Bad Request")),
    }
}

/// Makes of a form the object that a JSON body would have been.
fn form(body: &[u8]) -> Value {
    let pairs = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())));
    Value::Object(pairs.collect())
}
