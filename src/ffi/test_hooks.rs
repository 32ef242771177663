//! Functions for the tests of this repository. No released library contains them.

use std::cell::Cell;

use zelf_core::host::panics::Point;

thread_local! {
    static PANIC_NEXT: Cell<bool> = const { Cell::new(false) };
}

/// Makes the next export on this thread panic.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_panic_next() {
    PANIC_NEXT.set(true);
}

pub(super) fn panic_if_asked() {
    if PANIC_NEXT.take() {
        panic!("asked to by a test: s3cr3t");
    }
}

/// Makes the next asynchronous call, of any client, panic in its task.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_panic_in_next_task() {
    Point::Task.arm();
}

/// Makes the next callback of an asynchronous call panic before it runs.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_panic_in_next_callback() {
    Point::Callback.arm();
}

/// Makes the I/O thread panic at its next call.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_panic_in_io_thread() {
    Point::IoThread.arm();
}

/// Increments a counter without synchronisation. A race detector has to report it.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_race() {
    static mut COUNT: u64 = 0;
    // SAFETY: none. The race is intended.
    unsafe { COUNT += 1 };
}
