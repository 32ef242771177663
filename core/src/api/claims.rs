//! The claims of a token. They are not verified: a client has no key for the signature.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::value::RawValue;

use crate::{
    api::{claim::Claim, instant, json},
    secret::Secret,
};

#[derive(Debug, Default, PartialEq)]
pub struct Claims<'a> {
    pub session: Option<Cow<'a, str>>,
    pub identifier: Option<Cow<'a, str>>,
    pub domain: Told<'a>,
    pub tag_name: Told<'a>,
    pub eth_address: Told<'a>,
    pub ip: Option<Cow<'a, str>>,
    /// The server's clock when it signed the token. Each answer has a new one.
    pub issued_at: Option<i64>,
}

/// The value of an option that the session was created with.
#[derive(Debug, Default, PartialEq)]
pub enum Told<'a> {
    #[default]
    NotSaid,
    /// The session was created without the option.
    Without,
    With(Cow<'a, str>),
}

impl<'a> Told<'a> {
    fn of(value: Option<&'a RawValue>) -> Self {
        match Claim::of(value) {
            Claim::Null => Told::Without,
            claim => claim.text().map_or(Told::NotSaid, Told::With),
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Told::With(text) => Some(text),
            Told::NotSaid | Told::Without => None,
        }
    }

    /// Returns whether the session was created with another value than `asked`.
    pub fn contradicts(&self, asked: Option<&str>) -> bool {
        match (self, asked) {
            (Told::With(text), Some(asked)) => text != asked,
            (Told::Without, Some(_)) => true,
            (Told::NotSaid, _) | (_, None) => false,
        }
    }
}

/// The payload of a JWT, decoded. It says what the token permits, so it is overwritten with zeros
/// when it is dropped.
#[derive(Default)]
pub struct Payload(Secret);

impl Payload {
    /// Decodes the payload of `token`. It is empty if the token is not a JWT: the server may change
    /// the format of its tokens.
    pub fn of(token: &[u8]) -> Self {
        Self::decode(token).unwrap_or_default()
    }

    fn decode(token: &[u8]) -> Option<Self> {
        let is_dot = |byte: &u8| *byte == b'.';
        let first = token.iter().position(is_dot)?;
        let last = token.iter().rposition(is_dot)?;
        // If there is a third dot between them, base64 decoding fails.
        let payload = token.get(first + 1..last)?;
        let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
        Some(Self(Secret::from(json)))
    }

    /// Returns the claims, or none if the payload is not a JSON object.
    pub fn claims(&self) -> Claims<'_> {
        let names = [
            "session",
            "identifier",
            "domain",
            "tagName",
            "ethAddress",
            "ip",
            "iat",
        ];
        let Ok(
            [
                session,
                identifier,
                domain,
                tag_name,
                eth_address,
                ip,
                issued_at,
            ],
        ) = json::fields(&self.0, names)
        else {
            return Claims::default();
        };
        Claims {
            session: Claim::of(session).text(),
            identifier: Claim::of(identifier).text(),
            domain: Told::of(domain),
            tag_name: Told::of(tag_name),
            eth_address: Told::of(eth_address),
            ip: Claim::of(ip).text(),
            issued_at: instant::unix_seconds(&Claim::of(issued_at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJ.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn claims_are_read_from_a_jwt() {
        let payload = Payload::of(
            token(r#"{"session":"abc","identifier":"d","iat":1800000000,"new":[]}"#).as_bytes(),
        );
        let claims = payload.claims();
        assert_eq!(claims.session.as_deref(), Some("abc"));
        assert_eq!(claims.identifier.as_deref(), Some("d"));
        assert_eq!(claims.issued_at, Some(1_800_000_000));
    }

    #[test]
    fn an_option_contradicts_only_where_the_token_says_another() {
        let payload =
            Payload::of(token(r#"{"domain":"zelf","tagName":null,"ethAddress":{}}"#).as_bytes());
        let claims = payload.claims();
        assert!(claims.domain.contradicts(Some("avax")));
        assert!(!claims.domain.contradicts(Some("zelf")));
        assert!(!claims.domain.contradicts(None));
        assert!(claims.tag_name.contradicts(Some("alice.zelf")));
        assert!(!claims.tag_name.contradicts(None));
        assert!(!claims.eth_address.contradicts(Some("0xabc")));
        assert_eq!(claims.domain.text(), Some("zelf"));
        assert_eq!(claims.tag_name.text(), None);
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
            assert_eq!(
                Payload::of(odd.as_bytes()).claims(),
                Claims::default(),
                "{odd}"
            );
        }
    }

    #[test]
    fn an_identifier_is_read_however_json_writes_it() {
        for (json, identifier) in [
            (r#"{"identifier":"a\"b","x":1}"#, Some("a\"b")),
            (r#"{"x":1, "identifier" : "a"}"#, Some("a")),
            (r#"{"identifier":"\u0061"}"#, Some("a")),
            (r#"{"identifier":12}"#, Some("12")),
            (
                r#"{"identifier":"\"identifier\":\"a\""}"#,
                Some("\"identifier\":\"a\""),
            ),
            (r#"{"x":{"identifier":"a"},"identifier":"b"}"#, Some("b")),
            (r#"{"identifier":"a","identifier":"b"}"#, Some("b")),
            (r#"{"identifier":"a","iat":1e999}"#, Some("a")),
            (r#"{"identifier":"\ud800"}"#, None),
            (r#"{"x":"identifier"}"#, None),
        ] {
            let payload = Payload::of(token(json).as_bytes());
            assert_eq!(payload.claims().identifier.as_deref(), identifier, "{json}");
        }
    }

    #[test]
    fn a_claim_of_another_type_is_absent_and_no_error() {
        let odd = token(r#"{"session":{},"identifier":"a\u0000b","iat":"x"}"#);
        assert_eq!(Payload::of(odd.as_bytes()).claims(), Claims::default());
        let odd = token(r#"{"session":null,"identifier":12}"#);
        assert_eq!(
            Payload::of(odd.as_bytes()).claims().identifier.as_deref(),
            Some("12")
        );
    }
}
