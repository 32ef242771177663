//! State that belongs to one process and is made anew in a forked child.

use std::{mem, process, sync::Arc};

use arc_swap::ArcSwap;

/// A value that a forked child never touches: it gets a fresh one.
///
/// The child shares the parent's sockets and epoll instances, and a lock that
/// another thread held at the fork stays locked for ever. So what was inherited
/// is neither locked nor dropped but left where it is; dropping it would
/// deregister and close the parent's connections.
pub(crate) struct PerProcess<T> {
    current: ArcSwap<Owned<T>>,
    make: fn() -> T,
}

struct Owned<T> {
    process: u32,
    value: T,
}

impl<T> PerProcess<T> {
    pub(crate) fn new(make: fn() -> T) -> Self {
        Self {
            current: ArcSwap::from(Owned::new(make)),
            make,
        }
    }

    pub(crate) fn get(&self) -> impl std::ops::Deref<Target = T> + use<T> {
        let mut current = self.current.load_full();
        if current.process != process::id() {
            let fresh = Owned::new(self.make);
            let previous = self.current.compare_and_swap(&current, fresh.clone());
            current = if Arc::ptr_eq(&previous, &current) {
                mem::forget(current);
                fresh
            } else {
                // Another thread of the child was faster.
                Arc::clone(&previous)
            };
        }
        Current(current)
    }
}

impl<T> Owned<T> {
    fn new(make: fn() -> T) -> Arc<Self> {
        Arc::new(Self {
            process: process::id(),
            value: make(),
        })
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = self.current.load_full();
        if current.process != process::id() {
            // One count too many, on purpose: nobody drops what the parent owns.
            mem::forget(current);
        }
    }
}

struct Current<T>(Arc<Owned<T>>);

impl<T> std::ops::Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_keeps_one_value() {
        let state = PerProcess::new(|| std::sync::Mutex::new(0));
        *state.get().lock().unwrap() += 1;
        *state.get().lock().unwrap() += 1;
        assert_eq!(*state.get().lock().unwrap(), 2);
    }
}
