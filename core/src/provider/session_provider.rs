//! Hands out a session that works, at any moment.

use std::sync::Arc;

use crate::{
    background::order::Task,
    client::{Asked, AsyncCall, Client, Unsent},
    error::Error,
    provider::{
        by_caller,
        by_thread::{Ahead, Get},
        keeping::Keeping,
        options::ProviderOptions,
    },
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

    /// Returns the session if it can be handed out without a look at anything else.
    pub fn warm(&self) -> Option<Arc<Session>> {
        self.0.warm()
    }

    /// Returns a session that is good for a while. Blocks while it is asked for.
    pub fn get(&self) -> Result<Arc<Session>, Error> {
        match self.warm() {
            Some(session) => Ok(session),
            None => {
                // A callback of the host's may free the provider meanwhile.
                let keeping = Arc::clone(&self.0);
                by_caller::get(&keeping).map(Arc::new)
            }
        }
    }

    /// Prepares an asynchronous call for a session. It has to be submitted.
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

    /// Is told that a route has refused a session. Returns whether that is news.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        self.0.invalidate(rejected)
    }

    /// Returns why the last renewal failed, and when the next attempt comes.
    pub fn last_error(&self) -> Option<Error> {
        self.0.last_error()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // The thread looks, and finds that the provider has gone.
        self.0.close();
    }
}
