//! Sends one request with the caller's session.

use std::rc::Rc;

use crate::{
    background::{
        chore::{Chore, GRACE, LocalFuture, Requests, Source},
        yields::{self, Yield},
    },
    moment::Moment,
    send::request::Outline,
    session::Session,
};

pub struct SendOnce {
    pub outline: Outline,
    /// `None` sends no token.
    pub session: Option<Session>,
    pub deadline: Moment,
}

impl Chore for SendOnce {
    fn deadline(&self) -> Moment {
        self.deadline.saturating_add(GRACE)
    }

    fn run(self: Box<Self>, requests: Rc<dyn Requests>) -> LocalFuture<yields::Outcome> {
        let source = Source::Given(self.session);
        let response = requests.send(self.outline, source, self.deadline);
        Box::pin(async move { response.await.map(Yield::Response) })
    }
}
