//! The checks of a token by the service.

use crate::quota::Quota;
use crate::refusal::Refusal;
use crate::request::Head;
use crate::state::State;
use crate::token::{Claims, from_authorization};

/// Checks that a token is signed, and counts a use of its session. The session need not exist.
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

/// Checks that the session exists and is not used.
pub fn session(state: &State, claims: &Claims) -> Result<(), Refusal> {
    match state.sessions.is_active(&claims.session) {
        true => Ok(()),
        false => Err(Refusal::NotActive),
    }
}

/// Checks the same, and takes one from its quota.
pub fn quota(state: &State, claims: &Claims, quota: Quota) -> Result<(), Refusal> {
    let spent = state.sessions.spend(&claims.session, quota);
    match spent {
        None => Err(Refusal::NotActive),
        Some(spent) if spent >= quota.limit(&state.options) => Err(quota.refusal()),
        Some(_) => Ok(()),
    }
}
