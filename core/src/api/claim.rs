//! The value of a field of a JSON object. The server may change its type.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A text or a number, borrowed if possible. A value of another type counts as absent, and the
/// other fields are still read.
#[derive(Debug, PartialEq)]
pub enum Claim<'a> {
    Text(Cow<'a, str>),
    /// The number, as written in the JSON.
    Number(&'a str),
    Null,
    Other,
}

impl<'a> Claim<'a> {
    pub fn of(value: Option<&'a RawValue>) -> Self {
        let Some(value) = value else {
            return Claim::Other;
        };
        let json = value.get();
        match json.as_bytes() {
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Claim::Text(Cow::Borrowed(&json[1..json.len() - 1]))
            }
            [b'"', ..] => match serde_json::from_str(json) {
                Ok(text) => Claim::Text(Cow::Owned(text)),
                // An unpaired surrogate cannot be decoded.
                Err(_) => Claim::Other,
            },
            [b'-' | b'0'..=b'9', ..] => Claim::Number(json),
            b"null" => Claim::Null,
            _ => Claim::Other,
        }
    }

    /// Returns the value as text. Text that contains a NUL counts as absent, because a C string
    /// would end there.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let text = match self {
            Claim::Text(text) => text,
            Claim::Number(number) => number.into(),
            Claim::Null | Claim::Other => return None,
        };
        (!text.as_bytes().contains(&0)).then_some(text)
    }
}
