//! Threads of ours.

use std::thread::JoinHandle;

/// Returns a number that tells threads apart as long as they live.
pub fn this_thread() -> usize {
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Returns whether `thread` is the calling one.
///
/// It does not ask the standard library for the thread's id: that is gone when
/// the host's thread-specific destructors run.
#[cfg(unix)]
pub fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    use std::os::unix::thread::JoinHandleExt;
    // SAFETY: both threads exist.
    unsafe { libc::pthread_equal(thread.as_pthread_t(), libc::pthread_self()) != 0 }
}

#[cfg(not(unix))]
pub fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    thread.thread().id() == std::thread::current().id()
}

/// Joins a thread that has ended, without waiting. Returns one that has not: the
/// destructors of the host's thread-local data count as part of it.
#[cfg(all(target_os = "linux", not(target_env = "uclibc")))]
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    use std::os::unix::thread::JoinHandleExt;
    unsafe extern "C" {
        fn pthread_tryjoin_np(
            thread: libc::pthread_t,
            value: *mut *mut libc::c_void,
        ) -> libc::c_int;
    }
    // SAFETY: there is a handle, so the thread is neither joined nor detached.
    if unsafe { pthread_tryjoin_np(thread.as_pthread_t(), std::ptr::null_mut()) } != 0 {
        return Some(thread);
    }
    // It has been joined, and must not be detached any more.
    thread.into_pthread_t();
    None
}

/// Elsewhere the end of a thread cannot be seen without waiting. The end of our
/// own work on it has to do.
#[cfg(not(all(target_os = "linux", not(target_env = "uclibc"))))]
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    Some(thread).filter(|thread| !thread.is_finished())
}

/// Starts a thread that no signal meant for the host can land on.
///
/// A new thread inherits its creator's mask, so the creator blocks all signals
/// for the moment of creation. The faults stay deliverable, as blocking them is
/// undefined, and so does SIGPROF, on which profilers sample.
pub fn spawn(
    name: &str,
    stack_size: usize,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let builder = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack_size);
    #[cfg(unix)]
    {
        // SAFETY: `sigfillset` and `pthread_sigmask` fill the zeroed sets, and
        // every signal number is valid.
        let previous = unsafe {
            let mut blocked: libc::sigset_t = std::mem::zeroed();
            let mut previous: libc::sigset_t = std::mem::zeroed();
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
            previous
        };
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
