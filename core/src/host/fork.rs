//! Fork: the identity of this process, and state that a child creates anew.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*},
    },
};

use arc_swap::ArcSwap;

use crate::host::system;

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Returns a number that distinguishes this process from its ancestors and its children. It is
/// never 0.
///
/// The process id is not enough: the first process of each namespace has the id 1, so a child and
/// its parent may both have it. The number of forks is not enough either: a clone that runs no fork
/// handlers does not change it.
pub fn this_process() -> u64 {
    static COUNTED: AtomicBool = AtomicBool::new(false);
    if !COUNTED.load(Relaxed) && !COUNTED.swap(true, Relaxed) {
        in_each_child(count_fork);
    }
    u64::from(FORKS.load(Relaxed)) << 32 | u64::from(process_id())
}

fn count_fork() {
    FORKS.fetch_add(1, Relaxed);
}

/// Registers a handler that runs in every forked child, before `fork` returns there. It must not
/// block.
///
/// A handler that is already registered is not added again. The system removes the handlers when
/// the library is unloaded.
pub fn in_each_child(handler: fn()) {
    use std::sync::atomic::AtomicPtr;
    // An array of atomics, because a child must not wait for a lock here.
    static HANDLERS: [AtomicPtr<()>; 4] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 4];
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    extern "C" fn run() {
        for slot in &HANDLERS {
            let handler = slot.load(SeqCst);
            if !handler.is_null() {
                // SAFETY: only `fn()` pointers are stored here.
                unsafe { mem::transmute::<*mut (), fn()>(handler)() };
            }
        }
    }
    let new = handler as *mut ();
    for slot in &HANDLERS {
        match slot.compare_exchange(std::ptr::null_mut(), new, SeqCst, SeqCst) {
            Ok(_) => break,
            Err(taken) if taken == new => break,
            Err(_) => {}
        }
    }
    if !REGISTERED.swap(true, SeqCst) {
        system::around_forks(None, None, Some(run));
    }
}

/// Registers handlers around every fork: `before` and `in_parent` run in the process that forks.
/// They may only block briefly. Register them once.
pub fn around_each(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    system::around_forks(Some(before), Some(in_parent), Some(in_child));
}

/// Returns the id of this process. Asks the kernel once in each process, if the system can show
/// that this is a child.
fn process_id() -> u32 {
    system::process_id()
}

/// Ends this process if it is a child that was forked since `process` was read.
///
/// A child that the host has forked on the I/O thread must not continue there: it shares the sockets
/// and the event loop with its parent.
pub fn end_child_of(process: u64) {
    if process != this_process() {
        system::end_process();
    }
}

/// The process that owns something that a child cannot use. By default there is no owner.
#[derive(Debug, Default)]
pub struct Owner(AtomicU64);

impl Owner {
    pub fn this_process() -> Self {
        Self(AtomicU64::new(this_process()))
    }

    /// Makes this process the owner, unless another one is. Returns whether this process is the
    /// owner.
    pub fn claim(&self) -> bool {
        let here = this_process();
        match self.0.compare_exchange(0, here, AcqRel, Acquire) {
            Ok(_) => true,
            Err(owner) => owner == here,
        }
    }

    /// Returns whether another process is the owner. Then this process must not touch the object.
    pub fn is_another(&self) -> bool {
        let owner = self.0.load(Acquire);
        owner != 0 && owner != this_process()
    }
}

/// A value that a forked child does not touch. The child creates its own.
///
/// The child shares the parent's sockets, and a lock that another thread held during the fork is
/// never released in the child. So the child neither locks nor drops the inherited value: dropping
/// it would close the parent's TLS connections with a `close_notify`.
pub struct PerProcess<T> {
    current: ArcSwap<Owned<T>>,
    make: fn() -> T,
}

struct Owned<T> {
    process: u64,
    value: T,
}

impl<T> PerProcess<T> {
    pub fn new(make: fn() -> T) -> Self {
        Self {
            current: ArcSwap::from(Owned::new(make)),
            make,
        }
    }

    pub fn get(&self) -> impl std::ops::Deref<Target = T> + use<T> {
        let mut current = self.current.load_full();
        if current.process != this_process() {
            let fresh = Owned::new(self.make);
            let previous = self.current.compare_and_swap(&current, fresh.clone());
            current = if Arc::ptr_eq(&previous, &current) {
                mem::forget(current);
                fresh
            } else {
                // Another thread of the child was first.
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
            // This leaks a reference on purpose: the value belongs to the parent.
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

    #[test]
    fn the_first_process_that_claims_is_the_owner() {
        let owner = Owner::default();
        assert!(!owner.is_another());
        assert!(owner.claim() && owner.claim());
        assert!(!owner.is_another());
    }
}
