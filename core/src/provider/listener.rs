//! Tells the host of each new session.

use std::mem;

use crate::{
    host::{exit::ExitGate, fork::Owner, panics},
    session::Session,
};

pub type Sink = Box<dyn Fn(&Session) + Send + Sync>;

pub struct Listener {
    /// `None` only while it is dropped.
    sink: Option<Sink>,
    /// The process that it has spoken in.
    owner: Owner,
}

impl Listener {
    pub fn new(sink: Sink) -> Self {
        Self {
            sink: Some(sink),
            owner: Owner::default(),
        }
    }

    /// Calls the host, unless the process exits.
    pub fn tell(&self, session: &Session) {
        if let Some(_gate) = ExitGate::enter()
            && let Some(sink) = &self.sink
        {
            self.owner.claim();
            panics::outside(|| sink(session));
        }
    }
}

impl Drop for Listener {
    /// Drops the sink, which calls the host. One that has spoken in another process is
    /// that one's to free.
    fn drop(&mut self) {
        let sink = self.sink.take();
        match ExitGate::enter() {
            Some(_gate) if !self.owner.is_another() => panics::outside(|| drop(sink)),
            _ => mem::forget(sink),
        }
    }
}
