//! The fixed answer of a fault.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::response::{HTML, Response, TEXT};

/// A fixed answer. The first body that is set counts, in the order of the fields, but `error` and
/// `validation_error` can be used together. Without any, the body is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reply {
    /// 200 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Any value, also `null`, as `{"data":…}`.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<String>,
    /// Any value, as the whole body.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Added to the usual headers, or replacing them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Distinguishes `null` from a missing field, which `Option` alone does not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Reply {
    /// Returns an answer with this status and without a body.
    pub fn status(status: u16) -> Self {
        Reply {
            status: Some(status),
            ..Reply::default()
        }
    }

    pub fn error(status: u16, message: &str) -> Self {
        Reply {
            error: Some(message.to_owned()),
            ..Reply::status(status)
        }
    }

    pub fn validation_error(status: u16, message: &str) -> Self {
        Reply {
            validation_error: Some(message.to_owned()),
            ..Reply::status(status)
        }
    }

    pub fn text(status: u16, text: &str) -> Self {
        Reply {
            text: Some(text.to_owned()),
            ..Reply::status(status)
        }
    }

    pub fn html(status: u16, html: &str) -> Self {
        Reply {
            html: Some(html.to_owned()),
            ..Reply::status(status)
        }
    }

    /// Returns a 200 with this value instead of the session.
    pub fn data(data: Value) -> Self {
        Reply {
            data: Some(data),
            ..Reply::status(200)
        }
    }

    /// Returns a 200 with this value as the whole body.
    pub fn json(body: Value) -> Self {
        Reply {
            json: Some(body),
            ..Reply::status(200)
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn to_response(&self) -> Response {
        let status = self.status.unwrap_or(200);
        let mut response = match self {
            Reply {
                data: Some(data), ..
            } => Response::json(status, &json!({ "data": data })),
            Reply {
                error: Some(error),
                validation_error: Some(validation),
                ..
            } => Response::json(
                status,
                &json!({"error": error, "validationError": validation}),
            ),
            Reply {
                error: Some(error), ..
            } => Response::error(status, error),
            Reply {
                validation_error: Some(error),
                ..
            } => Response::validation_error(status, error),
            Reply {
                json: Some(body), ..
            } => Response::json(status, body),
            Reply {
                text: Some(text), ..
            } => Response::new(status, TEXT, text.as_str()),
            // HTML comes from a proxy, which does not add CORS headers.
            Reply {
                html: Some(html), ..
            } => Response::bare(status, HTML, html.as_str()),
            _ => Response::empty(status, &[]),
        };
        for (name, value) in &self.headers {
            response.set_header(name, value);
        }
        response
    }
}
