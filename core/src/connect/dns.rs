//! Name look-up on a separate thread.
//!
//! `getaddrinfo` cannot be cancelled and may hang for half a minute. So each look-up has its own
//! thread, which ends with it. A call whose time has passed does not wait for the thread, and
//! neither does a client that is freed.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use tokio::sync::oneshot;

use crate::{
    connect::endpoint::is_localhost,
    error::Error,
    host::{descriptors::StandardStreams, panics, threads},
    lock::Lock,
};

/// Large enough for the name service modules of the C library, some of which have large buffers on
/// the stack.
const STACK_SIZE: usize = 512 * 1024;

type Found = Result<Vec<SocketAddr>, Unfound>;

/// Looks up names, with one look-up at a time for each name. While one hangs, later callers wait
/// for it and start no other thread.
#[derive(Clone, Default)]
pub struct Resolver {
    waiting: Arc<Lock<HashMap<String, Vec<oneshot::Sender<Found>>>>>,
}

/// A look-up that found no address.
#[derive(Debug)]
pub struct NoAddress {
    pub name: String,
    pub why: Unfound,
}

/// Why a look-up found no address.
#[derive(Clone, Debug)]
pub enum Unfound {
    /// The error of `getaddrinfo`.
    LookUp(Arc<io::Error>),
    /// The system has refused a call that the look-up needs.
    Refused(Error),
}

impl Resolver {
    /// Returns the addresses of a name, with a port. A name may also be an address.
    pub async fn find(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
        let mut addresses = self.find_any_port(name).await?;
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }

    async fn find_any_port(&self, name: &str) -> Result<Vec<SocketAddr>, NoAddress> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, 0)]);
        }
        if is_localhost(name) {
            return Ok(vec![
                SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
            ]);
        }
        let found = match self.look_up(name) {
            Ok(look_up) => look_up
                .await
                .unwrap_or_else(|_| Err(unfound(io::Error::other("the look-up ended early")))),
            Err(error) => Err(Unfound::Refused(error)),
        };
        found.map_err(|why| NoAddress {
            name: name.to_owned(),
            why,
        })
    }

    fn look_up(&self, name: &str) -> Result<oneshot::Receiver<Found>, Error> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.hold();
        if let Some(senders) = waiting.get_mut(name) {
            senders.retain(|sender| !sender.is_closed());
            senders.push(sender);
            return Ok(receiver);
        }
        let resolver = self.clone();
        let name = name.to_owned();
        let key = name.clone();
        threads::spawn("zelf-dns", STACK_SIZE, move || {
            let job = LookUp {
                resolver,
                name,
                found: None,
            };
            // A job that panics reports this when it is dropped.
            let _ = panics::catch(|| job.run());
        })?;
        // The thread has started, and waits for the lock when it is done.
        waiting.insert(key, vec![sender]);
        Ok(receiver)
    }
}

fn unfound(why: io::Error) -> Unfound {
    Unfound::LookUp(Arc::new(why))
}

/// A look-up in progress. When it is dropped, for any reason, it informs the waiting callers and
/// allows the next look-up of the name, in one step.
struct LookUp {
    resolver: Resolver,
    name: String,
    found: Option<Found>,
}

impl LookUp {
    fn run(mut self) {
        // `getaddrinfo` keeps sockets and files open while it waits for the network.
        let found = StandardStreams::occupy()
            .and_then(|_occupied| (self.name.as_str(), 0).to_socket_addrs());
        // A link-local address keeps its scope.
        self.found = Some(found.map(Iterator::collect).map_err(unfound));
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let waiting = self.resolver.waiting.hold().remove(&self.name);
        let Some(found) = self.found.take() else {
            return;
        };
        for sender in waiting.into_iter().flatten() {
            // The receiver is gone if the caller no longer waits.
            let _ = sender.send(found.clone());
        }
    }
}
