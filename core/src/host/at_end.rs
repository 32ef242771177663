//! Code that runs at the end of a scope.

/// Runs a function when its scope ends, also if code of the host panics in the scope.
///
/// If the host ends its thread there, the scope returns normally: see `forced_unwind`.
pub struct AtEnd<F: Fn()>(pub F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
