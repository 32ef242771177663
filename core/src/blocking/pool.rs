//! The connections of blocking calls that rest between calls.

use std::mem;

use crate::{
    blocking::connection::Connection, connect::resting::Resting, host::threads::this_thread,
    lock::Lock, moment::Moment,
};

#[derive(Default)]
pub struct Pool(Lock<Resting<Connection>>);

impl Pool {
    /// Takes out a connection over which a request can be sent.
    pub fn take(&self, now: Moment) -> Option<Connection> {
        loop {
            // Closing takes system calls: not under the lock.
            let (connection, tired) = self.0.hold().take(this_thread(), now);
            drop(tired);
            let mut connection = connection?;
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Makes room for a new connection: closes the one that would be used. So a lone
    /// caller has one connection.
    pub fn make_room(&self, now: Moment) {
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
