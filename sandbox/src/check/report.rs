//! The report of a check.

use std::fmt;

use crate::check::verdict::{Doubt, Finding};

/// One finding for each fact, in the order of the facts.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
}

/// The result of all findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    AsExpected,
    Deviates,
    /// Nothing deviates, but not every fact could be judged.
    NotAllJudged,
}

impl Report {
    pub fn outcome(&self) -> Outcome {
        match self.numbers() {
            [_, 0, 0] => Outcome::AsExpected,
            [_, 0, _] => Outcome::NotAllJudged,
            _ => Outcome::Deviates,
        }
    }

    /// Returns the numbers of facts that hold, deviate and are unknown.
    fn numbers(&self) -> [usize; 3] {
        let mut numbers = [0; 3];
        for finding in &self.findings {
            let place = match finding.judged {
                Ok(()) => 0,
                Err(Doubt::Deviates(_)) => 1,
                Err(Doubt::Unknown(_)) => 2,
            };
            numbers[place] += 1;
        }
        numbers
    }
}

/// Writes one line for each fact, and the numbers.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let [held, deviate, unknown] = self.numbers();
        writeln!(
            f,
            "{held} as expected, {deviate} deviate, {unknown} could not be judged"
        )
    }
}
