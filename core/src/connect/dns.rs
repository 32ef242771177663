//! Name look-up that nobody has to wait for.
//!
//! `getaddrinfo` cannot be cancelled and may hang for half a minute. It runs on
//! its own thread, which ends with the look-up. A caller whose time is over, or a
//! client that is freed, leaves it behind.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use tokio::sync::oneshot;

use crate::{
    connect::endpoint::is_localhost,
    host::{panics, threads},
    lock::Lock,
};

/// Leaves room for the name service modules of the C library. Some keep large
/// buffers on the stack.
const STACK_SIZE: usize = 512 * 1024;

type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// Looks names up, one look-up a name at a time: while one hangs, more callers
/// wait for it, and none hangs another thread.
#[derive(Clone, Default)]
pub struct Resolver {
    waiting: Arc<Lock<HashMap<String, Vec<oneshot::Sender<Found>>>>>,
}

/// A host name without an address.
#[derive(Debug)]
pub struct NoAddress {
    pub name: String,
    pub why: Arc<io::Error>,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl Resolver {
    /// Returns the addresses of a name, or of an address its own, with a port.
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
                .unwrap_or_else(|_| Err(Arc::new(io::Error::other("the look-up broke off")))),
            Err(error) => Err(Arc::new(error)),
        };
        found.map_err(|why| NoAddress {
            name: name.to_owned(),
            why,
        })
    }

    fn look_up(&self, name: &str) -> io::Result<oneshot::Receiver<Found>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.hold();
        if let Some(senders) = waiting.get_mut(name) {
            senders.push(sender);
            return Ok(receiver);
        }
        waiting.insert(name.to_owned(), vec![sender]);
        drop(waiting);

        let job = LookUp {
            resolver: self.clone(),
            name: name.to_owned(),
            found: None,
        };
        // When the thread cannot be started the job is dropped, and with it the
        // entry for the name.
        threads::spawn("zelf-dns", STACK_SIZE, move || {
            // A job that breaks off says so when it is dropped.
            let _ = panics::catch(|| job.run());
        })?;
        Ok(receiver)
    }
}

/// One look-up under way. However it ends, its end tells the callers that wait and
/// frees the name for the next look-up, in one step.
struct LookUp {
    resolver: Resolver,
    name: String,
    found: Option<Found>,
}

impl LookUp {
    fn run(mut self) {
        let found = (self.name.as_str(), 0)
            .to_socket_addrs()
            // With the scope that an address of one link needs.
            .map(Iterator::collect)
            .map_err(Arc::new);
        self.found = Some(found);
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let waiting = self.resolver.waiting.hold().remove(&self.name);
        let Some(found) = self.found.take() else {
            return;
        };
        for sender in waiting.into_iter().flatten() {
            // A caller that gave up is no longer listening.
            let _ = sender.send(found.clone());
        }
    }
}
