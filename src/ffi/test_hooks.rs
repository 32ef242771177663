//! For our own tests only; never in a library that ships.

use std::cell::Cell;

use zelf_core::host::panics::Point;

thread_local! {
    static PANIC_NEXT: Cell<bool> = const { Cell::new(false) };
}

/// Makes the next export that this thread calls panic inside.
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

/// Makes the thread that does the I/O panic when it has the next call.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_panic_in_io_thread() {
    Point::IoThread.arm();
}

/// Counts, and without the care that several threads would need: what looks for
/// races has to see this one.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_test_race() {
    static mut COUNT: u64 = 0;
    // SAFETY: none; that is the point.
    unsafe { COUNT += 1 };
}
