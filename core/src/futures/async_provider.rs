//! A provider whose calls are futures.

use std::sync::Arc;

use crate::{
    error::Error,
    futures::AsyncClient,
    provider::{
        by_thread::{Ahead, Get, Send},
        keeping::Keeping,
        options::ProviderOptions,
    },
    send::{request::Request, response::Response},
    session::Session,
    session_options::SessionOptions,
};

/// Keeps one session, and renews it.
pub struct AsyncProvider {
    client: AsyncClient,
    keeping: Arc<Keeping>,
}

impl AsyncProvider {
    pub(super) fn new(
        client: &AsyncClient,
        session: &SessionOptions,
        options: &ProviderOptions,
    ) -> Result<Self, Error> {
        let keeping = Arc::new(Keeping::new(Arc::clone(&client.client), session, options)?);
        if keeping.rules.is_background {
            client.keep(Box::new(Ahead::of(&keeping)))?;
        }
        Ok(Self {
            client: client.clone(),
            keeping,
        })
    }

    /// Returns a valid session. Does not wait if there is one.
    pub async fn get(&self) -> Result<Arc<Session>, Error> {
        if let Some(session) = self.keeping.warm() {
            return Ok(session);
        }
        let get = Get {
            deadline: self.keeping.context().deadline(),
            keeping: Arc::clone(&self.keeping),
        };
        let outcome = self.client.chore(Box::new(get)).await?;
        outcome.session().map(Arc::new)
    }

    /// Sends a request with the session, and renews the session if a route refuses it.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        let outline = request.check()?;
        let now = self.keeping.context().now();
        let send = Send {
            deadline: now.saturating_add(outline.timeout),
            outline,
            keeping: Arc::clone(&self.keeping),
        };
        self.client.chore(Box::new(send)).await?.response()
    }

    /// Marks a session as refused by a route. Returns whether the provider held it.
    pub fn invalidate(&self, rejected: &Session) -> bool {
        self.keeping.invalidate(rejected)
    }

    /// Marks the session as refused if this answer of a route refuses it. Returns whether it does.
    /// `body` has no content coding.
    pub fn invalidate_if_refused(&self, session: &Session, status: u16, body: &[u8]) -> bool {
        self.keeping.invalidate_if_refused(session, status, body)
    }

    /// Returns why the last renewal failed, with the time until the next attempt.
    pub fn last_error(&self) -> Option<Error> {
        self.keeping.last_error()
    }
}

impl Drop for AsyncProvider {
    fn drop(&mut self) {
        self.keeping.close();
    }
}
