//! The end of a thread does not unwind its stack, or the unwinding cannot be stopped.
//!
//! musl, Android's and Apple's C libraries end a thread without an unwinding: our frames stay on
//! its stack. On Windows, `ExitThread` does the same.

use std::{ffi::c_void, process, ptr};

pub fn run(body: impl FnOnce() + Copy) -> *mut c_void {
    body();
    ptr::null_mut()
}

pub fn resume(_: *mut c_void) -> ! {
    process::abort()
}
