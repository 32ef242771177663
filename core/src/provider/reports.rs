//! What the host knows of the sessions: the last one that was reported, and whether a report runs.

use crate::session::Session;

#[derive(Default)]
pub struct Reports {
    /// The last session that was reported to the host.
    last: Option<Session>,
    /// A thread has the turn: it runs the host's callback, and looks for a newer session then.
    is_running: bool,
}

impl Reports {
    /// Returns the next session to report. The caller then has the turn. `held`: the current
    /// session. `has_turn`: whether the caller has the turn already; it ends if there is nothing to
    /// report.
    pub fn next(&mut self, held: Option<&Session>, has_turn: bool) -> Option<Session> {
        if self.is_running && !has_turn {
            return None;
        }
        let is_known =
            |held: &Session| self.last.as_ref().is_some_and(|last| last.is_same_as(held));
        let next = held.filter(|held| !is_known(held)).cloned();
        self.is_running = next.is_some();
        if next.is_some() {
            self.last.clone_from(&next);
        }
        next
    }

    /// Ends the turn of a thread that makes no further report.
    pub fn end(&mut self) {
        self.is_running = false;
    }

    /// Records a session that the parent process has reported.
    pub fn inherit(&mut self, session: Session) {
        self.last = Some(session);
    }
}
