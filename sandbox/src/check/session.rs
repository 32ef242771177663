//! The session in an answer, parsed by the check's own code and not the library's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::check::exchange::Answer;

/// `Date` and `iat` agree if they differ by up to this many seconds.
pub const SAME_CLOCK: u64 = 60;

/// How long after its end the server may still return a session, in seconds.
const REMOVED_WITHIN: i64 = 90;

/// A session in an answer. Values that cannot be read are `None`.
#[derive(Clone, Debug)]
pub struct Session {
    pub token: String,
    pub claims: Option<Value>,
    pub activated_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// The earliest possible time of the server's clock. A session has only expired when all clocks
    /// that count say so.
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
        let activated_at = data["activatedAt"].as_i64();
        let expires_at = data["expiresAt"].as_i64();
        Some(Session {
            activated_at,
            expires_at,
            server_now: server_clock([answer.date(), issued_at], activated_at, expires_at),
            claims,
            token,
        })
    }

    /// Returns a claim that is text.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.as_ref()?[name].as_str()
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.claims.as_ref()?[name].as_i64()
    }
}

/// Returns the earlier of two clocks that agree. Otherwise only clocks that fit the session's times
/// count: the server does not return a session before its start or long after its end.
fn server_clock(
    [date, issued_at]: [Option<i64>; 2],
    activated_at: Option<i64>,
    expires_at: Option<i64>,
) -> Option<i64> {
    if let (Some(date), Some(issued_at)) = (date, issued_at)
        && date.abs_diff(issued_at) <= SAME_CLOCK
    {
        return Some(date.min(issued_at));
    }
    let is_confirmed = |clock: &i64| {
        activated_at.is_none_or(|from| from.saturating_sub(60) <= *clock)
            && expires_at.is_none_or(|to| *clock <= to.saturating_add(REMOVED_WITHIN))
    };
    [date, issued_at]
        .into_iter()
        .flatten()
        .filter(is_confirmed)
        .min()
}

/// Returns the claims of a JWT. Only the server can check the signature.
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

/// Returns a token with a wrong signature.
pub fn spoiled(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    format!("{rest}.{}", "A".repeat(signature.len().max(43)))
}

#[cfg(test)]
mod tests {
    use super::server_clock;

    #[test]
    fn where_two_clocks_differ_those_count_that_the_sessions_times_confirm() {
        let clock = |date, issued_at| server_clock([date, issued_at], Some(10_000), Some(10_600));
        for (date, issued_at, expected) in [
            (Some(10_001), Some(10_000), Some(10_000)),
            (Some(90_001), Some(90_000), Some(90_000)),
            (Some(90_000), Some(10_000), Some(10_000)),
            (Some(10_000), Some(90_000), Some(10_000)),
            (Some(10_500), Some(10_000), Some(10_000)),
            (Some(10_500), None, Some(10_500)),
            (None, Some(90_000), None),
            (None, None, None),
        ] {
            assert_eq!(clock(date, issued_at), expected, "{date:?} {issued_at:?}");
        }
    }
}
