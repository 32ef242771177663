//! The parts that differ between systems: one file for each system, with the same names.
//!
//! A file takes the names of `unix` if it can, and those of `missing` for what the system lacks. A
//! new system is a new file and two lines below. Nothing here imports another module of the
//! library, so each module of `host` can import this one.

mod missing;
pub mod probe;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "android")]
#[path = "android.rs"]
mod this;
#[cfg(target_vendor = "apple")]
#[path = "apple.rs"]
mod this;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod this;
#[cfg(windows)]
#[path = "windows.rs"]
mod this;
/// The BSDs and other Unix systems.
#[cfg(all(
    unix,
    not(any(target_os = "linux", target_os = "android", target_vendor = "apple"))
))]
#[path = "bsd.rs"]
mod this;

/// What Linux and Android have in common.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux_kernel;
/// The system calls that Linux has under these names on 64-bit machines.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux_probes;

/// The unwinding of glibc, on the processors for which it can be stopped.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#[path = "glibc_unwinding.rs"]
pub(crate) mod unwinding;
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "no_unwinding.rs"]
pub(crate) mod unwinding;

pub use this::*;

/// A handler of `pthread_atfork`.
pub type ForkHandler = Option<extern "C" fn()>;

/// The result of waiting for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Bytes have arrived, or the connection has ended.
    Readable,
    Writable,
    /// The time has passed.
    Neither,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Read,
    Write,
    Either,
}

/// Why a system refuses a call, if it is neither the network nor an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The process or the system has no descriptor left.
    Descriptors,
    /// It has no thread left.
    Threads,
    Memory,
    /// The rules of a sandbox, a container or a firewall forbid the call.
    Forbidden,
    /// The system does not have the call.
    Missing,
}

/// The system's functions, as error messages name them.
pub struct Calls {
    pub thread: &'static str,
    pub look_up: &'static str,
    pub event_loop: &'static str,
    pub notifier: &'static str,
    pub exchange: &'static str,
    pub file: &'static str,
}

/// Directories for lock files.
pub struct LockDirectories {
    /// A directory that the system has made for the user.
    pub made: Option<std::path::PathBuf>,
    /// A directory that the library makes.
    pub own: Option<std::path::PathBuf>,
}
