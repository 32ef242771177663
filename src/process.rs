//! State that belongs to one process and is made anew in a forked child.

use std::{
    mem, process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;

use crate::{exit, sys};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Tells this process from those that it was forked from, or forks. Not 0.
///
/// The number of a process alone would not do: a child that is the first of a
/// namespace of its own has number 1, as its parent may have. Nor would the
/// count of forks, which one without fork handlers does not raise.
pub(crate) fn this_process() -> u64 {
    static COUNTED: AtomicBool = AtomicBool::new(false);
    if !COUNTED.load(Relaxed) && !COUNTED.swap(true, Relaxed) {
        sys::in_each_child(|| {
            FORKS.fetch_add(1, Relaxed);
            exit::forked();
        });
    }
    u64::from(FORKS.load(Relaxed)) << 32 | u64::from(process::id())
}

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
    process: u64,
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
        if current.process != this_process() {
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
            process: this_process(),
            value: make(),
        })
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = self.current.load_full();
        if current.process != this_process() {
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
