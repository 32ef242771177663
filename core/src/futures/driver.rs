//! The driver of an `AsyncClient`. It takes the place of the I/O thread.

use std::sync::Arc;

use tokio::{sync::mpsc::UnboundedReceiver, task::LocalSet};

use crate::{
    background::{io_thread, order::Order},
    client::Client,
    error::Error,
    futures::desk::Desk,
    host::{entropy, panics},
};

/// Does the I/O of an [`AsyncClient`](super::AsyncClient), inside a tokio runtime with I/O
/// and time.
#[must_use = "no call of the client makes progress until the driver runs"]
pub struct Driver {
    client: Arc<Client>,
    orders: UnboundedReceiver<Order>,
    desk: ClearedAtEnd,
}

impl Driver {
    pub(super) fn new(
        client: Arc<Client>,
        orders: UnboundedReceiver<Order>,
        desk: Arc<Desk>,
    ) -> Self {
        Self {
            client,
            orders,
            desk: ClearedAtEnd(desk),
        }
    }

    /// Runs until the last client and provider are dropped.
    ///
    /// If the future is dropped before that, the running calls end with `Status::ShutDown`. They
    /// also do if this returns an error, such as `Status::Panic` for a bug.
    pub async fn run(self) -> Result<(), Error> {
        let Self {
            client,
            // Dropped after orders: no call can begin when the desk is cleared.
            desk,
            orders,
        } = self;
        entropy::prepare_thread()?;
        let tasks = LocalSet::new();
        let context = Arc::clone(client.context());
        let reports = Arc::clone(&desk.0);
        let serving = io_thread::serve(context, client.shared(), reports, orders);
        // This polls the tasks too, so the host's panic hook does not print a panic of theirs.
        panics::catch_in_polls(tasks.run_until(serving)).await
    }
}

/// Clears the desk when the driver is dropped. The receiver of orders is dropped first, so no call
/// comes in after the clearing.
struct ClearedAtEnd(Arc<Desk>);

impl Drop for ClearedAtEnd {
    fn drop(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::runtime::Builder;

    use super::*;
    use crate::{
        background::{
            chore::{Chore, LocalFuture, Requests},
            yields::Outcome,
        },
        config::Config,
        error::Status,
        futures::AsyncClient,
        moment::Moment,
    };

    /// A chore with a bug.
    struct Broken {
        /// The bug is in the driver's own code, and not in a task.
        is_in_driver: bool,
    }

    impl Chore for Broken {
        fn deadline(&self) -> Moment {
            Moment::MAX
        }

        fn run(self: Box<Self>, _: Rc<dyn Requests>) -> LocalFuture<Outcome> {
            assert!(!self.is_in_driver, "the library panics");
            Box::pin(async { panic!("the library panics") })
        }
    }

    /// Runs a program with a client, and returns its result and the driver's.
    fn run<T>(program: impl AsyncFnOnce(AsyncClient) -> T) -> (T, Result<(), Error>) {
        let config = Config {
            base_url: "http://127.0.0.1:1".into(),
            ..Config::default()
        };
        let (client, driver) = AsyncClient::new(&config).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::join!(program(client), driver.run()) })
    }

    #[test]
    fn a_panic_of_a_task_ends_its_call_and_is_not_the_hosts() {
        let bug = Broken {
            is_in_driver: false,
        };
        let (outcome, driven) = run(async |client| client.chore(Box::new(bug)).await);
        let error = outcome.unwrap_err();
        assert_eq!(error.status, Status::Panic);
        // The host's panic hook would not have kept the place.
        assert!(error.message.contains("at driver.rs:"), "{error}");
        driven.unwrap();
    }

    #[test]
    fn a_panic_of_the_driver_is_its_error() {
        let bug = Broken { is_in_driver: true };
        let (kept, driven) = run(async |client| client.keep(Box::new(bug)));
        kept.unwrap();
        let error = driven.unwrap_err();
        assert_eq!(error.status, Status::Panic);
        assert!(error.message.contains("at driver.rs:"), "{error}");
    }
}
