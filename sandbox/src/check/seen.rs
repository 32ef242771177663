//! What the exchanges of a check have brought so far.

use std::collections::BTreeMap;

use crate::check::exchange::{Answer, NoAnswer};
use crate::check::made::Made;
use crate::check::session::Session;
use crate::check::step::Step;
use crate::check::verdict::{Doubt, deviates, unknown};

/// The answers, by step.
#[derive(Debug)]
pub struct Seen {
    pub made: Made,
    answers: BTreeMap<Step, Result<Answer, NoAnswer>>,
}

impl Seen {
    pub fn new(made: Made) -> Self {
        Seen {
            made,
            answers: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, step: Step, answer: Result<Answer, NoAnswer>) {
        self.answers.insert(step, answer);
    }

    /// Gives what came of a step, if it was made.
    pub fn outcome(&self, step: Step) -> Option<&Result<Answer, NoAnswer>> {
        self.answers.get(&step)
    }

    /// Gives the answer to judge by. An outage says nothing about the API.
    pub fn answer(&self, step: Step) -> Result<&Answer, Doubt> {
        match self.answers.get(&step) {
            None => unknown("no request was sent"),
            Some(Err(reason)) => unknown(reason.reason()),
            Some(Ok(answer)) if answer.is_outage() => {
                unknown(format!("the answer was {}", answer.in_short()))
            }
            Some(Ok(answer)) => Ok(answer),
        }
    }

    /// Gives the session to judge by. Without one there is nothing to judge: the
    /// fact `session` reports that.
    pub fn session(&self, step: Step) -> Result<Session, Doubt> {
        let answer = self.answer(step)?;
        match Session::of(answer) {
            Some(session) => Ok(session),
            None => unknown(format!(
                "{} brought no session: {}",
                step.name(),
                answer.in_short()
            )),
        }
    }

    /// Gives the session that a step has to bring. Another answer than an outage is
    /// a deviation of the fact that this step is for.
    pub fn brought(&self, step: Step) -> Result<Session, Doubt> {
        let answer = self.answer(step)?;
        match Session::of(answer) {
            None if answer.status < 500 => {
                deviates(format!("no session, but {}", answer.in_short()))
            }
            _ => self.session(step),
        }
    }

    /// Gives a claim of a session that is text.
    pub fn claim(&self, step: Step, name: &str) -> Result<String, Doubt> {
        match self.session(step)?.claim(name) {
            Some(claim) => Ok(claim.to_owned()),
            None => unknown(format!("the token of {} has no claim {name}", step.name())),
        }
    }

    /// Gives the token of a session that the check has certainly created.
    pub fn own_token(&self, step: Step) -> Result<String, String> {
        let answer = self.outcome(step).and_then(|outcome| outcome.as_ref().ok());
        let Some(session) = answer.and_then(Session::of) else {
            return Err(format!("{} brought no session", step.name()));
        };
        if session.claim("identifier") != Some(&self.made.a) {
            return Err(format!(
                "the session of {} is not certainly the check's own",
                step.name()
            ));
        }
        Ok(session.token)
    }
}
