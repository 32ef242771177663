//! Passes outcomes to the futures that wait for them.

use std::collections::HashMap;

use tokio::sync::oneshot::Sender;

use crate::{
    background::{io_thread::Reports, yields::Outcome},
    lock::Lock,
};

/// The calls in progress, each with the sender for its outcome.
#[derive(Default)]
pub struct Desk(Lock<Calls>);

#[derive(Default)]
struct Calls {
    last: u64,
    callers: HashMap<u64, Sender<Outcome>>,
}

impl Desk {
    /// Adds a call, and returns its number.
    pub fn add(&self, caller: Sender<Outcome>) -> u64 {
        let mut calls = self.0.hold();
        calls.last += 1;
        let number = calls.last;
        calls.callers.insert(number, caller);
        number
    }

    /// Removes a call. Returns whether it was running.
    pub fn remove(&self, call: u64) -> bool {
        self.0.hold().callers.remove(&call).is_some()
    }

    /// Removes all calls. Their callers get no outcome.
    pub fn clear(&self) {
        // They are dropped after the lock is released, because dropping them wakes callers.
        let callers = std::mem::take(&mut self.0.hold().callers);
        drop(callers);
    }
}

impl Reports for Desk {
    fn is_live(&self, call: u64) -> bool {
        self.0.hold().callers.contains_key(&call)
    }

    fn complete(&self, call: u64, outcome: Outcome) {
        let caller = self.0.hold().callers.remove(&call);
        if let Some(caller) = caller {
            // The caller may have dropped its future meanwhile.
            let _ = caller.send(outcome);
        }
    }
}
