//! The judgement of one fact.

use std::fmt;

use crate::check::seen::Seen;

/// A fact: one thing that the library expects of the service.
#[derive(Debug)]
pub struct Fact {
    pub name: &'static str,
    /// The expected behaviour of the service.
    pub expected: &'static str,
    /// The effect of another behaviour for a user, and what to do.
    pub otherwise: &'static str,
    pub judge: fn(&Seen) -> Judged,
}

/// The result of a judgement. `Ok` if the fact holds.
pub type Judged = Result<(), Doubt>;

/// Why a fact may not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The service behaves differently. The text describes the behaviour.
    Deviates(String),
    /// The fact cannot be judged. The text says why.
    Unknown(String),
}

pub fn deviates<T>(seen: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::Deviates(seen.into()))
}

pub fn unknown<T>(reason: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::Unknown(reason.into()))
}

/// A fact and its judgement.
#[derive(Debug)]
pub struct Finding {
    pub fact: &'static Fact,
    pub judged: Judged,
}

/// Writes one line of the report.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fact {
            name,
            expected,
            otherwise,
            ..
        } = self.fact;
        match &self.judged {
            Ok(()) => write!(f, "ok - {name}: {expected}"),
            Err(Doubt::Deviates(seen)) => {
                write!(
                    f,
                    "deviates - {name}: {expected}; seen: {seen}. {otherwise}"
                )
            }
            Err(Doubt::Unknown(reason)) => {
                write!(f, "unknown - {name}: {expected}; not judged: {reason}")
            }
        }
    }
}
