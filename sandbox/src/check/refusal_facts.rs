//! Facts about refusals, and about the key.

use crate::check::seen::Seen;
use crate::check::step::Step;
use crate::check::verdict::{Fact, Judged, deviates, unknown};

pub const REFUSALS: &[Fact] = &[
    Fact {
        name: "no-origin",
        expected: "a create without an Origin is answered 403 \"rejected\"",
        otherwise: "No effect: the library always sends one; ZELF_ERROR_REJECTED_ORIGIN may not occur",
        judge: |seen| refused(seen, Step::NoOrigin, 403, "rejected"),
    },
    Fact {
        name: "empty-origin",
        expected: "a create with an empty Origin is answered 403 \"rejected\"",
        otherwise: "No effect: the library never sends an empty one",
        judge: |seen| refused(seen, Step::EmptyOrigin, 403, "rejected"),
    },
    Fact {
        name: "broken-json",
        expected: "incomplete JSON is answered 400",
        otherwise: "No effect: the library sends complete JSON; ZELF_ERROR_BAD_REQUEST may not occur",
        judge: |seen| refused(seen, Step::BrokenJson, 400, ""),
    },
    Fact {
        name: "no-token",
        expected: "a request without a token is answered 401 \"Protected resource…\"",
        otherwise: "Use only the status to distinguish a missing token from other refusals",
        judge: |seen| refused(seen, Step::NoToken, 401, "Protected resource"),
    },
    Fact {
        name: "spoiled-token",
        expected: "a token with a wrong signature is answered 401 \"Protected resource…\"",
        otherwise: "Tell the operator if it was accepted: anybody could sign tokens",
        judge: |seen| refused(seen, Step::SpoiledToken, 401, "Protected resource"),
    },
    Fact {
        name: "unknown-path",
        expected: "a path that does not exist is answered 401 without a token",
        otherwise: "A wrong base URL may give another error than ZELF_ERROR_UNAUTHORIZED; check the URL first",
        judge: |seen| refused(seen, Step::UnknownPath, 401, ""),
    },
    Fact {
        name: "key",
        expected: "the key route returns a PGP public key without a token",
        otherwise: "The library does not need it; programs that encrypt for the service cannot",
        judge: key,
    },
    Fact {
        name: "key-without-identifier",
        expected: "the key route answers 409 \"missing identifier\" when there is none",
        otherwise: "A refused value may give another error than ZELF_ERROR_VALIDATION",
        judge: |seen| refused(seen, Step::KeyWithoutIdentifier, 409, "missing identifier"),
    },
];

/// Judges a refusal by its status and the start of its message.
fn refused(seen: &Seen, step: Step, status: u16, words: &str) -> Judged {
    let answer = seen.answer(step)?;
    if answer.status != status || !answer.words().starts_with(words) {
        return deviates(answer.in_short());
    }
    Ok(())
}

fn key(seen: &Seen) -> Judged {
    let answer = seen.answer(Step::Key)?;
    let body = answer.json().unwrap_or_default();
    match answer.status {
        200 if body["data"]
            .as_str()
            .is_some_and(|key| key.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----")) =>
        {
            Ok(())
        }
        200 => deviates("no PGP public key in data"),
        500.. => unknown(format!("the answer was {}", answer.in_short())),
        _ => deviates(answer.in_short()),
    }
}
