//! Work on the I/O thread that makes requests and waits between them.

use std::{cell::Cell, future::Future, pin::Pin, rc::Rc};

use crate::{
    create::{aim::Errand, single_flight::Outcome},
    moment::Moment,
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
}

pub trait Chore: Send {
    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<Outcome>;
}
