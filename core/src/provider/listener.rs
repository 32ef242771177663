//! Reports each new session to the host.

use std::mem;

use crate::{
    host::{exit::ExitGate, fork::Owner, panics},
    session::Session,
};

pub type Sink = Box<dyn Fn(&Session) + Send + Sync>;

pub struct Listener {
    /// `None` only while it is dropped.
    sink: Option<Sink>,
    /// The process that created the listener. Only this process frees the host's data.
    owner: Owner,
}

impl Listener {
    pub fn new(sink: Sink) -> Self {
        Self {
            sink: Some(sink),
            owner: Owner::this_process(),
        }
    }

    /// Calls the host, unless the process is exiting.
    pub fn tell(&self, session: &Session) {
        if let Some(_gate) = ExitGate::enter()
            && let Some(sink) = &self.sink
        {
            panics::outside(|| sink(session));
        }
    }
}

impl Drop for Listener {
    /// Drops the sink, which calls the host. A forked child only has a copy of the host's data, and
    /// its parent frees the data.
    fn drop(&mut self) {
        let sink = self.sink.take();
        match ExitGate::enter() {
            Some(_gate) if !self.owner.is_another() => panics::outside(|| drop(sink)),
            _ => mem::forget(sink),
        }
    }
}
