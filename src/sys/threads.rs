//! Threads of ours, and the host's main one.

use std::thread::JoinHandle;

/// Keeps what the standard library allocates for the main thread in sight of
/// leak checkers.
///
/// It frees such a handle when its thread exits, which a main thread never
/// does, and holds it by a pointer into its middle: valgrind would report it as
/// possibly lost, once for each program that calls us from `main`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn keep_main_thread_in_sight() {
    use std::{
        cell::Cell,
        sync::{
            OnceLock,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
        thread,
    };
    static MAIN: OnceLock<thread::Thread> = OnceLock::new();
    // Who finds it taken does not wait: whoever took it may be a thread that a
    // forked child does not have.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    thread_local! {
        static ASKED: Cell<bool> = const { Cell::new(false) };
    }
    // Not `gettid`, which glibc has had since 2.30 only.
    // SAFETY: both calls only read the caller's numbers.
    if !ASKED.replace(true)
        && unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) }
        && !TAKEN.swap(true, Relaxed)
    {
        let _ = MAIN.set(thread::current());
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn keep_main_thread_in_sight() {}

/// Whether it is the one that asks. Not by the standard library's own numbers:
/// they are gone when the host's thread-specific destructors run.
#[cfg(unix)]
pub(crate) fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    use std::os::unix::thread::JoinHandleExt;
    // SAFETY: both are threads that are there.
    unsafe { libc::pthread_equal(thread.as_pthread_t(), libc::pthread_self()) != 0 }
}

#[cfg(not(unix))]
pub(crate) fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    thread.thread().id() == std::thread::current().id()
}

/// Waits for nothing: gives back a thread that has not come to its very end, the
/// destructors of the host's thread-local data included.
#[cfg(all(target_os = "linux", not(target_env = "uclibc")))]
pub(crate) fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    use std::os::unix::thread::JoinHandleExt;
    unsafe extern "C" {
        fn pthread_tryjoin_np(
            thread: libc::pthread_t,
            value: *mut *mut libc::c_void,
        ) -> libc::c_int;
    }
    // SAFETY: a thread that is neither joined nor detached, as there is a handle.
    if unsafe { pthread_tryjoin_np(thread.as_pthread_t(), std::ptr::null_mut()) } != 0 {
        return Some(thread);
    }
    // It has been joined, and is not to be detached any more.
    thread.into_pthread_t();
    None
}

/// Elsewhere its very end cannot be looked for without waiting: the end of our own
/// work on it has to do.
#[cfg(not(all(target_os = "linux", not(target_env = "uclibc"))))]
pub(crate) fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    Some(thread).filter(|thread| !thread.is_finished())
}

/// Starts a thread of ours that no signal meant for the host can land on.
///
/// A new thread inherits its creator's mask, so everything is blocked for the
/// moment of creation. The faults stay deliverable (blocking them is undefined)
/// and so does SIGPROF, on which profilers sample.
pub(crate) fn spawn_thread(
    name: &str,
    stack_size: usize,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let builder = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack_size);
    #[cfg(unix)]
    {
        let mut blocked = super::signals::empty_set();
        let mut previous = super::signals::empty_set();
        // SAFETY: every set is initialised, every signal number valid.
        unsafe {
            libc::sigfillset(&mut blocked);
            for signal in [
                libc::SIGPROF,
                libc::SIGSEGV,
                libc::SIGBUS,
                libc::SIGFPE,
                libc::SIGILL,
                libc::SIGTRAP,
                libc::SIGABRT,
                libc::SIGSYS,
            ] {
                libc::sigdelset(&mut blocked, signal);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &blocked, &mut previous);
        }
        let thread = builder.spawn(work);
        // SAFETY: `previous` was filled in above.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &previous, std::ptr::null_mut());
        }
        thread
    }
    #[cfg(not(unix))]
    builder.spawn(work)
}
