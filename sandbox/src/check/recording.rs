//! Writes exchanges to files, to compare deployments by. Tokens, cookies and the
//! client's address are masked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::check::exchange::{Answer, NoAnswer, Request};
use crate::check::session::Session;
use crate::check::step::Step;

const TOKEN: &str = "<token>";
const MASKED: &str = "<masked>";

/// A folder of recordings.
#[derive(Debug)]
pub struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// Makes the folder, unless it is there.
    pub fn new(folder: &Path) -> Result<Self, String> {
        match fs::create_dir_all(folder) {
            Ok(()) => Ok(Recordings {
                folder: folder.to_owned(),
            }),
            Err(error) => Err(format!("{}: {error}", folder.display())),
        }
    }

    pub fn write(
        &self,
        number: usize,
        step: Step,
        url: &str,
        request: &Request,
        outcome: &Result<Answer, NoAnswer>,
    ) -> io::Result<()> {
        let mut exchange = json!({
            "step": step.name(),
            "purpose": step.purpose(),
            "request": {
                "method": request.method,
                "url": url,
                "headers": headers(request.headers.iter().map(|(name, value)| (*name, value.as_str()))),
                "body": request.body.as_deref().map(|body| masked_body(body.as_bytes())),
            },
        });
        match outcome {
            Ok(answer) => exchange["answer"] = recorded(answer),
            Err(reason) => exchange["no_answer"] = json!(reason.reason()),
        }
        let name = format!("{number:02}-{}.json", step.name());
        let mut text = serde_json::to_string_pretty(&exchange)?;
        text.push('\n');
        fs::write(self.folder.join(name), text)
    }
}

fn recorded(answer: &Answer) -> Value {
    let all = answer.headers.iter();
    let mut value = json!({
        "status": answer.status,
        "headers": headers(all.map(|(name, value)| (name.as_str(), value.as_str()))),
        "body": masked_body(&answer.body),
        "milliseconds": u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
    });
    // They tell sessions apart, which a masked token cannot.
    if let Some(Value::Object(claims)) = Session::of(answer).and_then(|session| session.claims) {
        let masked = claims.into_iter().map(|(name, value)| match name.as_str() {
            "ip" => (name, json!(MASKED)),
            _ => (name, masked_value(value)),
        });
        value["claims"] = Value::Object(masked.collect());
    }
    value
}

/// Makes a list of pairs, since a header may come twice.
fn headers<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Value> {
    all.map(|(name, value)| {
        let value = match name.to_ascii_lowercase().as_str() {
            "authorization" => format!("Bearer {TOKEN}"),
            "cookie" | "set-cookie" => MASKED.to_owned(),
            _ => masked_text(value),
        };
        json!([name, value])
    })
    .collect()
}

/// Writes JSON as JSON and everything else as text.
fn masked_body(body: &[u8]) -> Value {
    match serde_json::from_slice(body) {
        Ok(value) => masked_value(value),
        Err(_) => json!(masked_text(&String::from_utf8_lossy(body))),
    }
}

/// Masks every member that is called a token, and every text that looks like one.
fn masked_value(value: Value) -> Value {
    match value {
        Value::String(text) => json!(masked_text(&text)),
        Value::Array(values) => Value::Array(values.into_iter().map(masked_value).collect()),
        Value::Object(members) => {
            let masked = members.into_iter().map(|(name, value)| {
                let is_token = name.to_ascii_lowercase().contains("token");
                match value {
                    Value::String(_) | Value::Number(_) if is_token => (name, json!(TOKEN)),
                    value => (name, masked_value(value)),
                }
            });
            Value::Object(masked.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Masks every run of base64url and dots that starts as a JWT does.
fn masked_text(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        let run = &rest[start..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
        let end = run.find(|c| !is_part(c)).unwrap_or(run.len());
        masked.push_str(&rest[..start]);
        masked.push_str(TOKEN);
        rest = &run[end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln-_";

    #[test]
    fn a_token_is_masked_wherever_it_stands() {
        for (body, masked) in [
            (
                format!(r#"{{"data":{{"token":"{JWT}"}}}}"#),
                json!({"data": {"token": TOKEN}}),
            ),
            (
                r#"{"refreshToken":"opaque"}"#.into(),
                json!({"refreshToken": TOKEN}),
            ),
            (format!(r#"["{JWT}"]"#), json!([TOKEN])),
            (format!("{{\"a\":\"{JWT}"), json!("{\"a\":\"<token>")),
            (format!("x {JWT}, {JWT}"), json!("x <token>, <token>")),
        ] {
            assert_eq!(masked_body(body.as_bytes()), masked, "{body}");
        }
    }

    #[test]
    fn credentials_in_headers_are_masked() {
        let all = [("Authorization", JWT), ("Set-Cookie", "sid=1"), ("X", JWT)];
        assert_eq!(
            json!(headers(all.into_iter())),
            json!([
                ["Authorization", "Bearer <token>"],
                ["Set-Cookie", MASKED],
                ["X", TOKEN]
            ])
        );
    }
}
