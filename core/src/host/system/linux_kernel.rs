//! What Linux and Android have in common.

use std::{
    ffi::c_int,
    fs, ptr,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::*},
    time::Duration,
};

use super::{Calls, unix};

/// `CLOCK_BOOTTIME` runs while the device is suspended.
pub fn since_boot() -> Duration {
    unix::duration(unix::read_clock(libc::CLOCK_BOOTTIME))
}

/// Counts the ticks of the system's clock. The kernel also updates it when it suspends.
pub fn tick() -> u64 {
    let now = unix::read_clock(libc::CLOCK_MONOTONIC_COARSE);
    (now.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec as u64)
}

pub fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Registers a handler with `exit` and `quick_exit`.
pub fn at_exit(handler: extern "C" fn()) {
    unsafe extern "C" {
        fn at_quick_exit(handler: extern "C" fn()) -> c_int;
    }
    // SAFETY: `handler` is code that stays loaded and does not unwind.
    unsafe {
        libc::atexit(handler);
        at_quick_exit(handler);
    }
}

/// Returns whether the process has more rights than the user who started it (setuid, setgid, or
/// capabilities of its file).
pub fn is_privileged() -> bool {
    // SAFETY: it takes a number, and returns 0 for an unknown one.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Returns the id of this process. Asks the kernel once in each process.
///
/// The id is stored on a page that the kernel clears in every child, however the child is created
/// (`MADV_WIPEONFORK`, see madvise(2)). This saves a system call in every call.
// Inline, because its only caller is called in many places and is too large to be copied there.
#[inline(always)]
pub fn process_id() -> u32 {
    static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
    /// The kernel does not support it: Linux before 4.14, or a sandbox.
    static CANNOT: AtomicBool = AtomicBool::new(false);
    const SIZE: usize = 4096;
    const NO_ADVICE: c_int = -1;

    let mut page = PAGE.load(Acquire);
    if page.is_null() {
        if CANNOT.load(Relaxed) {
            return std::process::id();
        }
        // SAFETY: a new private mapping, of which the first word is used. It is unmapped if the
        // kernel cannot clear it, or if another thread has made one first.
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
            // An emulator that accepts every advice ignores it.
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
    // SAFETY: the page is never unmapped, and contains one atomic number.
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

/// The signals with which garbage collectors stop a thread: those of bdwgc, Mono and D.
pub fn collectors_signals() -> impl Iterator<Item = c_int> {
    [libc::SIGPWR, libc::SIGXCPU]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}

pub const CALLS: Calls = Calls {
    event_loop: "epoll_create1",
    ..unix::CALLS
};
