//! The JWT: HS256, the seven claims in the service's order, no `exp`, and a secret that is new for
//! each sandbox.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::random;

/// `{"alg":"HS256","typ":"JWT"}`, the only header of the service.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claims, in the service's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    pub domain: String,
    pub eth_address: Option<String>,
    /// `None` only for a ghost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    pub ip: String,
    pub session: String,
    pub tag_name: Option<String>,
    pub iat: i64,
}

/// Signs and verifies tokens with one secret.
#[derive(Debug)]
pub struct Signer {
    key: hmac::Key,
}

impl Signer {
    pub fn new() -> io::Result<Self> {
        let secret: [u8; 32] = random::bytes()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        Ok(Signer { key })
    }

    pub fn sign(&self, claims: &Claims) -> String {
        self.sign_text(&serde_json::to_string(claims).expect("claims are plain data"))
    }

    /// Signs any claims, also those that the service never writes.
    pub fn sign_value(&self, claims: &Value) -> String {
        self.sign_text(&claims.to_string())
    }

    fn sign_text(&self, claims: &str) -> String {
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
        let tag = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Returns the claims of a token that this sandbox has signed.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if header != HEADER {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

/// Returns the token in an `Authorization` header by the service's rule: everything from the first
/// `ey`.
pub fn from_authorization(header: &str) -> Option<&str> {
    header.find("ey").map(|start| &header[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            domain: "zelf".into(),
            eth_address: None,
            identifier: Some("a".into()),
            ip: "127.0.0.1".into(),
            session: "6b046efda3a4beeef871b88c".into(),
            tag_name: None,
            iat: 1_795_452_669,
        }
    }

    #[test]
    fn claims_keep_the_order_the_service_writes_them_in() {
        assert_eq!(
            serde_json::to_string(&claims()).unwrap(),
            r#"{"domain":"zelf","ethAddress":null,"identifier":"a","ip":"127.0.0.1","session":"6b046efda3a4beeef871b88c","tagName":null,"iat":1795452669}"#
        );
    }

    #[test]
    fn a_signed_token_verifies_and_a_changed_one_does_not() {
        let signer = Signer::new().unwrap();
        let token = signer.sign(&claims());
        assert_eq!(signer.verify(&token), Some(claims()));
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let zeroed = format!("{rest}.{}", "A".repeat(signature.len()));
        assert_eq!(signer.verify(&zeroed), None);
        assert_eq!(signer.verify(&format!("{token}, more")), None);
        assert_eq!(signer.verify("ey"), None);
    }

    #[test]
    fn a_token_of_another_run_does_not_verify() {
        let token = Signer::new().unwrap().sign(&claims());
        assert_eq!(Signer::new().unwrap().verify(&token), None);
    }

    #[test]
    fn the_token_is_everything_from_the_first_ey() {
        assert_eq!(from_authorization("Bearer eyJ.a.b"), Some("eyJ.a.b"));
        assert_eq!(from_authorization("eyJ.a.b"), Some("eyJ.a.b"));
        assert_eq!(from_authorization("They said eyJ"), Some("ey said eyJ"));
        assert_eq!(from_authorization("Bearer"), None);
    }
}
