//! Stops the unwinding with which glibc ends a thread.

use std::{
    arch::naked_asm,
    ffi::{c_int, c_void},
    mem::MaybeUninit,
};

type Function = unsafe extern "C-unwind" fn(*mut c_void);

/// Calls `body`. Returns NULL, or the unwinding that was stopped.
pub fn run<F: FnOnce() + Copy>(mut body: F) -> *mut c_void {
    unsafe extern "C-unwind" fn call<F: FnOnce() + Copy>(body: *mut c_void) {
        // SAFETY: `run` passes its own `body`.
        let body = unsafe { *body.cast::<F>() };
        body();
    }
    let handlers = Handlers::of_this_thread();
    // SAFETY: `call` gets its own type of data, and its frames may be unwound.
    let stopped = unsafe { fenced(call::<F>, (&raw mut body).cast()) };
    if !stopped.is_null() {
        handlers.restore();
    }
    stopped
}

/// The C library's list of the thread's `pthread_cleanup_push` handlers. After an unwinding it
/// still contains handlers of frames that no longer exist.
struct Handlers(MaybeUninit<Place>);

/// Large enough for a `__pthread_unwind_buf_t` on both architectures.
#[repr(C, align(16))]
struct Place(#[allow(dead_code)] [u64; 40]);

unsafe extern "C" {
    fn __pthread_register_cancel(place: *mut Place);
    fn __pthread_unregister_cancel(place: *const Place);
}

impl Handlers {
    fn of_this_thread() -> Self {
        let mut place = MaybeUninit::uninit();
        // SAFETY: the first function writes the thread's handlers to `place` and adds `place`
        // to them. The second one reverts this.
        unsafe {
            __pthread_register_cancel(place.as_mut_ptr());
            __pthread_unregister_cancel(place.as_ptr());
        }
        Self(place)
    }

    fn restore(&self) {
        // SAFETY: `place` was written, and its handlers belong to frames that still exist.
        unsafe { __pthread_unregister_cancel(self.0.as_ptr()) };
    }
}

pub fn resume(unwinding: *mut c_void) -> ! {
    unsafe extern "C-unwind" {
        fn _Unwind_Resume_or_Rethrow(unwinding: *mut c_void) -> c_int;
    }
    // SAFETY: an unwinding that was stopped, used once. A forced unwinding never returns.
    unsafe { _Unwind_Resume_or_Rethrow(unwinding) };
    std::process::abort();
}

/// Calls `function` with `data`. Returns NULL, or the unwinding that `personality` has stopped.
///
/// The language-specific data (LSDA) in its unwind table is the address at which it continues
/// then.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn fenced(function: Function, data: *mut c_void) -> *mut c_void {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_personality 0x1b, {personality}",
        ".cfi_lsda 0x1b, .Lzelf_stopped",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rax, rdi",
        "mov rdi, rsi",
        "call rax",
        "xor eax, eax",
        ".Lzelf_stopped:",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        personality = sym personality,
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C-unwind" fn fenced(function: Function, data: *mut c_void) -> *mut c_void {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_personality 0x1b, {personality}",
        ".cfi_lsda 0x1b, .Lzelf_stopped",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, sp",
        "mov x8, x0",
        "mov x0, x1",
        "blr x8",
        "mov x0, xzr",
        ".Lzelf_stopped:",
        "ldp x29, x30, [sp], #16",
        ".cfi_restore x29",
        ".cfi_restore x30",
        ".cfi_def_cfa_offset 0",
        "ret",
        ".cfi_endproc",
        personality = sym personality,
    )
}

/// Decides what happens to an unwinding that reaches the frame of `fenced`. A forced one stops
/// there. Any other one is refused, and the code that threw it is told.
///
/// The names and numbers are those of the Itanium C++ ABI for exception handling.
unsafe extern "C" fn personality(
    _version: c_int,
    actions: c_int,
    _class: u64,
    unwinding: *mut c_void,
    context: *mut c_void,
) -> c_int {
    const SEARCH_PHASE: c_int = 1;
    const FORCE_UNWIND: c_int = 8;
    const FATAL_PHASE2_ERROR: c_int = 2;
    const FATAL_PHASE1_ERROR: c_int = 3;
    const INSTALL_CONTEXT: c_int = 7;
    /// The register for a returned pointer, on both architectures.
    const RESULT: c_int = 0;
    unsafe extern "C" {
        fn _Unwind_GetLanguageSpecificData(context: *mut c_void) -> usize;
        fn _Unwind_SetGR(context: *mut c_void, register: c_int, value: usize);
        fn _Unwind_SetIP(context: *mut c_void, address: usize);
    }
    if actions & FORCE_UNWIND == 0 {
        return match actions & SEARCH_PHASE {
            0 => FATAL_PHASE2_ERROR,
            _ => FATAL_PHASE1_ERROR,
        };
    }
    // SAFETY: the unwinder's own context. At this address, `fenced` returns the result
    // register, with the stack as after its call.
    unsafe {
        _Unwind_SetGR(context, RESULT, unwinding.expose_provenance());
        _Unwind_SetIP(context, _Unwind_GetLanguageSpecificData(context));
    }
    INSTALL_CONTEXT
}
