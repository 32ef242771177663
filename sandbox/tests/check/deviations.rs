//! The ways in which a deployment may deviate, by fact.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zelf_sandbox::check::Step;

/// A deviation of the service, and the expected report of the check.
pub struct Deviation {
    pub fact: &'static str,
    pub faults: Vec<(Step, Value)>,
    /// The facts that deviate together with it.
    pub with_it: &'static [&'static str],
    /// The facts that cannot be judged without it.
    pub without_it: &'static [&'static str],
}

fn deviation(fact: &'static str, faults: Vec<(Step, Value)>) -> Deviation {
    Deviation {
        fact,
        faults,
        with_it: &[],
        without_it: &[],
    }
}

/// The facts that cannot be judged if no session is killed.
const NO_KILL: &[&str] = &["kill", "after-kill", "killed-token", "new-token"];

const ANOTHER_SESSION: &str = "6b046efda3a4beeef871b88c";

fn claims(claims: Value) -> Value {
    json!({"kind": "claims", "claims": claims})
}

fn data(data: Value) -> Value {
    json!({"kind": "patch", "body": {"data": data}})
}

fn header(name: &str, value: &str) -> Value {
    json!({"kind": "header", "name": name, "value": value})
}

/// Returns a fault that replaces the service's answer by a 200.
pub fn ok() -> Value {
    json!({"kind": "answer", "data": {}})
}

fn not_active() -> Value {
    json!({"kind": "answer", "status": 403, "validation_error": "Session is not active"})
}

fn session_deviations() -> Vec<Deviation> {
    use Step::{Create, CreateAgain, Use, UseKilled};
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let old = data(json!({"activatedAt": 1000, "expiresAt": 1600}));
    let later = data(json!({"activatedAt": now + 200, "expiresAt": now + 800}));
    let no_end = data(json!({"expiresAt": null}));
    vec![
        Deviation {
            without_it: &[
                "token",
                "claims",
                "identifier",
                "times",
                "fresh",
                "no-exp",
                "date",
                "iat",
                "reuse",
                "first-fields",
                "use",
                "kill",
                "after-kill",
                "killed-token",
                "new-token",
                "spoiled-token",
            ],
            ..deviation("session", vec![(Create, data(json!({"token": null})))])
        },
        deviation("small", vec![(Create, header("Content-Encoding", "gzip"))]),
        Deviation {
            with_it: &["claims"],
            without_it: &[
                "identifier",
                "no-exp",
                "date",
                "iat",
                "reuse",
                "first-fields",
                "use",
                "kill",
                "after-kill",
                "killed-token",
                "new-token",
                "spoiled-token",
            ],
            ..deviation("token", vec![(Create, data(json!({"token": "opaque"})))])
        },
        Deviation {
            without_it: &["date", "iat"],
            // The sandbox does not accept such a token.
            ..deviation(
                "claims",
                vec![
                    (Create, claims(json!({"iat": "now"}))),
                    (Use, ok()),
                    (UseKilled, not_active()),
                ],
            )
        },
        Deviation {
            without_it: &[
                "use",
                "kill",
                "after-kill",
                "killed-token",
                "new-token",
                "spoiled-token",
            ],
            ..deviation(
                "identifier",
                vec![(Create, claims(json!({"identifier": "b"})))],
            )
        },
        Deviation {
            without_it: &["fresh"],
            ..deviation(
                "times",
                vec![(Create, no_end.clone()), (CreateAgain, no_end)],
            )
        },
        Deviation {
            with_it: &["iat"],
            ..deviation("fresh", vec![(Create, old.clone()), (CreateAgain, old)])
        },
        deviation("no-exp", vec![(Create, claims(json!({"exp": now + 60})))]),
        deviation("date", vec![(Create, json!({"kind": "missing_date"}))]),
        deviation(
            "date",
            vec![(Create, json!({"kind": "clock_skew", "seconds": -3600}))],
        ),
        deviation(
            "date",
            vec![(Create, json!({"kind": "clock_skew", "seconds": 3600}))],
        ),
        deviation("iat", vec![(Create, later.clone()), (CreateAgain, later)]),
    ]
}

