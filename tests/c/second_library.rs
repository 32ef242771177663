//! Another shared library in Rust, for the test of unloading: it has a standard
//! library, a panic hook and thread-local destructors of its own.

use std::{cell::RefCell, panic, thread};

thread_local! {
    static LAST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[unsafe(no_mangle)]
pub extern "C" fn second_library_works() -> bool {
    LAST.with_borrow_mut(|last| last.push(1));
    let caught = panic::catch_unwind(|| panic::resume_unwind(Box::new("a panic of its own")));
    let joined = thread::spawn(|| LAST.with_borrow_mut(|last| last.push(2))).join();
    caught.is_err() && joined.is_ok()
}
