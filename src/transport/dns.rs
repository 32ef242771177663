//! Name look-up that nobody has to wait for.
//!
//! `getaddrinfo` cannot be cancelled and may hang for half a minute. It runs on
//! a thread of its own that ends with the look-up; a caller whose deadline
//! passes, or a client that is freed, leaves it behind.

use std::{
    collections::HashMap,
    future::{Future, ready},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;
use tower_service::Service;

use crate::{endpoint::is_localhost, panics, sys, transport::failure::NoAddress};

/// Room for the name service modules of the C library, some of which keep
/// large buffers on the stack.
const STACK_SIZE: usize = 512 * 1024;

type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// Looks names up, one look-up a name at a time: while one hangs, more callers
/// wait for it instead of hanging one thread each.
#[derive(Clone, Default)]
pub(crate) struct Resolver {
    waiting: Arc<Mutex<HashMap<String, Vec<oneshot::Sender<Found>>>>>,
}

impl Resolver {
    fn look_up(&self, name: &str) -> io::Result<oneshot::Receiver<Found>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
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
        // When the thread cannot be started the job is dropped, and with it
        // the entry for the name.
        sys::spawn_thread("zelf-dns", STACK_SIZE, move || {
            // A job that breaks off says so when it is dropped.
            let _ = panics::catch(|| job.run());
        })?;
        Ok(receiver)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<oneshot::Sender<Found>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One look-up under way. When it ends, however it ends, those who wait are
/// told and the name is free for the next, in one step.
struct LookUp {
    resolver: Resolver,
    name: String,
    found: Option<Found>,
}

impl LookUp {
    fn run(mut self) {
        let found = (self.name.as_str(), 0)
            .to_socket_addrs()
            .map(Iterator::collect::<Vec<_>>)
            .map_err(Arc::new);
        self.found = Some(found);
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        let waiting = self.resolver.lock().remove(&self.name);
        let Some(found) = self.found.take() else {
            return;
        };
        for sender in waiting.into_iter().flatten() {
            // A caller that gave up is no longer listening.
            let _ = sender.send(found.clone());
        }
    }
}

/// All addresses of a family share the time for connecting, so that of many each
/// would have too little.
const MAX_ADDRESSES: usize = 4;

fn first_of_each_family(mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (mut v4, mut v6) = (0, 0);
    found.retain(|address| {
        let seen = if address.is_ipv4() { &mut v4 } else { &mut v6 };
        *seen += 1;
        *seen <= MAX_ADDRESSES
    });
    found
}

type Finding = Pin<Box<dyn Future<Output = Result<vec::IntoIter<SocketAddr>, NoAddress>> + Send>>;

impl Resolver {
    fn find(&self, name: &str) -> Finding {
        if is_localhost(name) {
            let this_machine = vec![
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
                SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
            ];
            return Box::pin(ready(Ok(this_machine.into_iter())));
        }
        let look_up = self.look_up(name);
        let name = name.to_owned();
        Box::pin(async move {
            let found = match look_up {
                Ok(look_up) => look_up
                    .await
                    .unwrap_or_else(|_| Err(Arc::new(io::Error::other("the look-up broke off")))),
                Err(error) => Err(Arc::new(error)),
            };
            found
                .map(|found| first_of_each_family(found).into_iter())
                .map_err(|why| NoAddress { name, why })
        })
    }
}

/// For connections straight to the server.
impl Service<connect::dns::Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = Finding;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: connect::dns::Name) -> Finding {
        self.find(name.as_str())
    }
}

/// For those to a proxy.
impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let finding = self.find(name.as_str());
        Box::pin(async move { Ok(Box::new(finding.await?) as Addrs) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_addresses_the_first_four_of_each_family_are_tried() {
        let v4 = |last| SocketAddr::from(([192, 0, 2, last], 0));
        let v6 = |last| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 0));
        let mut found: Vec<_> = (1..=9).map(v4).collect();
        found.extend([v6(1), v6(2)]);
        assert_eq!(
            first_of_each_family(found),
            [v4(1), v4(2), v4(3), v4(4), v6(1), v6(2)]
        );
    }
}
