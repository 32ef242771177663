//! All facts, in the order of the report.

use crate::check::connection_facts::CONNECTION;
use crate::check::refusal_facts::REFUSALS;
use crate::check::reuse_facts::REUSE;
use crate::check::seen::Seen;
use crate::check::session_facts::SESSION;
use crate::check::verdict::{Doubt, Fact, Finding, unknown};

pub fn all() -> impl Iterator<Item = &'static Fact> {
    SESSION
        .iter()
        .chain(REUSE)
        .chain(REFUSALS)
        .chain(CONNECTION)
}

pub fn judge(seen: &Seen) -> Vec<Finding> {
    let out_of_service = out_of_service(seen);
    all()
        .map(|fact| Finding {
            fact,
            judged: match out_of_service {
                Some(_) if fact.name != SESSION[0].name => {
                    unknown("for the same reason as session")
                }
                _ => (fact.judge)(seen),
            },
        })
        .collect()
}

/// Returns why the service cannot be judged at all, if so. Then every other answer would be
/// reported as a deviation.
pub fn out_of_service(seen: &Seen) -> Option<String> {
    match (SESSION[0].judge)(seen) {
        Err(Doubt::Unknown(reason)) => Some(reason),
        _ => None,
    }
}
