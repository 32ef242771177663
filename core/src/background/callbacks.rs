//! The callbacks that are due, and the threads that run some.

use std::collections::VecDeque;

use crate::{
    background::{calls::Due, notifier::Notifier},
    error::Error,
    host::threads::this_thread,
};

#[derive(Default)]
pub struct Callbacks {
    due: VecDeque<Due>,
    /// The threads that run callbacks now, once for each callback.
    running_on: Vec<usize>,
    /// Only where the host runs the callbacks.
    notifier: Option<Notifier>,
}

impl Callbacks {
    pub fn push(&mut self, due: Due) {
        self.due.push_back(due);
        if let Some(notifier) = &mut self.notifier {
            notifier.signal();
        }
    }

    pub fn pop(&mut self) -> Option<Due> {
        let due = self.due.pop_front();
        if self.due.is_empty()
            && let Some(notifier) = &mut self.notifier
        {
            notifier.clear();
        }
        due
    }

    pub fn count(&self) -> usize {
        self.due.len()
    }

    /// Makes the notifier, unless there is one.
    pub fn notifier(&mut self) -> Result<&mut Notifier, Error> {
        match &mut self.notifier {
            Some(notifier) => Ok(notifier),
            none => Ok(none.insert(Notifier::new()?)),
        }
    }

    /// Signals anew, for a host that is told of changes only. While another thread
    /// runs callbacks it does not: that thread signals when it goes.
    pub fn signal_again(&mut self) {
        let others = self.run_elsewhere();
        if let Some(notifier) = &mut self.notifier
            && !self.due.is_empty()
        {
            notifier.clear();
            if !others {
                notifier.signal();
            }
        }
    }

    /// Notes that the calling thread runs a callback.
    pub fn begins_here(&mut self) {
        self.running_on.push(this_thread());
    }

    pub fn has_ended_here(&mut self) {
        let here = this_thread();
        if let Some(this) = self.running_on.iter().rposition(|&on| on == here) {
            self.running_on.remove(this);
        }
    }

    /// Whether a thread other than the calling one runs callbacks.
    pub fn run_elsewhere(&self) -> bool {
        let here = this_thread();
        self.running_on.iter().any(|&on| on != here)
    }

    /// Returns how many callbacks the calling thread is inside.
    pub fn running_here(&self) -> usize {
        let here = this_thread();
        self.running_on.iter().filter(|&&on| on == here).count()
    }
}
