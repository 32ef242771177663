//! The idle connections of the I/O thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use tokio::{
    task::spawn_local,
    time::{Instant, sleep, timeout},
};

use crate::{
    background::connection::Connection,
    connect::{
        connector::{Patience, connect},
        failure::{Awaited, Failure},
        resting::{JUST_USED, MAX_REST, Resting},
    },
    context::{Context, Shared},
    create::call::Over,
    http::exchange::Exchange,
    moment::Moment,
};

pub struct Connections {
    pub context: Arc<Context>,
    pub shared: Arc<Shared>,
    resting: RefCell<Resting<Connection>>,
    has_reaper: Cell<bool>,
}

impl Connections {
    pub fn new(context: Arc<Context>, shared: Arc<Shared>) -> Self {
        Self {
            context,
            shared,
            resting: RefCell::default(),
            has_reaper: Cell::new(false),
        }
    }

    pub async fn open(
        &self,
        deadline: Moment,
        waits_for: &Cell<Awaited>,
    ) -> Result<Connection, Failure> {
        let context = &*self.context;
        let to = &context.destination;
        let left = deadline.saturating_sub(context.now());
        let patience = Patience {
            until: Instant::now() + to.connect_timeout.min(left),
            waits_for,
        };
        let connecting = connect(to, &self.shared.network, &patience);
        let connected = timeout(to.connect_timeout, connecting)
            .await
            .map_err(|_| Failure::ConnectTimeout(waits_for.get()))??;
        Ok(Connection::new(
            connected.socket,
            connected.wire,
            Exchange::new(context.rules),
            context.environment.now,
        ))
    }

    /// Takes a suitable idle connection, if there is one.
    pub fn take_for(&self, over: Over) -> Option<Connection> {
        let kept = match over {
            Over::Any => self.take_within(MAX_REST),
            Over::JustUsed => self.take_within(JUST_USED),
            Over::Replacement => return None,
            Over::Own => None,
        };
        if kept.is_none() && over != Over::Any {
            // The new connection replaces this one, so there are never more than parallel calls.
            drop(self.resting.borrow_mut().take(0, self.context.now()));
        }
        kept
    }

    fn take_within(&self, most: Moment) -> Option<Connection> {
        loop {
            let now = self.context.now();
            let (connection, _tired) = self.resting.borrow_mut().take_within(most, 0, now);
            let mut connection = connection?;
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    pub fn put(self: &Rc<Self>, mut connection: Connection) {
        connection.forget_answer();
        let now = self.context.now();
        drop(self.resting.borrow_mut().put(connection, 0, now));
        if !self.has_reaper.replace(true) {
            spawn_local(Rc::clone(self).reap());
        }
    }

    /// Closes connections that the server will soon close, until none is idle.
    async fn reap(self: Rc<Self>) {
        while !self.resting.borrow().is_empty() {
            sleep(MAX_REST).await;
            let now = self.context.now();
            drop(self.resting.borrow_mut().take_tired(now));
        }
        self.has_reaper.set(false);
    }
}
