//! Facts about the returned session, and about the use of its token.

use crate::check::seen::Seen;
use crate::check::step::Step;
use crate::check::verdict::{Doubt, Fact, Judged, deviates, unknown};

pub const REUSE: &[Fact] = &[
    Fact {
        name: "reuse",
        expected: "a create with the same identifier returns the same session and its times",
        otherwise: "A later call may return a token without a session (a ghost); keep a session until it expires",
        judge: reuse,
    },
    Fact {
        name: "first-fields",
        expected: "a live session keeps the domain that it was created with",
        otherwise: "A later call can change the session of its identifier; use one identifier for each domain",
        judge: first_fields,
    },
    Fact {
        name: "all-fields",
        expected: "domain, tagName and ethAddress of a create are in the claims",
        otherwise: "Routes that read the claims may act for another owner; do not set the field that differs",
        judge: all_fields,
    },
    Fact {
        name: "type",
        expected: "a session of the type createWallet exists",
        otherwise: "Such a token has no session (a ghost); leave the type at its default",
        judge: session_type,
    },
    Fact {
        name: "tag-name",
        expected: "a create with the tag name of a live session returns that session",
        otherwise: "No effect: sessions are then distinguished by identifier only",
        judge: tag_name,
    },
    Fact {
        name: "use",
        expected: "a fresh token is accepted by a route that checks its session",
        otherwise: "Tokens cannot be used there; ask the operator of the deployment",
        judge: works,
    },
    Fact {
        name: "kill",
        expected: "killSession replaces the session by another one that has not expired",
        otherwise: "The library cannot replace an expired session; call again when the server has removed it",
        judge: kill,
    },
    Fact {
        name: "after-kill",
        expected: "a create after a kill returns the session that the kill created",
        otherwise: "The token of a replaced session may have no session (a ghost); call again",
        judge: after_kill,
    },
    Fact {
        name: "killed-token",
        expected: "the token of a killed session is refused with 403 \"Session is not active\"",
        otherwise: "A killed session may still work; do not use a kill as a log-out",
        judge: killed_token,
    },
    Fact {
        name: "new-token",
        expected: "the token of the session that the kill created is accepted",
        otherwise: "A replaced session cannot be used; ask the operator of the deployment",
        judge: new_token,
    },
];

/// Returns whether a step returned the same session as an earlier one.
fn is_same(seen: &Seen, step: Step, before: Step) -> Result<bool, Doubt> {
    seen.session(before)?;
    seen.brought(step)?;
    Ok(seen.claim(before, "session")? == seen.claim(step, "session")?)
}

fn reuse(seen: &Seen) -> Judged {
    if !is_same(seen, Step::CreateAgain, Step::Create)? {
        return deviates("another session");
    }
    let (first, again) = (
        seen.session(Step::Create)?,
        seen.session(Step::CreateAgain)?,
    );
    if (first.activated_at, first.expires_at) == (again.activated_at, again.expires_at) {
        return Ok(());
    }
    deviates("the same session with other times")
}

fn first_fields(seen: &Seen) -> Judged {
    let step = Step::CreateWithOtherDomain;
    if !is_same(seen, step, Step::Create)? {
        return deviates("another session");
    }
    if seen.claim(step, "domain")? == seen.claim(Step::Create, "domain")? {
        return Ok(());
    }
    deviates("the new domain in the claims")
}

fn all_fields(seen: &Seen) -> Judged {
    let step = Step::CreateWithAllFields;
    let sent = seen.made.all_fields();
    let session = seen.brought(step)?;
    if session.claims.is_none() {
        return unknown("the claims cannot be read");
    }
    let other: Vec<&str> = ["domain", "tagName", "ethAddress"]
        .into_iter()
        .filter(|name| session.claim(name) != sent[*name].as_str())
        .collect();
    if other.is_empty() {
        return Ok(());
    }
    deviates(format!("another {}", other.join(" and ")))
}

fn session_type(seen: &Seen) -> Judged {
    let step = Step::CreateWithAllFieldsAgain;
    if is_same(seen, step, Step::CreateWithAllFields)? {
        return Ok(());
    }
    deviates("another session id in each answer")
}

fn tag_name(seen: &Seen) -> Judged {
    if is_same(seen, Step::CreateWithTagName, Step::CreateWithAllFields)? {
        return Ok(());
    }
    deviates("another session")
}

fn works(seen: &Seen) -> Judged {
    accepted(seen, Step::Use)
}

fn new_token(seen: &Seen) -> Judged {
    accepted(seen, Step::UseNew)
}

/// Judges a use of a token. Any answer but a refusal of the token is accepted: the route may
/// require more.
fn accepted(seen: &Seen, step: Step) -> Judged {
    let answer = seen.answer(step)?;
    match answer.status {
        401 | 403 => deviates(answer.in_short()),
        404 => unknown("the deployment does not have that route"),
        500.. => unknown(format!("the answer was {}", answer.in_short())),
        _ => Ok(()),
    }
}

fn kill(seen: &Seen) -> Judged {
    if is_same(seen, Step::Kill, Step::Create)? {
        return deviates("the same session");
    }
    let killed = seen.session(Step::Kill)?;
    match (killed.expires_at, killed.server_now) {
        (Some(expires_at), Some(now)) if expires_at <= now => {
            deviates(format!("expiresAt {expires_at} when it was {now}"))
        }
        _ => Ok(()),
    }
}

fn after_kill(seen: &Seen) -> Judged {
    if is_same(seen, Step::CreateAfterKill, Step::Kill)? {
        return Ok(());
    }
    deviates("another session")
}

fn was_killed(seen: &Seen) -> Result<bool, Doubt> {
    Ok(seen.claim(Step::Kill, "session")? != seen.claim(Step::Create, "session")?)
}

fn killed_token(seen: &Seen) -> Judged {
    let answer = seen.answer(Step::UseKilled)?;
    let said = answer.words();
    match answer.status {
        403 if said.to_ascii_lowercase().contains("not active") => Ok(()),
        404 => unknown("the deployment does not have that route"),
        500.. => unknown(format!("the answer was {}", answer.in_short())),
        _ if was_killed(seen)? => deviates(answer.in_short()),
        _ => unknown("the session was not killed"),
    }
}
