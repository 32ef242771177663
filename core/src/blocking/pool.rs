//! The connections of blocking calls that rest between calls.

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
    /// Takes out a connection for a request, if there is one that will do.
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
            // Closing takes system calls: not under the lock.
            let (connection, tired) = self.0.hold().take_within(most, this_thread(), now);
            drop(tired);
            let mut connection = connection?;
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Makes room for a new connection: closes the one that would be used. So a lone
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

    /// Keeps a connection for the next call.
    pub fn put(&self, connection: Connection, now: Moment) {
        let tired = self.0.hold().put(connection, this_thread(), now);
        drop(tired);
    }
}
