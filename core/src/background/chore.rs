//! Work on the I/O thread with several requests and waits between them.

use std::{cell::Cell, future::Future, pin::Pin, rc::Rc, time::Duration};

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
    /// Creates a session. `is_killing` is true while the server may be carrying out a kill.
    fn create(
        &self,
        errand: Errand,
        deadline: Moment,
        is_killing: Rc<Cell<bool>>,
    ) -> LocalFuture<Outcome>;

    /// Sends a request and returns its response.
    fn send(
        &self,
        outline: Outline,
        source: Source,
        deadline: Moment,
    ) -> LocalFuture<Result<Response, Error>>;
}

/// The session that a request is sent with.
pub enum Source {
    /// The caller's, or none. It is not renewed.
    Given(Option<Session>),
    Provider(Rc<dyn Sessions>),
}

/// A provider, as a request sees it.
pub trait Sessions {
    /// Returns the session that the provider has, if it needs no check.
    fn warm(&self) -> Option<Session>;

    fn get(&self) -> LocalFuture<Outcome>;

    /// Marks a session as refused by a route. `may_kill` is false if the session was received after
    /// a refused one.
    fn refuse(&self, session: &Session, may_kill: bool);
}

/// A chore ends at its deadline, and reports what it has waited for. If it does not end, the thread
/// ends it after this time.
pub const GRACE: Duration = Duration::from_millis(100);

pub trait Chore: Send {
    /// Returns the time by which the chore has to end.
    fn deadline(&self) -> Moment;

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome>;
}
