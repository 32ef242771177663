//! A client whose calls are futures.

use std::{cell::Cell, sync::Arc};

use tokio::sync::{
    mpsc::{self, UnboundedSender},
    oneshot,
};

use crate::{
    background::{
        chore::Chore,
        engine::shut_down,
        order::{Job, Order, Task},
        yields::Outcome,
    },
    client::Client,
    config::Config,
    connect::failure::Awaited,
    error::Error,
    futures::{AsyncProvider, Driver, desk::Desk},
    moment::Moment,
    provider::options::ProviderOptions,
    send::{request::Request, response::Response},
    session::Session,
    session_options::SessionOptions,
};

/// Makes calls as futures. Clones share connections, limits and the driver.
#[derive(Clone)]
pub struct AsyncClient {
    pub(super) client: Arc<Client>,
    orders: UnboundedSender<Order>,
    desk: Arc<Desk>,
}

impl AsyncClient {
    /// Makes a client, and the driver that its calls need.
    pub fn new(config: &Config) -> Result<(Self, Driver), Error> {
        let client = Arc::new(Client::new(config)?);
        let desk = Arc::new(Desk::default());
        let (sender, orders) = mpsc::unbounded_channel();
        let driver = Driver::new(Arc::clone(&client), orders, Arc::clone(&desk));
        let client = Self {
            client,
            orders: sender,
            desk,
        };
        Ok((client, driver))
    }

    /// Returns the client for blocking calls.
    pub fn blocking(&self) -> &Arc<Client> {
        &self.client
    }

    /// Creates a session. Dropping the future cancels the call.
    pub async fn create_session(&self, options: &SessionOptions) -> Result<Session, Error> {
        let errand = options.check()?;
        let deadline = self.client.context().deadline();
        self.call(Task::Errand(Arc::new(errand)), deadline)
            .await?
            .session()
    }

    /// Sends a request with the caller's session, or without one. The session is not renewed.
    pub async fn send(
        &self,
        request: &Request,
        session: Option<&Session>,
    ) -> Result<Response, Error> {
        let send = self.client.send_once_later(request, session)?;
        self.chore(Box::new(send)).await?.response()
    }

    /// Makes a provider, whose background renewals run on the driver.
    pub fn provider(
        &self,
        session: &SessionOptions,
        options: &ProviderOptions,
    ) -> Result<AsyncProvider, Error> {
        AsyncProvider::new(self, session, options)
    }

    pub(super) async fn chore(&self, chore: Box<dyn Chore>) -> Outcome {
        let deadline = chore.deadline();
        self.call(Task::Chore(chore), deadline).await
    }

    pub(super) fn keep(&self, chore: Box<dyn Chore>) -> Result<(), Error> {
        self.orders
            .send(Order::Keep(chore))
            .map_err(|_| shut_down())
    }

    async fn call(&self, task: Task, deadline: Moment) -> Outcome {
        if self.client.is_closed() {
            return Err(shut_down());
        }
        let (caller, outcome) = oneshot::channel();
        let call = UnderWay {
            client: self,
            number: self.desk.add(caller),
        };
        let job = Job {
            call: call.number,
            deadline,
            waits_for: Cell::new(Awaited::SERVER),
        };
        self.orders
            .send(Order::Start(job, task))
            .map_err(|_| shut_down())?;
        outcome.await.unwrap_or_else(|_| Err(shut_down()))
    }
}

/// Cancels a call whose future is dropped.
struct UnderWay<'a> {
    client: &'a AsyncClient,
    number: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.client.desk.remove(self.number) {
            // A driver that has ended has no calls.
            let _ = self.client.orders.send(Order::Stop(self.number));
        }
    }
}
