//! The answers of a check so far.

use std::collections::BTreeMap;

use crate::check::exchange::{Answer, NoAnswer};
use crate::check::made::Made;
use crate::check::session::Session;
use crate::check::step::Step;
use crate::check::verdict::{Doubt, deviates, unknown};

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

    /// Returns the result of a step, if it was made.
    pub fn outcome(&self, step: Step) -> Option<&Result<Answer, NoAnswer>> {
        self.answers.get(&step)
    }

    /// Returns the answer to judge. An outage says nothing about the API.
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

    /// Returns the session to judge. Without one, the fact is unknown: the fact `session` reports
    /// the reason.
    pub fn session(&self, step: Step) -> Result<Session, Doubt> {
        let answer = self.answer(step)?;
        match Session::of(answer) {
            Some(session) => Ok(session),
            None => unknown(format!(
                "{} returned no session: {}",
                step.name(),
                answer.in_short()
            )),
        }
    }

    /// Returns the session that a step must return. Any other answer except an outage is a
    /// deviation of the fact of this step.
    pub fn brought(&self, step: Step) -> Result<Session, Doubt> {
        let answer = self.answer(step)?;
        match Session::of(answer) {
            None if answer.status < 500 => {
                deviates(format!("no session, but {}", answer.in_short()))
            }
            _ => self.session(step),
        }
    }

    /// Returns a text claim of a session.
    pub fn claim(&self, step: Step, name: &str) -> Result<String, Doubt> {
        match self.session(step)?.claim(name) {
            Some(claim) => Ok(claim.to_owned()),
            None => unknown(format!("the token of {} has no claim {name}", step.name())),
        }
    }

    /// Returns the token of a session that the check has certainly created. After an answer with
    /// somebody else's session, it returns none.
    pub fn own_token(&self, step: Step) -> Result<String, String> {
        let steps = self.answers.keys();
        if let Some(foreign) = steps.copied().find(|&step| self.is_foreign(step)) {
            return Err(not_own(foreign));
        }
        match self.session_of(step) {
            Some(session) => Ok(session.token),
            None => Err(format!("{} returned no session", step.name())),
        }
    }

    /// Checks that session A may be killed. All plain creates of A must have returned the session
    /// of the first one: a kill ends the session that the server finds.
    pub fn may_kill(&self) -> Result<(), String> {
        self.own_token(Step::Create)?;
        let first = self.session_of(Step::Create);
        let first = first.as_ref().and_then(|session| session.claim("session"));
        let Some(first) = first else {
            return Err("the token of create has no claim session".into());
        };
        for step in Step::PLAIN_CREATES {
            match self.session_of(step) {
                None => return Err(format!("{} returned no session", step.name())),
                Some(session) if session.claim("session") != Some(first) => {
                    return Err(format!("{} returned another session", step.name()));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Returns whether a step returned a session of an identifier that it did not send.
    fn is_foreign(&self, step: Step) -> bool {
        let session = self.session_of(step);
        session.is_some_and(|session| !step.is_own(&session, &self.made))
    }

    fn session_of(&self, step: Step) -> Option<Session> {
        let answer = self.outcome(step)?.as_ref().ok()?;
        Session::of(answer)
    }
}

fn not_own(step: Step) -> String {
    format!("the session of {} may belong to somebody else", step.name())
}
