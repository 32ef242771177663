//! Name look-up that nobody has to wait for.
//!
//! `getaddrinfo` cannot be cancelled and may hang for half a minute. It runs on
//! a thread of its own that ends with the look-up; a caller whose deadline
//! passes, or a client that is freed, leaves it behind.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use crate::{endpoint::is_localhost, sys};

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
        sys::spawn_thread("zelf-dns", STACK_SIZE, move || job.run())?;
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

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        if is_localhost(name.as_str()) {
            let this_machine = [
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
                SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
            ];
            return Box::pin(async move { Ok(Box::new(this_machine.into_iter()) as Addrs) });
        }
        let look_up = self.look_up(name.as_str());
        Box::pin(async move {
            let found = look_up?
                .await
                .map_err(|_| io::Error::other("the look-up broke off"))?;
            Ok(Box::new(found?.into_iter()) as Addrs)
        })
    }
}
