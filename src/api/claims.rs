//! What a token says of itself. Nothing here is verified: the signature is the
//! server's to check, a client has no key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

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

fn parse(token: &str) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Payload {
        session: Option<Value>,
        identifier: Option<Value>,
        iat: Option<Value>,
    }

    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let json = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let payload: Payload = serde_json::from_slice(&json).ok()?;
    Some(Claims {
        session: payload.session.and_then(text),
        identifier: payload.identifier.and_then(text),
        issued_at: payload.iat.and_then(|iat| iat.as_i64()),
    })
}

/// A claim as text; one that C could not hold whole counts as absent.
fn text(claim: Value) -> Option<String> {
    let text = match claim {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.contains('\0')).then_some(text)
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
    fn a_claim_of_another_type_is_absent_not_an_error() {
        let claims = read(&token(
            r#"{"session":{},"identifier":"a\u0000b","iat":"x"}"#,
        ));
        assert_eq!(claims, Claims::default());
        let claims = read(&token(r#"{"session":null,"identifier":12}"#));
        assert_eq!(claims.identifier.as_deref(), Some("12"));
    }
}
