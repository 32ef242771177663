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

/// Empty for a token that is no JWT: the server may change what it hands out.
pub(crate) fn read(token: &str) -> Claims {
    parse(token).unwrap_or_default()
}

/// Whether a token says that it belongs to this identifier: `None` when it
/// does not say.
pub(crate) fn is_of(token: &str, identifier: &str) -> Option<bool> {
    let json = payload(token)?;
    // Nearly always the answer is plain to see, and the rest need not be parsed.
    if let Some(value) = plain_member(&json, b"\"identifier\":")
        && let Some(value) = value.strip_prefix(b"\"")
        && let Some(after) = value.strip_prefix(identifier.as_bytes())
        && after.first() == Some(&b'"')
        && !identifier.contains(['"', '\\'])
    {
        return Some(true);
    }
    read(token).identifier.map(|got| got == identifier)
}

/// The server's clock when it signed.
pub(crate) fn issued_at(token: &str) -> Option<i64> {
    let json = payload(token)?;
    let Some(digits) = plain_member(&json, b"\"iat\":") else {
        return read(token).issued_at;
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// What follows a member's name in an object without objects inside. The name
/// comes with its quotes, which would be escaped inside a string.
fn plain_member<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    if json.iter().filter(|byte| **byte == b'{').count() != 1 {
        return None;
    }
    let at = json
        .iter()
        .enumerate()
        .position(|(at, byte)| *byte == b'"' && json[at..].starts_with(name))?;
    Some(&json[at + name.len()..])
}

/// The middle part, decoded. It holds what the token grants, so it is wiped.
fn payload(token: &str) -> Option<Secret> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(payload).ok().map(Secret::from)
}

fn parse(token: &str) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        session: Option<Claim<'a>>,
        #[serde(borrow)]
        identifier: Option<Claim<'a>>,
        iat: Option<Claim<'a>>,
    }

    let json = payload(token)?;
    let payload: Payload = serde_json::from_slice(&json).ok()?;
    Some(Claims {
        session: payload.session.and_then(Claim::text),
        identifier: payload.identifier.and_then(Claim::text),
        issued_at: payload.iat.and_then(|iat| match iat {
            Claim::Number(number) => number.as_i64(),
            _ => None,
        }),
    })
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
        let at = |claims: &str| issued_at(&token(claims));
        assert_eq!(at(r#"{"x":"1","iat":1795452669}"#), Some(1795452669));
        assert_eq!(at(r#"{"x":{},"iat":7}"#), Some(7));
        assert_eq!(at(r#"{"iat" : 7}"#), Some(7));
        assert_eq!(at(r#"{"iat":"x"}"#), None);
        assert_eq!(at(r#"{"x":1}"#), None);
    }

    #[test]
    fn a_token_tells_whose_it_is() {
        let of = |claims: &str, identifier| is_of(&token(claims), identifier);
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
        assert_eq!(is_of("opaque", "a"), None);
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
