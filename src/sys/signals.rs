//! SIGPIPE, which a library must not let out.

/// Keeps SIGPIPE from a thread while it does I/O.
///
/// TLS writes are vectored and Rust's vectored writes do not pass
/// `MSG_NOSIGNAL`, so a peer that resets the connection would kill a host that
/// left SIGPIPE at its default. The signal is blocked, a pending one that the
/// I/O caused is consumed, and the thread's mask is put back; the process-wide
/// disposition is never touched.
pub(crate) struct NoSigpipe {
    #[cfg(unix)]
    previous: libc::sigset_t,
    #[cfg(unix)]
    pending_before: bool,
}

#[cfg(unix)]
impl NoSigpipe {
    pub(crate) fn new() -> Self {
        let set = sigpipe_only();
        let mut previous = empty_set();
        // SAFETY: both sets are initialised and live across the call.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut previous) };
        // If the host had not blocked it, none can have been pending here.
        // SAFETY: `previous` is an initialised set.
        let was_blocked = unsafe { libc::sigismember(&previous, libc::SIGPIPE) } == 1;
        Self {
            previous,
            pending_before: was_blocked && sigpipe_is_pending(),
        }
    }
}

#[cfg(unix)]
impl Drop for NoSigpipe {
    fn drop(&mut self) {
        if !self.pending_before {
            take_pending_sigpipe();
        }
        // SAFETY: `previous` was filled in by pthread_sigmask.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.previous, std::ptr::null_mut());
        }
    }
}

#[cfg(not(unix))]
impl NoSigpipe {
    pub(crate) fn new() -> Self {
        Self {}
    }
}

#[cfg(unix)]
pub(super) fn empty_set() -> libc::sigset_t {
    // SAFETY: an all-zero sigset_t is valid memory for sigemptyset to fill.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    }
}

#[cfg(unix)]
fn sigpipe_only() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: `set` is initialised and SIGPIPE is a valid signal number.
    unsafe { libc::sigaddset(&mut set, libc::SIGPIPE) };
    set
}

#[cfg(unix)]
fn sigpipe_is_pending() -> bool {
    let mut pending = empty_set();
    // SAFETY: `pending` is a valid set to write to, then to read.
    unsafe {
        libc::sigpending(&mut pending);
        libc::sigismember(&pending, libc::SIGPIPE) == 1
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn take_pending_sigpipe() {
    let set = sigpipe_only();
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // One call instead of sigpending and sigwait; EAGAIN says there was none.
    // SAFETY: valid set and timeout; no siginfo is asked for.
    while unsafe { libc::sigtimedwait(&set, std::ptr::null_mut(), &at_once) } == -1
        && super::errno::get() == libc::EINTR
    {}
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn take_pending_sigpipe() {
    if sigpipe_is_pending() {
        let set = sigpipe_only();
        let mut taken = 0;
        // SAFETY: valid set and a valid place for the signal's number.
        unsafe { libc::sigwait(&set, &mut taken) };
    }
}
