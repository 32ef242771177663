//! Another shared library in Rust, for the test of unloading. It has its own copy of the standard
//! library, panic hook and thread-local destructors.

use std::{cell::RefCell, panic, thread};

thread_local! {
    static LAST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[unsafe(no_mangle)]
pub extern "C" fn second_library_works() -> bool {
    LAST.with_borrow_mut(|last| last.push(1));
    let caught = panic::catch_unwind(|| panic::resume_unwind(Box::new("a panic")));
    let joined = thread::spawn(|| LAST.with_borrow_mut(|last| last.push(2))).join();
    caught.is_err() && joined.is_ok()
}
