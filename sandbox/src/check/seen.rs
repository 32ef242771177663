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

    /// Gives the token of a session that the check has certainly created. None is
    /// given after an answer that shows the check somebody else's session.
    pub fn own_token(&self, step: Step) -> Result<String, String> {
        let steps = self.answers.keys();
        if let Some(foreign) = steps.copied().find(|&step| self.is_foreign(step)) {
            return Err(not_own(foreign));
        }
        match self.session_of(step) {
            Some(session) => Ok(session.token),
            None => Err(format!("{} brought no session", step.name())),
        }
    }

    /// Says whether session A may be killed. Every plain create of A so far has to
    /// have brought the session of the first one: the kill goes to the session that
    /// the server finds at that moment.
    pub fn may_kill(&self) -> Result<(), String> {
        self.own_token(Step::Create)?;
        let first = self.session_of(Step::Create);
        let first = first.as_ref().and_then(|session| session.claim("session"));
        let Some(first) = first else {
            return Err("the token of create has no claim session".into());
        };
        for step in Step::PLAIN_CREATES {
            match self.session_of(step) {
                None => return Err(format!("{} brought no session", step.name())),
                Some(session) if session.claim("session") != Some(first) => {
                    return Err(format!("{} brought another session", step.name()));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Says whether a step brought a session whose identifier the check did not send
    /// for it.
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
    format!(
        "the session of {} is not certainly the check's own",
        step.name()
    )
}
