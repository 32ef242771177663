//! Facts about the answer to a first create.

use crate::check::exchange::Answer;
use crate::check::seen::Seen;
use crate::check::session::{SAME_CLOCK, Session};
use crate::check::step::Step;
use crate::check::verdict::{Fact, Judged, deviates, unknown};

/// The longest body that the library reads.
const BODY_LIMIT: usize = 64 * 1024;
const LIFETIME: i64 = 600;
/// A session with less time left counts as expired for the library.
const LEAST_LEFT: i64 = 2;

pub const SESSION: &[Fact] = &[
    Fact {
        name: "session",
        expected: "a create is answered 200 with a token in data.token",
        otherwise: "No program gets a session; check the base URL, then look for a newer libzelf",
        judge: session,
    },
    Fact {
        name: "small",
        expected: "the answer is not compressed and at most 64 KiB long",
        otherwise: "The library cannot read the answer; ask the operator to compress answers only on request",
        judge: small,
    },
    Fact {
        name: "token",
        expected: "the token starts with ey and can be sent in a header",
        otherwise: "Routes do not accept such a token in Authorization; look for a newer libzelf",
        judge: token,
    },
    Fact {
        name: "claims",
        expected: "the token is a JWT with the claims session, identifier and iat",
        otherwise: "The library does not know the session's identifier, or its start; look for a newer libzelf",
        judge: claims,
    },
    Fact {
        name: "identifier",
        expected: "the session has the identifier of the request",
        otherwise: "Calls fail with ZELF_ERROR_FOREIGN_SESSION; ask the operator of the deployment",
        judge: identifier,
    },
    Fact {
        name: "times",
        expected: "activatedAt and expiresAt are Unix seconds, 600 apart",
        otherwise: "No effect: the library also reads milliseconds, text and RFC 3339, and assumes 600 s if a time is missing",
        judge: times,
    },
    Fact {
        name: "fresh",
        expected: "a new session has not expired by the server's own clock",
        otherwise: "The library only replaces a session if Date and iat agree that it has expired, else calls may fail with ZELF_ERROR_SESSION_EXPIRED; ask the operator",
        judge: fresh,
    },
    Fact {
        name: "no-exp",
        expected: "the token has no claim exp, so only expiresAt limits it",
        otherwise: "The library does not read exp; renew the session before the earlier of the two times",
        judge: no_exp,
    },
    Fact {
        name: "date",
        expected: "the Date of the answer and the token's iat are within 60 s",
        otherwise: "No effect: the library then uses the clock that fits the session's times; the clock of a proxy may be wrong",
        judge: date,
    },
    Fact {
        name: "iat",
        expected: "a new session's activatedAt and the token's iat are within 60 s",
        otherwise: "The remaining time is wrong by the difference; ask the operator to set the clocks",
        judge: iat,
    },
];

fn session(seen: &Seen) -> Judged {
    let answer = seen.answer(Step::Create)?;
    let said = answer.in_short();
    match answer.status {
        500.. => unknown(format!("the answer was {said}; try again later")),
        404 if answer.words() == "Not Found" => unknown(format!(
            "the answer was {said}: the server is starting, or the base URL is wrong"
        )),
        200 if Session::of(answer).is_none() => deviates(shape(answer)),
        200 => Ok(()),
        _ => deviates(said),
    }
}

/// Returns why a 200 contains no session.
fn shape(answer: &Answer) -> &'static str {
    match answer.json() {
        None if answer.body.is_empty() => "an empty body",
        None => "a body that is not JSON",
        Some(_) => "JSON without text in data.token",
    }
}

fn small(seen: &Seen) -> Judged {
    let answer = seen.answer(Step::Create)?;
    if let Some(coding) = answer.header("content-encoding")
        && !coding.trim().eq_ignore_ascii_case("identity")
    {
        return deviates("a Content-Encoding that was not requested");
    }
    if answer.is_cut || answer.body.len() > BODY_LIMIT {
        return deviates("a body of more than 64 KiB");
    }
    Ok(())
}

fn token(seen: &Seen) -> Judged {
    let token = seen.session(Step::Create)?.token;
    if !token.starts_with("ey") {
        return deviates("a token that starts with something else");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return deviates("a token with other characters than visible ASCII");
    }
    Ok(())
}

fn claims(seen: &Seen) -> Judged {
    let session = seen.session(Step::Create)?;
    if session.claims.is_none() {
        return deviates("a token whose claims cannot be read");
    }
    let missing: Vec<&str> = ["session", "identifier"]
        .into_iter()
        .filter(|name| session.claim(name).is_none())
        .chain(session.number("iat").is_none().then_some("iat"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    deviates(format!("no usable {}", missing.join(" and ")))
}

fn identifier(seen: &Seen) -> Judged {
    if seen.claim(Step::Create, "identifier")? == seen.made.a {
        return Ok(());
    }
    deviates("another identifier")
}

fn times(seen: &Seen) -> Judged {
    let session = seen.session(Step::Create)?;
    match (session.activated_at, session.expires_at) {
        (Some(from), Some(to)) if to.checked_sub(from) == Some(LIFETIME) => Ok(()),
        (Some(from), Some(to)) => deviates(format!("{from} and {to}")),
        (Some(_), None) => deviates("no expiresAt that is a number"),
        (None, Some(_)) => deviates("no activatedAt that is a number"),
        (None, None) => deviates("no times that are numbers"),
    }
}

fn fresh(seen: &Seen) -> Judged {
    let session = seen.session(Step::Create)?;
    let (Some(expires_at), Some(now)) = (session.expires_at, session.server_now) else {
        return unknown(
            "the answer has no expiresAt that is a number, or no clock that fits its times",
        );
    };
    if expires_at.saturating_sub(now) >= LEAST_LEFT {
        return Ok(());
    }
    deviates(format!("expiresAt {expires_at} when it was {now}"))
}

fn no_exp(seen: &Seen) -> Judged {
    match seen.session(Step::Create)?.claims {
        None => unknown("the claims cannot be read"),
        Some(claims) if claims["exp"].is_null() => Ok(()),
        Some(_) => deviates("a claim exp"),
    }
}

fn date(seen: &Seen) -> Judged {
    let Some(issued_at) = seen.session(Step::Create)?.number("iat") else {
        return unknown("the token has no iat");
    };
    match seen.answer(Step::Create)?.date() {
        None => deviates("no Date"),
        Some(date) => close(date, issued_at),
    }
}

fn iat(seen: &Seen) -> Judged {
    let session = seen.session(Step::Create)?;
    let (Some(from), Some(issued_at)) = (session.activated_at, session.number("iat")) else {
        return unknown("the answer has no activatedAt or no iat");
    };
    close(from, issued_at)
}

fn close(one: i64, other: i64) -> Judged {
    if one.abs_diff(other) <= SAME_CLOCK {
        return Ok(());
    }
    deviates(format!("{one} and {other}"))
}
