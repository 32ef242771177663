//! Signals on the library's threads. A signal for the host is delivered on a thread of the host, or
//! while the host's code runs.

use std::{cell::Cell, fmt};

use crate::host::{
    at_end::AtEnd,
    system::{self, SignalSet},
};

thread_local! {
    /// The mask for the host's code, if the thread belongs to the library.
    static HOSTS: Cell<Option<Mask>> = const { Cell::new(None) };
}

/// Runs code of the host with the host's signal mask, on threads that have one.
pub fn as_host<T>(body: impl FnOnce() -> T) -> T {
    match HOSTS.get() {
        None => body(),
        Some(hosts) => {
            // This is not always the mask of an idle thread: code of the host may have called us.
            let ours = hosts.set();
            let _end = AtEnd(|| {
                ours.set();
            });
            body()
        }
    }
}

/// The signals that a thread blocks.
#[derive(Clone, Copy)]
pub struct Mask(SignalSet);

impl Mask {
    pub fn of_this_thread() -> Self {
        Self(SignalSet::of_this_thread())
    }

    /// Sets this mask for the calling thread. Returns the previous mask, or this one if the system
    /// refuses it.
    pub fn set(&self) -> Self {
        Self(self.0.set())
    }

    /// Returns the mask for the library's code.
    pub fn ours() -> Self {
        let mut mask = Self(SignalSet::all());
        for signal in system::NEVER_BLOCKED {
            mask.0.remove(signal);
        }
        mask
    }

    /// Returns the mask for the library's code on a thread that also runs the host's.
    ///
    /// The host may have registered the thread with a runtime, whose garbage collector stops it
    /// with a signal at any time. These signals are only blocked if the host blocks them.
    fn between_code_of(hosts: &Self) -> Self {
        let mut mask = Self::ours();
        for signal in system::collectors_signals() {
            if !hosts.0.contains(signal) {
                mask.0.remove(signal);
            }
        }
        mask
    }

    /// Makes this the mask for the host's code on the calling thread of the library.
    pub fn is_the_hosts_here(self) {
        HOSTS.set(Some(self));
        Self::between_code_of(&self).set();
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{panic::catch_unwind, thread};

    use super::*;

    #[test]
    fn a_panic_of_the_host_restores_our_mask() {
        let thread = thread::spawn(|| {
            let is_blocked = || Mask::of_this_thread().0.contains(libc::SIGUSR1);
            Mask::of_this_thread().is_the_hosts_here();
            assert!(is_blocked());
            let host = || {
                as_host(|| {
                    assert!(!is_blocked());
                    panic!("the host's callback panics");
                });
            };
            catch_unwind(host).unwrap_err();
            assert!(is_blocked());
        });
        thread.join().unwrap();
    }
}
