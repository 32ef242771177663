//! What a check says about one fact.

use std::fmt;

use crate::check::seen::Seen;

/// One thing that the library expects of the service.
#[derive(Debug)]
pub struct Fact {
    pub name: &'static str,
    /// What the service does, as the library expects it.
    pub expected: &'static str,
    /// What follows for a user when it does otherwise, and what to do.
    pub otherwise: &'static str,
    pub judge: fn(&Seen) -> Judged,
}

/// The outcome of a judgement. `Ok`: the fact holds.
pub type Judged = Result<(), Doubt>;

/// Why a fact does not certainly hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The service does otherwise. The text says what was seen.
    Deviates(String),
    /// There is nothing to judge by. The text says why.
    Unknown(String),
}

pub fn deviates<T>(seen: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::Deviates(seen.into()))
}

pub fn unknown<T>(reason: impl Into<String>) -> Result<T, Doubt> {
    Err(Doubt::Unknown(reason.into()))
}

/// A fact and what came of it.
#[derive(Debug)]
pub struct Finding {
    pub fact: &'static Fact,
    pub judged: Judged,
}

/// One line of the report.
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
