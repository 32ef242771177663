//! One value of a JSON object, of which the server may change the type.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Text or a number, borrowed where it can be. A value of another type counts as
/// absent, and is no reason to refuse the rest.
#[derive(Debug, PartialEq)]
pub enum Claim<'a> {
    Text(Cow<'a, str>),
    /// The number as JSON writes it.
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
                // Half of a surrogate pair is no text.
                Err(_) => Claim::Other,
            },
            [b'-' | b'0'..=b'9', ..] => Claim::Number(json),
            b"null" => Claim::Null,
            _ => Claim::Other,
        }
    }

    /// Returns it as text. Text with a NUL inside counts as absent: C could not
    /// hold it whole.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let text = match self {
            Claim::Text(text) => text,
            Claim::Number(number) => number.into(),
            Claim::Null | Claim::Other => return None,
        };
        (!text.as_bytes().contains(&0)).then_some(text)
    }
}
