//! What a token says of itself. Nothing here is verified: the signature is the
//! server's to check, a client has no key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::{api::claim::Claim, secret::Secret};

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Claims {
    pub(crate) session: Option<String>,
    pub(crate) identifier: Option<String>,
    /// The server's clock when it signed; it moves with every answer.
    pub(crate) issued_at: Option<i64>,
}

/// The middle part of a token that is a JWT, decoded. It holds what the token
/// grants, so it is wiped.
pub(crate) struct Payload {
    json: Secret,
    /// One object, without others inside, escapes or white space.
    is_plain: bool,
}

impl Payload {
    /// `None` for a token that is no JWT: the server may change what it hands
    /// out.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
        // Every byte is looked at: without an early end it can be done many at
        // once.
        let is_plain = json.iter().skip(1).fold(true, |plain, byte| {
            plain & !matches!(byte, b'{' | b'\\' | b' ' | b'\n' | b'\t' | b'\r')
        });
        Some(Self {
            json: Secret::from(json),
            is_plain,
        })
    }

    pub(crate) fn claims(&self) -> Claims {
        self.parse().unwrap_or_default()
    }

    fn parse(&self) -> Option<Claims> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            session: Option<Claim<'a>>,
            #[serde(borrow)]
            identifier: Option<Claim<'a>>,
            iat: Option<Claim<'a>>,
        }

        let fields: Fields = serde_json::from_slice(&self.json).ok()?;
        Some(Claims {
            session: fields.session.and_then(Claim::text),
            identifier: fields.identifier.and_then(Claim::text),
            issued_at: fields.iat.and_then(|iat| match iat {
                Claim::Number(number) => number.as_i64(),
                _ => None,
            }),
        })
    }

    /// Whether it belongs to this identifier: `None` when it does not say.
    pub(crate) fn is_of(&self, identifier: &str) -> Option<bool> {
        // Nearly always the answer is plain to see, and the rest need not be
        // parsed.
        match self.member(b"\"identifier\":") {
            Member::Absent => None,
            Member::Value(value) if is_plain_text(value, identifier) => Some(true),
            _ => self.claims().identifier.map(|got| got == identifier),
        }
    }

    /// The server's clock when it signed.
    pub(crate) fn issued_at(&self) -> Option<i64> {
        let number = match self.member(b"\"iat\":") {
            Member::Absent => return None,
            Member::Value(value) => leading_number(value),
            Member::Unclear => None,
        };
        number.or_else(|| self.claims().issued_at)
    }

    /// Finds a member without parsing: its name comes with its quotes, which
    /// would be escaped inside a string, and there are no objects inside.
    fn member(&self, name: &[u8]) -> Member<'_> {
        let json: &[u8] = &self.json;
        if !self.is_plain {
            return Member::Unclear;
        }
        json.iter()
            .enumerate()
            .position(|(at, byte)| *byte == b'"' && json[at..].starts_with(name))
            .map_or(Member::Absent, |at| Member::Value(&json[at + name.len()..]))
    }
}

enum Member<'a> {
    Absent,
    /// What follows the name.
    Value(&'a [u8]),
    /// Only a parser can tell.
    Unclear,
}

fn is_plain_text(value: &[u8], text: &str) -> bool {
    !text.contains('"')
        && value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_prefix(text.as_bytes()))
            .is_some_and(|after| after.first() == Some(&b'"'))
}

fn leading_number(value: &[u8]) -> Option<i64> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&value[..end]).ok()?.parse().ok()
}

/// Empty for a token that is no JWT.
pub(crate) fn read(token: &str) -> Claims {
    Payload::of(token)
        .map(|payload| payload.claims())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJ.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn claims_are_read_from_a_jwt() {
        let claims = read(&token(
            r#"{"session":"abc","identifier":"d","iat":7,"new":[]}"#,
        ));
        assert_eq!(claims.session.as_deref(), Some("abc"));
        assert_eq!(claims.identifier.as_deref(), Some("d"));
        assert_eq!(claims.issued_at, Some(7));
    }

    #[test]
    fn a_token_that_is_no_jwt_has_no_claims() {
        for odd in [
            "",
            "opaque",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "..",
            &token("[]"),
            &token("{"),
        ] {
            assert_eq!(read(odd), Claims::default(), "{odd}");
        }
    }

    #[test]
    fn a_token_tells_when_it_was_signed() {
        let at = |claims: &str| Payload::of(&token(claims)).unwrap().issued_at();
        assert_eq!(at(r#"{"x":"1","iat":1795452669}"#), Some(1795452669));
        assert_eq!(at(r#"{"x":{},"iat":7}"#), Some(7));
        assert_eq!(at(r#"{"iat" : 7}"#), Some(7));
        assert_eq!(at(r#"{"iat":"x"}"#), None);
        assert_eq!(at(r#"{"x":1}"#), None);
    }

    #[test]
    fn a_token_tells_whose_it_is() {
        let of = |claims: &str, id| Payload::of(&token(claims)).unwrap().is_of(id);
        assert_eq!(of(r#"{"identifier":"a\"b","x":1}"#, "a\"b"), Some(true));
        assert_eq!(of(r#"{"x":1, "identifier" : "a"}"#, "a"), Some(true));
        assert_eq!(of(r#"{"identifier":"\u0061"}"#, "a"), Some(true));
        assert_eq!(of(r#"{"identifier":12}"#, "12"), Some(true));
        assert_eq!(of(r#"{"identifier":"ab"}"#, "a"), Some(false));
        assert_eq!(
            of(r#"{"identifier":"\"identifier\":\"a\""}"#, "a"),
            Some(false)
        );
        assert_eq!(
            of(r#"{"x":{"identifier":"a"},"identifier":"b"}"#, "a"),
            Some(false)
        );
        assert_eq!(of(r#"{"x":"identifier"}"#, "a"), None);
        assert!(Payload::of("opaque").is_none());
    }

    #[test]
    fn a_claim_of_another_type_is_absent_not_an_error() {
        let claims = read(&token(
            r#"{"session":{},"identifier":"a\u0000b","iat":"x"}"#,
        ));
        assert_eq!(claims, Claims::default());
        let claims = read(&token(r#"{"session":null,"identifier":12}"#));
        assert_eq!(claims.identifier.as_deref(), Some("12"));
    }
}
