//! Who may pass: what the service asks of a token.

use crate::quota::Quota;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::state::State;
use crate::token::{Claims, from_authorization};

/// Asks for a token that is signed, and counts a use of its session. Whether
/// there is such a session does not matter here.
pub fn token(state: &State, head: &Head) -> Result<Claims, Refusal> {
    let authorization = head.header("authorization").unwrap_or_default();
    let claims = from_authorization(authorization)
        .and_then(|token| state.signer.verify(token))
        .ok_or(Refusal::Protected)?;
    let uses = state.sessions.count_use(&claims.session);
    if uses.is_some_and(|uses| uses > state.options.use_limit) {
        return Err(Refusal::InvalidSession);
    }
    Ok(claims)
}

/// Asks for a session that is there and not used.
pub fn session(state: &State, claims: &Claims) -> Result<(), Refusal> {
    match state.sessions.is_active(&claims.session) {
        true => Ok(()),
        false => Err(Refusal::NotActive),
    }
}

/// Asks for such a session, and takes one of its quota.
pub fn quota(state: &State, claims: &Claims, quota: Quota) -> Result<(), Refusal> {
    let spent = state.sessions.spend(&claims.session, quota);
    match spent {
        None => Err(Refusal::NotActive),
        Some(spent) if spent >= quota.limit(&state.options) => Err(quota.refusal()),
        Some(_) => Ok(()),
    }
}
