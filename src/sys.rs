//! What only the operating system can do: clocks, signals, `errno`.
//!
//! With the skin (`ffi`), the only place where `unsafe` may stand. Each
//! function has a portable fallback, so a new platform is a few lines here and
//! nothing elsewhere.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that never jumps and goes on while the device is suspended, counted
/// from an arbitrary moment. A session expires on the server while a phone
/// sleeps, so a clock that stops in sleep would call it alive.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn time_since_boot() -> Duration {
    // Apple's CLOCK_MONOTONIC runs during sleep (CLOCK_UPTIME_RAW is the one
    // that stops); Linux keeps that meaning for CLOCK_BOOTTIME.
    #[cfg(target_vendor = "apple")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;

    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid timespec to write to, and the clock exists on
    // every kernel this target supports.
    unsafe { libc::clock_gettime(CLOCK, &mut now) };
    Duration::new(
        now.tv_sec.try_into().unwrap_or(0),
        now.tv_nsec.try_into().unwrap_or(0),
    )
}

/// Elsewhere the best portable clock: on Windows it runs during sleep, on
/// other systems it may stop.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn time_since_boot() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The device's wall clock in Unix seconds; users set it as they like, so it is
/// the last resort only.
pub(crate) fn wall_clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// Puts `errno` back when dropped: a C caller does not expect a library to
/// change it on success.
pub(crate) struct KeepErrno(#[cfg(unix)] libc::c_int);

#[cfg(unix)]
mod errno {
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "emscripten", target_os = "redox"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;

    pub(super) fn get() -> libc::c_int {
        // SAFETY: always a valid pointer to this thread's errno.
        unsafe { *location() }
    }

    pub(super) fn set(value: libc::c_int) {
        // SAFETY: as above.
        unsafe { *location() = value }
    }
}

impl KeepErrno {
    pub(crate) fn new() -> Self {
        Self(
            #[cfg(unix)]
            errno::get(),
        )
    }
}

impl Drop for KeepErrno {
    fn drop(&mut self) {
        #[cfg(unix)]
        errno::set(self.0);
    }
}

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

/// Puts pthread_cancel off: waiting for the network, reading or closing a file
/// are cancellation points, and a thread cannot be unwound through us.
#[cfg(all(unix, not(target_os = "android")))]
pub(crate) struct NoCancel(libc::c_int);

#[cfg(all(unix, not(target_os = "android")))]
mod cancel {
    #[cfg(target_vendor = "apple")]
    pub(super) const DISABLE: libc::c_int = 0;
    #[cfg(not(target_vendor = "apple"))]
    pub(super) const DISABLE: libc::c_int = 1;

    unsafe extern "C" {
        #[link_name = "pthread_setcancelstate"]
        pub(super) fn set_state(state: libc::c_int, previous: *mut libc::c_int) -> libc::c_int;
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl NoCancel {
    pub(crate) fn new() -> Self {
        let mut previous = 0;
        // SAFETY: a valid state and a place for the previous one.
        unsafe { cancel::set_state(cancel::DISABLE, &mut previous) };
        Self(previous)
    }
}

#[cfg(all(unix, not(target_os = "android")))]
impl Drop for NoCancel {
    fn drop(&mut self) {
        let mut disabled = 0;
        // SAFETY: the state that was in force before.
        unsafe { cancel::set_state(self.0, &mut disabled) };
    }
}

/// Android's threads cannot be cancelled.
#[cfg(not(all(unix, not(target_os = "android"))))]
pub(crate) struct NoCancel;

#[cfg(not(all(unix, not(target_os = "android"))))]
impl NoCancel {
    pub(crate) fn new() -> Self {
        Self
    }
}

#[cfg(unix)]
fn empty_set() -> libc::sigset_t {
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
        && errno::get() == libc::EINTR
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

/// Keeps what the standard library allocates for the main thread in sight of
/// leak checkers.
///
/// It frees such a handle when its thread exits, which a main thread never
/// does, and holds it by a pointer into its middle: valgrind would report it as
/// possibly lost, once for each program that calls us from `main`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn keep_main_thread_in_sight() {
    use std::{cell::Cell, sync::OnceLock, thread};
    static MAIN: OnceLock<thread::Thread> = OnceLock::new();
    thread_local! {
        static ASKED: Cell<bool> = const { Cell::new(false) };
    }
    // Not `gettid`, which glibc has had since 2.30 only.
    // SAFETY: both calls only read the caller's numbers.
    if !ASKED.replace(true)
        && unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) }
    {
        MAIN.get_or_init(thread::current);
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn keep_main_thread_in_sight() {}

/// Has `handler` run by exit(), before what was registered earlier. Where there
/// is no such thing, or no room, it never runs.
#[cfg(unix)]
pub(crate) fn at_exit(handler: fn()) {
    use std::sync::OnceLock;
    static HANDLER: OnceLock<fn()> = OnceLock::new();
    extern "C" fn run() {
        if let Some(handler) = HANDLER.get() {
            handler();
        }
    }
    if HANDLER.set(handler).is_ok() {
        // SAFETY: `run` is code that stays loaded and does not unwind.
        unsafe { libc::atexit(run) };
    }
}

#[cfg(not(unix))]
pub(crate) fn at_exit(_: fn()) {}

/// Has `handler` run in every child that fork() makes, before fork() returns
/// there. It is forgotten when the library is unloaded.
#[cfg(unix)]
pub(crate) fn in_each_child(handler: fn()) {
    use std::sync::OnceLock;
    static HANDLER: OnceLock<fn()> = OnceLock::new();
    extern "C" fn run() {
        if let Some(handler) = HANDLER.get() {
            handler();
        }
    }
    type Handler = Option<extern "C" fn()>;
    unsafe extern "C" {
        fn pthread_atfork(before: Handler, in_parent: Handler, in_child: Handler) -> libc::c_int;
    }
    if HANDLER.set(handler).is_ok() {
        // SAFETY: `run` does not unwind, and waits for no lock.
        unsafe { pthread_atfork(None, None, Some(run)) };
    }
}

#[cfg(not(unix))]
pub(crate) fn in_each_child(_: fn()) {}

/// Starts a thread of ours that no signal meant for the host can land on.
///
/// A new thread inherits its creator's mask, so everything is blocked for the
/// moment of creation. The faults stay deliverable (blocking them is undefined)
/// and so does SIGPROF, on which profilers sample.
pub(crate) fn spawn_thread(
    name: &str,
    stack_size: usize,
    work: impl FnOnce() + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let builder = std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(stack_size);
    #[cfg(unix)]
    {
        let mut blocked = empty_set();
        let mut previous = empty_set();
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
