//! The calls in progress.

use std::collections::BTreeMap;

use crate::{background::yields::Outcome, error::Error};

/// Passes the outcome to the host's callback. It runs once, or is dropped without an effect.
pub type Finish = Box<dyn FnOnce(Outcome) + Send>;

/// A callback that is due.
pub struct Due {
    pub finish: Finish,
    pub outcome: Outcome,
}

/// The calls of a client. A call ends when it is removed from `live`: by the I/O thread with an
/// outcome or by a cancellation. Only one of them can remove it.
#[derive(Default)]
pub struct Calls {
    last: u64,
    live: BTreeMap<u64, Finish>,
    /// Calls with a number that are not submitted yet.
    beginning: usize,
    /// Calls whose callback has not returned.
    unfinished: usize,
}

impl Calls {
    /// Returns the number of a new call, which will be submitted or abandoned.
    pub fn begin(&mut self) -> u64 {
        self.last += 1;
        self.beginning += 1;
        self.unfinished += 1;
        self.last
    }

    pub fn start(&mut self, call: u64, finish: Finish) {
        self.beginning -= 1;
        self.live.insert(call, finish);
    }

    /// Ends a call that will not be submitted.
    pub fn abandon(&mut self) {
        self.beginning -= 1;
        self.unfinished -= 1;
    }

    pub fn is_live(&self, call: u64) -> bool {
        self.live.contains_key(&call)
    }

    /// Removes a call and returns its callback, unless it has ended.
    pub fn complete(&mut self, call: u64, outcome: Outcome) -> Option<Due> {
        let finish = self.live.remove(&call)?;
        Some(Due { finish, outcome })
    }

    /// Removes all calls in progress.
    pub fn complete_all(&mut self, why: impl Fn() -> Error) -> impl Iterator<Item = Due> {
        std::mem::take(&mut self.live)
            .into_values()
            .map(move |finish| Due {
                finish,
                outcome: Err(why()),
            })
    }

    pub fn callback_has_returned(&mut self) {
        self.unfinished -= 1;
    }

    pub fn beginning(&self) -> usize {
        self.beginning
    }

    pub fn unfinished(&self) -> usize {
        self.unfinished
    }
}
