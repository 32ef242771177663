//! What only the operating system can do: clocks, `errno`, exit, fork, signals,
//! threads.
//!
//! With the skin (`ffi`), the only place where `unsafe` may stand. Each
//! function has a portable fallback, so a new platform is a few lines here and
//! nothing elsewhere.

mod signals;
mod threads;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use signals::NoSigpipe;
pub(crate) use threads::{is_this_thread, keep_main_thread_in_sight, spawn_thread, try_join};

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

/// Has `handler`, which is always the same, run by exit() and quick_exit(),
/// before what was registered earlier. Where there is no such thing, or no room,
/// it never runs.
#[cfg(unix)]
pub(crate) fn at_exit(handler: fn()) {
    use std::{
        mem, ptr,
        sync::atomic::{AtomicPtr, Ordering::SeqCst},
    };
    // Nothing that a forked child could have to wait for.
    static HANDLER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
    extern "C" fn run() {
        let handler = HANDLER.load(SeqCst);
        if !handler.is_null() {
            // SAFETY: it was a `fn()`.
            unsafe { mem::transmute::<*mut (), fn()>(handler)() };
        }
    }
    HANDLER.store(handler as *mut (), SeqCst);
    // SAFETY: `run` is code that stays loaded and does not unwind.
    unsafe {
        libc::atexit(run);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            unsafe extern "C" {
                fn at_quick_exit(handler: extern "C" fn()) -> libc::c_int;
            }
            at_quick_exit(run);
        }
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

/// Whether valgrind runs the program. To a processor the question is a few turns
/// that come out where they began; valgrind knows them by sight and answers.
#[cfg(all(target_arch = "x86_64", unix))]
pub(crate) fn is_under_valgrind() -> bool {
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: rdi is turned by 128 bits in all, which changes nothing; valgrind
    // reads the request and writes rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer != 0
}

#[cfg(not(all(target_arch = "x86_64", unix)))]
pub(crate) fn is_under_valgrind() -> bool {
    false
}
