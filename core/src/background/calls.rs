//! The calls under way.

use std::collections::BTreeMap;

use crate::{background::yields::Outcome, error::Error};

/// Hands the outcome to the host. It runs once, or is dropped with nothing done.
pub type Finish = Box<dyn FnOnce(Outcome) + Send>;

/// What the host is to be told.
pub struct Due {
    pub finish: Finish,
    pub outcome: Outcome,
}

/// A call is complete when it is taken out of `live`: by the I/O thread with an
/// outcome, or by a cancellation, whichever is first.
#[derive(Default)]
pub struct Calls {
    last: u64,
    live: BTreeMap<u64, Finish>,
    /// Calls that have an object and are not yet submitted.
    beginning: usize,
    /// Calls whose callback has not returned.
    unfinished: usize,
}

impl Calls {
    /// Returns the number of a call that will be submitted.
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

    pub fn is_live(&self, call: u64) -> bool {
        self.live.contains_key(&call)
    }

    /// Takes a call out with its outcome, unless it has ended.
    pub fn complete(&mut self, call: u64, outcome: Outcome) -> Option<Due> {
        let finish = self.live.remove(&call)?;
        Some(Due { finish, outcome })
    }

    /// Takes out every call under way.
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
