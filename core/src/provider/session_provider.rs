//! Returns a valid session at any time.

use std::sync::Arc;

use crate::{
    background::order::Task,
    blocking::send::{Sessions, Source},
    client::{Asked, AsyncCall, Client, Unsent},
    create::single_flight::Outcome,
    error::Error,
    moment::Moment,
    provider::{
        by_caller,
        by_thread::{Ahead, Get, Send},
        keeping::Keeping,
        options::ProviderOptions,
    },
    send::{request::Request, response::Response},
    session::Session,
    session_options::SessionOptions,
};

pub struct Provider(Arc<Keeping>);

impl Provider {
    pub fn new(
        client: Arc<Client>,
        session: &SessionOptions,
        options: &ProviderOptions,
    ) -> Result<Self, Error> {
        let keeping = Arc::new(Keeping::new(client, session, options)?);
        if keeping.rules.is_background {
            keeping.client.keep(Box::new(Ahead::of(&keeping)))?;
        }
        Ok(Self(keeping))
    }

    /// Returns the session if a get may return it without further checks.
    pub fn warm(&self) -> Option<Arc<Session>> {
        self.0.warm()
    }

    /// Returns a valid session. Blocks while a new one is requested.
    pub fn get(&self) -> Result<Arc<Session>, Error> {
        match self.warm() {
            Some(session) => Ok(session),
            None => {
                // A callback of the host may free the provider meanwhile.
                let keeping = Arc::clone(&self.0);
                let deadline = keeping.context().deadline();
                by_caller::get(&keeping, deadline).map(Arc::new)
            }
        }
    }

    /// Prepares an asynchronous call for a session. The caller has to submit it.
    pub fn begin_get(&self) -> Result<(AsyncCall, Unsent), Error> {
        let asked = match self.warm() {
            Some(session) => Asked::Known((*session).clone()),
            None => Asked::Task(Task::Chore(Box::new(Get {
                deadline: self.0.context().deadline(),
                keeping: Arc::clone(&self.0),
            }))),
        };
        self.0.client.begin_task(asked)
    }

    /// Sends a request with the session, and renews the session if a route refuses it. Blocks until
    /// there is a response.
    pub fn send(&self, request: &Request) -> Result<Response, Error> {
        let outline = request.check()?;
        // A callback of the host may free the provider meanwhile.
        let keeping = Arc::clone(&self.0);
        let deadline = keeping.context().now().saturating_add(outline.timeout);
        let source = Source::Provider(&*keeping);
        keeping.client.send(&outline, &source, deadline)
    }

    /// Prepares an asynchronous call that sends a request. The caller has to submit it.
    pub fn begin_send(&self, request: &Request) -> Result<(AsyncCall, Unsent), Error> {
        let outline = request.check()?;
        let now = self.0.context().now();
        let task = Task::Chore(Box::new(Send {
            deadline: now.saturating_add(outline.timeout),
            outline,
            keeping: Arc::clone(&self.0),
        }));
        self.0.client.begin_task(Asked::Task(task))
    }

    /// Marks a session as refused by a route. Returns whether the provider held it.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        self.0.invalidate(rejected)
    }

    /// Marks the session as refused if this answer of a route refuses it. Returns whether it does.
    /// `body` has no content coding.
    pub fn invalidate_if_refused(&self, session: &Session, status: u16, body: &[u8]) -> bool {
        self.0.invalidate_if_refused(session, status, body)
    }

    /// Returns why the last renewal failed, with the time until the next attempt.
    pub fn last_error(&self) -> Option<Error> {
        self.0.last_error()
    }
}

impl Sessions for Keeping {
    fn warm(&self) -> Option<Session> {
        Keeping::warm(self).map(|session| (*session).clone())
    }

    fn get(&self, deadline: Moment) -> Outcome {
        match self.warm() {
            Some(session) => Ok((*session).clone()),
            None => by_caller::get(self, deadline.min(self.context().deadline())),
        }
    }

    fn refuse(&self, session: &Session, may_kill: bool) {
        Keeping::refuse(self, session, may_kill);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // The thread wakes, and finds that the provider was freed.
        self.0.close();
    }
}
