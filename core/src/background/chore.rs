//! Work on the I/O thread that makes requests and waits between them.

use std::{cell::Cell, future::Future, pin::Pin, rc::Rc};

use crate::{
    background::yields,
    create::{aim::Errand, single_flight::Outcome},
    error::Error,
    moment::Moment,
    send::{request::Outline, response::Response},
    session::Session,
};

pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Makes requests over the connections of the I/O thread.
pub trait Requests {
    /// Creates a session. `is_killing` is true while the outcome of a kill is open.
    fn create(
        &self,
        errand: Errand,
        deadline: Moment,
        is_killing: Rc<Cell<bool>>,
    ) -> LocalFuture<Outcome>;

    /// Sends a request until it has its response.
    fn send(
        &self,
        outline: Outline,
        sessions: Rc<dyn Sessions>,
        deadline: Moment,
    ) -> LocalFuture<Result<Response, Error>>;
}

/// A provider, as a request sees it.
pub trait Sessions {
    /// Returns the session that is at hand.
    fn warm(&self) -> Option<Session>;

    fn get(&self) -> LocalFuture<Outcome>;

    /// Is told that a route has refused a session. Without `may_kill` it came in place of a
    /// refused one.
    fn refuse(&self, session: &Session, may_kill: bool);
}

pub trait Chore: Send {
    /// Returns when it has to end.
    fn deadline(&self) -> Moment;

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome>;
}
