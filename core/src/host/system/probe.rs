//! A system call that can be made without an effect.

#[derive(Clone, Copy)]
pub struct Probe {
    pub name: &'static str,
    pub how: How,
}

/// How to make the system call without an effect.
#[derive(Clone, Copy)]
pub enum How {
    /// By its number. The first argument is -1, which is neither a descriptor nor a family. The
    /// arguments at these positions point to a buffer, because memory checkers require one for an
    /// empty path or message. The others are 0.
    OnNothing(i64, &'static [usize]),
    By(fn() -> i64),
}
