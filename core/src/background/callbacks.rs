//! The callbacks that are due, and the threads that run them.

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
    /// Exists only if the host runs the callbacks.
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

    /// Returns the notifier. Creates it the first time.
    pub fn notifier(&mut self) -> Result<&mut Notifier, Error> {
        match &mut self.notifier {
            Some(notifier) => Ok(notifier),
            none => Ok(none.insert(Notifier::new()?)),
        }
    }

    /// Signals again, for a host with an edge-triggered event loop. Does not signal while another
    /// thread runs callbacks: that thread signals when it ends.
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

    /// Notes that the calling thread starts a callback.
    pub fn begins_here(&mut self) {
        self.running_on.push(this_thread());
    }

    pub fn has_ended_here(&mut self) {
        let here = this_thread();
        if let Some(this) = self.running_on.iter().rposition(|&on| on == here) {
            self.running_on.remove(this);
        }
    }

    /// Returns whether another thread runs callbacks.
    pub fn run_elsewhere(&self) -> bool {
        let here = this_thread();
        self.running_on.iter().any(|&on| on != here)
    }

    /// Returns how many nested callbacks the calling thread runs.
    pub fn running_here(&self) -> usize {
        let here = this_thread();
        self.running_on.iter().filter(|&&on| on == here).count()
    }
}
