//! The driver of an `AsyncClient`. It takes the place of the I/O thread.

use std::sync::Arc;

use tokio::{sync::mpsc::UnboundedReceiver, task::LocalSet};

use crate::{
    background::{io_thread, order::Order},
    client::Client,
    error::Error,
    futures::desk::Desk,
    host::entropy,
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
    /// If the future is dropped before that, the running calls end with `Status::ShutDown`.
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
        tasks.run_until(serving).await;
        Ok(())
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
