//! The idle connections of blocking calls.

use std::mem;

use crate::{
    blocking::connection::Connection,
    connect::resting::{JUST_USED, MAX_REST, Resting},
    create::call::Over,
    host::threads::this_thread,
    lock::Lock,
    moment::Moment,
};

#[derive(Default)]
pub struct Pool(Lock<Resting<Connection>>);

impl Pool {
    /// Takes a suitable idle connection, if there is one.
    pub fn take_for(&self, over: Over, now: Moment) -> Option<Connection> {
        let kept = match over {
            Over::Any => self.take_within(MAX_REST, now),
            Over::JustUsed => self.take_within(JUST_USED, now),
            Over::Replacement => return None,
            Over::Own => None,
        };
        if kept.is_none() && over != Over::Any {
            self.make_room(now);
        }
        kept
    }

    fn take_within(&self, most: Moment, now: Moment) -> Option<Connection> {
        loop {
            // Closing takes system calls, so do it without the lock.
            let (connection, tired) = self.0.hold().take_within(most, this_thread(), now);
            drop(tired);
            let mut connection = connection?;
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Closes the idle connection that would be used, to make room for a new one. So a single
    /// caller has one connection.
    fn make_room(&self, now: Moment) {
        let resting = self.0.hold().take(this_thread(), now);
        drop(resting);
    }

    /// Closes all connections.
    pub fn clear(&self) {
        let resting = mem::take(&mut *self.0.hold());
        drop(resting);
    }

    /// Keeps a connection for later calls.
    pub fn put(&self, connection: Connection, now: Moment) {
        let tired = self.0.hold().put(connection, this_thread(), now);
        drop(tired);
    }
}
