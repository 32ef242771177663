//! Fork: which process this is, and state that a child makes anew.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*},
    },
};

use arc_swap::ArcSwap;

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Returns a number that tells this process from those that it was forked from,
/// or forks. Never 0.
///
/// The process id alone is not enough: the first process of each namespace has id
/// 1, so a child and its parent may both have it. The count of forks alone is not
/// enough either: a clone that runs no fork handlers does not raise it.
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

/// Runs `handler` in every child that `fork` makes, before `fork` returns there.
/// The handler must not block.
///
/// Each handler is registered once, however often it is given. The system
/// forgets handlers when the library is unloaded.
#[cfg(unix)]
pub fn in_each_child(handler: fn()) {
    use std::sync::atomic::AtomicPtr;
    // A child must not wait for a lock here.
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
    type Handler = Option<extern "C" fn()>;
    unsafe extern "C" {
        fn pthread_atfork(before: Handler, in_parent: Handler, in_child: Handler) -> libc::c_int;
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
        // SAFETY: `run` does not unwind and waits for no lock.
        unsafe { pthread_atfork(None, None, Some(run)) };
    }
}

#[cfg(not(unix))]
pub fn in_each_child(_: fn()) {}

/// Returns the id of this process, and asks the kernel once a process.
///
/// The id is kept on a page that the kernel zeroes in every child, however the
/// child is made (`MADV_WIPEONFORK`). This saves a system call on every call.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn process_id() -> u32 {
    use std::{ptr, sync::atomic::AtomicPtr};
    static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
    /// The kernel cannot do it: Linux before 4.14, or a sandbox.
    static CANNOT: AtomicBool = AtomicBool::new(false);
    const SIZE: usize = 4096;
    const NO_ADVICE: libc::c_int = -1;

    let mut page = PAGE.load(Acquire);
    if page.is_null() {
        if CANNOT.load(Relaxed) {
            return std::process::id();
        }
        // SAFETY: a new private mapping, of which the first word is used. It is
        // given back when the kernel cannot wipe it, or another thread was
        // faster.
        unsafe {
            let new = libc::mmap(
                ptr::null_mut(),
                SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if new == libc::MAP_FAILED {
                CANNOT.store(true, Relaxed);
                return std::process::id();
            }
            // An emulator that accepts every advice follows none.
            let is_honest = libc::madvise(new, SIZE, NO_ADVICE) != 0;
            if !is_honest || libc::madvise(new, SIZE, libc::MADV_WIPEONFORK) != 0 {
                CANNOT.store(true, Relaxed);
                libc::munmap(new, SIZE);
                return std::process::id();
            }
            match PAGE.compare_exchange(ptr::null_mut(), new.cast(), AcqRel, Acquire) {
                Ok(_) => page = new.cast(),
                Err(other) => {
                    libc::munmap(new, SIZE);
                    page = other;
                }
            }
        }
    }
    // SAFETY: the page stays mapped for good, and holds one atomic number.
    let kept = unsafe { &*page };
    match kept.load(Relaxed) {
        0 => {
            let id = std::process::id();
            kept.store(id, Relaxed);
            id
        }
        id => id,
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn process_id() -> u32 {
    std::process::id()
}

/// The process that owns something that a child cannot use. Nobody owns it at
/// first.
#[derive(Debug, Default)]
pub struct Owner(AtomicU64);

impl Owner {
    /// Makes this process the owner, unless another one is. Returns whether
    /// this process owns it now.
    pub fn claim(&self) -> bool {
        let here = this_process();
        match self.0.compare_exchange(0, here, AcqRel, Acquire) {
            Ok(_) => true,
            Err(owner) => owner == here,
        }
    }

    /// Returns whether another process owns it. Then nothing may be touched.
    pub fn is_another(&self) -> bool {
        let owner = self.0.load(Acquire);
        owner != 0 && owner != this_process()
    }
}

/// A value that a forked child never touches: the child makes its own.
///
/// The child shares the parent's sockets, and a lock that another thread held
/// at the fork stays locked for ever. So the child neither locks nor drops what
/// it inherited: dropping would close the parent's connections with a goodbye.
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
            // One count too many on purpose: the parent owns the value.
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
