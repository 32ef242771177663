//! The session in an answer, as the check reads it: with its own code and not
//! the library's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::check::exchange::Answer;

/// How far `Date` and `iat` may be apart before the library prefers `iat`.
pub const SAME_CLOCK: u64 = 60;

/// A session as an answer tells it. What cannot be read is `None`.
#[derive(Clone, Debug)]
pub struct Session {
    pub token: String,
    pub claims: Option<Value>,
    pub activated_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// The server's clock, by the library's rule.
    pub server_now: Option<i64>,
}

impl Session {
    /// Reads `{"data":{"token",…}}` of a 200.
    pub fn of(answer: &Answer) -> Option<Self> {
        if answer.status != 200 {
            return None;
        }
        let body = answer.json()?;
        let data = &body["data"];
        let token = data["token"].as_str()?.to_owned();
        let claims = claims(&token);
        let issued_at = claims.as_ref().and_then(|claims| claims["iat"].as_i64());
        Some(Session {
            activated_at: data["activatedAt"].as_i64(),
            expires_at: data["expiresAt"].as_i64(),
            server_now: server_clock(answer.date(), issued_at),
            claims,
            token,
        })
    }

    /// A claim that is text.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.as_ref()?[name].as_str()
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.claims.as_ref()?[name].as_i64()
    }
}

/// Of two times that agree the later one. Otherwise `iat`: the `Date` may be that
/// of a proxy.
fn server_clock(date: Option<i64>, issued_at: Option<i64>) -> Option<i64> {
    match (date, issued_at) {
        (Some(date), Some(issued_at)) if date.abs_diff(issued_at) > SAME_CLOCK => Some(issued_at),
        (date, issued_at) => date.max(issued_at),
    }
}

/// Reads the claims of a JWT. The signature is the server's to check.
pub fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    matches!(claims, Value::Object(_)).then_some(claims)
}

/// Spoils the signature of a token.
pub fn spoiled(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    format!("{rest}.{}", "A".repeat(signature.len().max(43)))
}