fn reuse_deviations() -> Vec<Deviation> {
    let other = || claims(json!({"session": ANOTHER_SESSION}));
    let refused = || json!({"kind": "answer", "status": 409, "validation_error": "no"});
    vec![
        Deviation {
            without_it: NO_KILL,
            ..deviation("reuse", vec![(Step::CreateAgain, other())])
        },
        Deviation {
            without_it: NO_KILL,
            ..deviation("reuse", vec![(Step::CreateAgain, refused())])
        },
        deviation(
            "reuse",
            vec![(Step::CreateAgain, data(json!({"expiresAt": 1})))],
        ),
        deviation(
            "first-fields",
            vec![(
                Step::CreateWithOtherDomain,
                claims(json!({"domain": "avax"})),
            )],
        ),
        deviation(
            "all-fields",
            vec![(Step::CreateWithAllFields, claims(json!({"tagName": null})))],
        ),
        Deviation {
            without_it: &["type", "tag-name"],
            ..deviation("all-fields", vec![(Step::CreateWithAllFields, refused())])
        },
        deviation("type", vec![(Step::CreateWithAllFieldsAgain, other())]),
        deviation("tag-name", vec![(Step::CreateWithTagName, other())]),
        deviation("use", vec![(Step::Use, not_active())]),
        deviation(
            "kill",
            vec![(
                Step::Kill,
                data(json!({"activatedAt": 1, "expiresAt": 601})),
            )],
        ),
        Deviation {
            without_it: &["after-kill", "killed-token", "new-token"],
            ..deviation(
                "kill",
                vec![(
                    Step::Kill,
                    json!({"kind": "answer", "status": 403, "error": "no"}),
                )],
            )
        },
        // The kill returns the session that it should have ended.
        Deviation {
            without_it: &["killed-token"],
            ..deviation(
                "kill",
                vec![
                    (Step::Create, other()),
                    (Step::CreateAgain, other()),
                    (Step::CreateWithOtherDomain, other()),
                    (Step::CreateAfterRest, other()),
                    (Step::Kill, other()),
                    (Step::CreateAfterKill, other()),
                    (Step::Use, ok()),
                    (Step::UseKilled, ok()),
                    (Step::UseNew, ok()),
                ],
            )
        },
        deviation("after-kill", vec![(Step::CreateAfterKill, other())]),
        deviation("killed-token", vec![(Step::UseKilled, ok())]),
        deviation("new-token", vec![(Step::UseNew, not_active())]),
    ]
}

fn other_deviations() -> Vec<Deviation> {
    let not_found = json!({"kind": "answer", "status": 404, "text": "Not Found"});
    let other_words = json!({"kind": "answer", "status": 403, "error": "forbidden_origin"});
    vec![
        deviation("no-origin", vec![(Step::NoOrigin, ok())]),
        deviation("no-origin", vec![(Step::NoOrigin, other_words)]),
        deviation("empty-origin", vec![(Step::EmptyOrigin, ok())]),
        deviation("broken-json", vec![(Step::BrokenJson, ok())]),
        deviation(
            "broken-json",
            vec![(Step::BrokenJson, json!({"kind": "answer", "status": 500}))],
        ),
        deviation("no-token", vec![(Step::NoToken, ok())]),
        deviation("spoiled-token", vec![(Step::SpoiledToken, ok())]),
        deviation("unknown-path", vec![(Step::UnknownPath, not_found)]),
        deviation("key", vec![(Step::Key, ok())]),
        deviation(
            "key-without-identifier",
            vec![(Step::KeyWithoutIdentifier, ok())],
        ),
        Deviation {
            without_it: &["rest"],
            ..deviation(
                "keep-alive",
                vec![
                    (Step::Create, header("Connection", "close")),
                    (Step::Create, header("Keep-Alive", "timeout=5")),
                ],
            )
        },
        deviation(
            "announced",
            vec![(Step::Create, header("Keep-Alive", "max=9"))],
        ),
        deviation(
            "rest",
            vec![(Step::KeyWithoutIdentifier, header("Connection", "close"))],
        ),
    ]
}

pub fn all() -> Vec<Deviation> {
    let mut all = session_deviations();
    all.extend(reuse_deviations());
    all.extend(other_deviations());
    all
}
