//! Code of the host that ends its thread: with `pthread_exit`, or with `pthread_cancel` if the host
//! has enabled it.
//!
//! glibc then unwinds the stack. The unwinding has to reach the start of the thread, and must not
//! meet a `catch_unwind`. So it is stopped below the host's frames, and the frames of the library
//! return normally. Then the exported function that the host had called continues the unwinding. A
//! thread of the library ends by returning.

use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    ptr,
    task::Waker,
};

use crate::host::system::unwinding;

thread_local! {
    /// The unwinding that was stopped on this thread, or NULL.
    static STOPPED: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    /// Wakes the event loop of this thread when the host ends the thread.
    static TO_WAKE: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Runs a function of the host. Also returns if the function ends the thread. If a C++ exception
/// leaves the function, the process ends (`std::terminate`).
///
/// `Copy` makes sure that no frame of `body` has a destructor, so it may be unwound.
pub fn contain(body: impl FnOnce() + Copy) {
    // This is the unwinding of an outer function. Code inside `body` must not see it.
    let outer = STOPPED.replace(ptr::null_mut());
    let stopped = unwinding::run(body);
    if stopped.is_null() {
        STOPPED.set(outer);
        return;
    }
    STOPPED.set(stopped);
    let _ = TO_WAKE.try_with(|waker| {
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    });
}

/// Returns whether the host is ending this thread. Its frames in the library still have to return.
pub fn is_ending() -> bool {
    !STOPPED.get().is_null()
}

/// Discards the unwinding that was stopped on this thread. The thread belongs to the library and
/// ends by returning. After that, the host's destructors may call the library.
pub fn finish() {
    STOPPED.set(ptr::null_mut());
}

/// Wakes `waker` when the host ends this thread.
pub fn wake_at_end(waker: &Waker) {
    let _ = TO_WAKE.try_with(|place| {
        place.replace(Some(waker.clone()));
    });
}

/// Continues the unwinding that was stopped on this thread. No frame from here to the host's frames
/// may catch it.
#[cold]
pub fn go_on() -> ! {
    unwinding::resume(STOPPED.replace(ptr::null_mut()))
}
