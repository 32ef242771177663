//! The callbacks of all clients that run inside each other on one thread.

use std::{
    cell::{Cell, RefCell},
    mem::{self, ManuallyDrop},
    sync::Arc,
};

use crate::host::panics;

/// The limit for callbacks inside each other. The stack is finite.
const DEEPEST: usize = 8;

/// A closed client, some of whose callbacks have not run.
pub trait Closed {
    /// Runs the callbacks that are left.
    fn run_left(self: Arc<Self>);
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static RUNS_LEFT: Cell<bool> = const { Cell::new(false) };
    /// The clients that were closed too deep. `ManuallyDrop` keeps the list usable in the
    /// destructors of the host's thread-specific data.
    static LEFT: RefCell<ManuallyDrop<Vec<Arc<dyn Closed>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Returns whether no further callback may run inside those of this thread.
pub fn is_too_deep() -> bool {
    DEPTH.get() >= DEEPEST
}

/// Leaves the callbacks of a closed client until a callback of this thread has returned.
pub fn leave(client: Arc<dyn Closed>) {
    LEFT.with_borrow_mut(|left| {
        if !left.iter().any(|other| Arc::ptr_eq(other, &client)) {
            left.push(client);
        }
    });
}

/// Runs a callback, and then the callbacks that were left. If the library panics, only this callback
/// is lost.
pub fn run(callback: impl FnOnce()) {
    DEPTH.set(DEPTH.get() + 1);
    let _ = panics::catch(callback);
    DEPTH.set(DEPTH.get() - 1);
    run_left();
}

/// Runs the callbacks that were left. They may leave further ones, which run here too, and not inside
/// each other.
fn run_left() {
    if RUNS_LEFT.get() {
        return;
    }
    RUNS_LEFT.set(true);
    loop {
        let left = LEFT.with_borrow_mut(|left| mem::take(&mut **left));
        if left.is_empty() {
            break;
        }
        left.into_iter().for_each(Closed::run_left);
    }
    RUNS_LEFT.set(false);
}
