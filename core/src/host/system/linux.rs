//! Linux, with glibc or musl.

use std::{ffi::c_int, mem, ptr, thread::JoinHandle};

pub use super::{
    linux_kernel::{
        CALLS, at_exit, boot_id, collectors_signals, is_privileged, process_id, since_boot, tick,
    },
    unix::*,
};

#[cfg(target_pointer_width = "64")]
pub use super::linux_probes::*;
#[cfg(not(target_pointer_width = "64"))]
pub use super::missing::{
    CONNECTIONS, EVENT_LOOPS, FILES, LOOK_UPS, NOTIFIERS, RANDOM_NUMBERS, THREADS, WAITS,
    WITHOUT_A_WAY_OUT, call_on_nothing,
};

/// Joins a thread that has ended, without waiting. Otherwise returns the thread. A thread has not
/// ended while destructors of the host's thread-specific data run.
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    use std::os::unix::thread::JoinHandleExt;
    unsafe extern "C" {
        fn pthread_tryjoin_np(thread: libc::pthread_t, value: *mut *mut libc::c_void) -> c_int;
    }
    // SAFETY: there is a handle, so the thread is neither joined nor detached.
    if unsafe { pthread_tryjoin_np(id_of(&thread), ptr::null_mut()) } != 0 {
        return Some(thread);
    }
    // The thread is joined, so the handle must not detach it.
    thread.into_pthread_t();
    None
}

/// Returns how much of a thread's stack the C library may take for thread-local variables: glibc puts
/// those of the program and of its libraries there.
pub fn reserved_stack() -> usize {
    unsafe extern "C" fn add(
        object: *mut libc::dl_phdr_info,
        _: libc::size_t,
        sum: *mut libc::c_void,
    ) -> c_int {
        // SAFETY: the loader passes a valid object with its program headers, and our pointer.
        unsafe {
            let object = &*object;
            let sum = &mut *sum.cast::<usize>();
            for number in 0..usize::from(object.dlpi_phnum) {
                let header = &*object.dlpi_phdr.add(number);
                if header.p_type == libc::PT_TLS {
                    let size = header.p_memsz + header.p_align;
                    *sum = sum.saturating_add(size as usize);
                }
            }
        }
        0
    }
    let mut sum = 0_usize;
    // SAFETY: the function only reads objects, and adds to our number.
    unsafe { libc::dl_iterate_phdr(Some(add), ptr::from_mut(&mut sum).cast()) };
    sum
}

/// Runs code that writes files. A limit of their size (RLIMIT_FSIZE) is an error of the write then,
/// and SIGXFSZ does not end the host. Linux sends this signal to the thread that writes.
pub fn without_size_signal<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: an empty set is all zeros.
    let (mut signal, mut pending): (libc::sigset_t, libc::sigset_t) = unsafe { mem::zeroed() };
    // SAFETY: two valid sets.
    let was_pending = unsafe {
        libc::sigaddset(&mut signal, libc::SIGXFSZ);
        libc::sigpending(&mut pending);
        libc::sigismember(&pending, libc::SIGXFSZ) == 1
    };
    let before = SignalSet::of_this_thread();
    // SAFETY: a valid set. Without a place for the previous set, that one is not returned.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &signal, ptr::null_mut()) };
    let outcome = body();
    if !was_pending {
        let at_once = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: a valid set and time. It takes the signal, if there is one, and does not wait.
        unsafe { libc::sigtimedwait(&signal, ptr::null_mut(), &at_once) };
    }
    before.set();
    outcome
}

/// Returns where the thread's error number is.
pub fn error_number() -> *mut c_int {
    // SAFETY: it takes no arguments, and its result is valid for the thread's life.
    unsafe { libc::__errno_location() }
}
