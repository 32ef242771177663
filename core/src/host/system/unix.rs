//! What Unix systems have in common.
//!
//! A system shadows what it does in another way.
#![allow(dead_code)]

use std::{
    env,
    ffi::c_int,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read},
    mem,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
            net::UnixStream,
            thread::JoinHandleExt,
        },
    },
    path::{Path, PathBuf},
    ptr,
    thread::JoinHandle,
    time::Duration,
};

use libc::sigset_t;
use socket2::Socket;

use super::{Calls, ForkHandler, LockDirectories, Readiness, Refusal, Wish};

// ---- Clocks

pub fn read_clock(clock: libc::clockid_t) -> libc::timespec {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid timespec to write to. Every supported kernel has the clocks that are
    // used here.
    unsafe { libc::clock_gettime(clock, &mut now) };
    now
}

pub fn duration(of: libc::timespec) -> Duration {
    Duration::new(
        of.tv_sec.try_into().unwrap_or(0),
        of.tv_nsec.try_into().unwrap_or(0),
    )
}

// ---- Processes

/// Registers handlers that `fork` runs.
pub fn around_forks(before: ForkHandler, in_parent: ForkHandler, in_child: ForkHandler) {
    unsafe extern "C" {
        fn pthread_atfork(
            before: ForkHandler,
            in_parent: ForkHandler,
            in_child: ForkHandler,
        ) -> c_int;
    }
    // SAFETY: the handlers are code that stays loaded and does not unwind.
    unsafe { pthread_atfork(before, in_parent, in_child) };
}

pub fn process_id() -> u32 {
    std::process::id()
}

/// Registers a handler with `exit`.
pub fn at_exit(handler: extern "C" fn()) {
    // SAFETY: `handler` is code that stays loaded and does not unwind.
    unsafe { libc::atexit(handler) };
}

/// The library is linked so that the system does not unload it (`-z nodelete`). On Apple's systems
/// the loader keeps a library that has thread-local variables.
pub fn stay_loaded() {}

/// Ends the process at once, without handlers.
pub fn end_process() {
    // SAFETY: it does not return.
    unsafe { libc::_exit(0) }
}

fn effective_user() -> u32 {
    // SAFETY: it takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

/// Returns whether the process has more rights than the user who started it (setuid, setgid).
pub fn is_privileged() -> bool {
    // SAFETY: they take no arguments and cannot fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

/// Returns the calling thread's `errno`.
pub fn last_error() -> c_int {
    // SAFETY: the pointer is valid while the thread lives.
    unsafe { *super::error_number() }
}

pub fn set_last_error(number: c_int) {
    // SAFETY: as above.
    unsafe { *super::error_number() = number }
}

// ---- Threads

/// Returns the thread's id. The standard library's type for it is a number, also where it is a
/// pointer (musl).
#[allow(clippy::unnecessary_cast)]
pub fn id_of(thread: &JoinHandle<()>) -> libc::pthread_t {
    thread.as_pthread_t() as libc::pthread_t
}

pub fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    // SAFETY: both threads exist.
    unsafe { libc::pthread_equal(id_of(thread), libc::pthread_self()) != 0 }
}

/// Most systems cannot show the end of a thread without waiting. The end of the library's work on
/// the thread has to be enough.
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    Some(thread).filter(|thread| !thread.is_finished())
}

/// The standard library destroys its data for the current thread in a destructor of
/// thread-specific data. Ours runs before that, because its key is created before an event loop, so
/// it is older.
pub fn have_destructors_run() -> bool {
    use std::{
        cell::Cell,
        ffi::c_void,
        sync::atomic::{AtomicU64, Ordering::SeqCst},
    };

    thread_local! {
        static HAVE_RUN: Cell<bool> = const { Cell::new(false) };
    }
    /// The key plus one, or 0.
    static KEY: AtomicU64 = AtomicU64::new(0);

    extern "C" fn run(_: *mut c_void) {
        HAVE_RUN.set(true);
    }

    if KEY.load(SeqCst) == 0 {
        let mut new = 0;
        // SAFETY: a pointer for a key, and a function that stays loaded. If another thread has
        // created the key first, no thread uses this one.
        unsafe {
            if libc::pthread_key_create(&mut new, Some(run)) != 0 {
                return false;
            }
            #[allow(clippy::useless_conversion, clippy::cast_sign_loss)]
            if (KEY.compare_exchange(0, new as u64 + 1, SeqCst, SeqCst)).is_err() {
                libc::pthread_key_delete(new);
            }
        }
    }
    if !HAVE_RUN.get() {
        #[allow(clippy::cast_possible_truncation)]
        let key = (KEY.load(SeqCst) - 1) as libc::pthread_key_t;
        // SAFETY: the key is never deleted. The value only has to be non-NULL.
        unsafe { libc::pthread_setspecific(key, ptr::dangling::<c_void>()) };
    }
    HAVE_RUN.get()
}

/// Disables cancellation of the thread until it is dropped. `DISABLE` is the system's number for
/// `PTHREAD_CANCEL_DISABLE`.
pub struct Uncancelled<const DISABLE: c_int>(c_int);

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, previous: *mut c_int) -> c_int;
}

impl<const DISABLE: c_int> Uncancelled<DISABLE> {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let mut previous = 0;
        // SAFETY: a valid state, and a pointer for the previous one.
        unsafe { pthread_setcancelstate(DISABLE, &mut previous) };
        Self(previous)
    }
}

impl<const DISABLE: c_int> Drop for Uncancelled<DISABLE> {
    fn drop(&mut self) {
        let mut disabled = 0;
        // SAFETY: the previous state.
        unsafe { pthread_setcancelstate(self.0, &mut disabled) };
    }
}

pub type NoCancel = Uncancelled<1>;

// ---- Signals

/// A set of signals.
#[derive(Clone, Copy)]
pub struct SignalSet(sigset_t);

impl SignalSet {
    pub fn none() -> Self {
        // SAFETY: a set is a number of bits, and `sigemptyset` clears them.
        unsafe {
            let mut set: sigset_t = mem::zeroed();
            libc::sigemptyset(&mut set);
            Self(set)
        }
    }

    pub fn all() -> Self {
        let mut set = Self::none();
        // SAFETY: a valid set to fill.
        unsafe { libc::sigfillset(&mut set.0) };
        set
    }

    /// Returns the signals that the calling thread blocks.
    pub fn of_this_thread() -> Self {
        let mut current = Self::none();
        // SAFETY: a valid set to fill. Without a new set, the first argument is ignored.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut current.0) };
        current
    }

    /// Blocks these signals, and no others, for the calling thread. Returns the previous set, or
    /// this one if the system refuses it.
    pub fn set(&self) -> Self {
        let mut previous = Self::none();
        // SAFETY: two valid sets.
        let outcome = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, &mut previous.0) };
        if outcome == 0 { previous } else { *self }
    }

    pub fn remove(&mut self, signal: c_int) {
        // SAFETY: a valid set. An invalid signal number changes nothing.
        unsafe { libc::sigdelset(&mut self.0, signal) };
    }

    pub fn contains(&self, signal: c_int) -> bool {
        // SAFETY: as above.
        unsafe { libc::sigismember(&self.0, signal) == 1 }
    }
}

/// Faults, because to block them is undefined, and SIGPROF, which profilers use.
pub const NEVER_BLOCKED: [c_int; 8] = [
    libc::SIGPROF,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
];

/// The signals with which garbage collectors stop a thread.
pub fn collectors_signals() -> impl Iterator<Item = c_int> {
    [libc::SIGXCPU].into_iter()
}

// ---- Standard streams

/// Descriptors 0, 1 and 2.
pub const STREAMS: usize = 3;

/// Returns the descriptor of a socket.
pub fn number(of: &Socket) -> usize {
    of.as_raw_fd() as usize
}

/// Returns the inode of a descriptor.
pub fn inode(number: usize) -> io::Result<u64> {
    // SAFETY: any bytes are a valid value, and `fstat` fills them.
    let mut of: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: a pointer to one structure. Every number is allowed.
    match unsafe { libc::fstat(number as c_int, &mut of) } {
        #[allow(clippy::unnecessary_cast)]
        0 => Ok(of.st_ino as u64),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Returns whether no descriptor has this number.
pub fn is_free(number: usize) -> bool {
    inode(number).is_err_and(|why| why.raw_os_error() == Some(libc::EBADF))
}

/// Closes a descriptor that the library has opened and that nothing else owns.
pub fn close(number: usize) {
    // SAFETY: the caller owns the descriptor.
    unsafe { libc::close(number as c_int) };
}

// ---- Sockets

/// A blocking socket has time limits (`SO_RCVTIMEO`, `SO_SNDTIMEO`), after which it can still be
/// used.
pub const SOCKETS_HAVE_LIMITS: bool = true;

/// No write raises SIGPIPE with this flag.
pub const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;

/// A write with this flag does not wait.
pub const NOW: c_int = libc::MSG_DONTWAIT;

/// A read with these flags does not wait, and leaves the bytes in the socket.
pub const LOOK: c_int = libc::MSG_PEEK | NOW;

/// Returns whether a socket's time limit has passed. A connection that has broken returns another
/// error.
pub fn is_limit(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ) && why.raw_os_error() != Some(libc::ETIMEDOUT)
}

pub fn is_no_address_family(why: &io::Error) -> bool {
    why.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// Waits for a socket. A signal ends the wait early.
pub fn wait(socket: &Socket, wish: Wish, time: Duration) -> io::Result<Readiness> {
    let mut asked = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: match wish {
            Wish::Read => libc::POLLIN,
            Wish::Write => libc::POLLOUT,
            Wish::Either => libc::POLLIN | libc::POLLOUT,
        },
        revents: 0,
    };
    // Rounded up, because waits of 0 ms would be a busy loop.
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // SAFETY: one entry, with a descriptor that is open while it is borrowed.
    let count = unsafe { libc::poll(&mut asked, 1, milliseconds) };
    match count {
        -1 => match io::Error::last_os_error() {
            why if why.kind() == io::ErrorKind::Interrupted => Ok(Readiness::Neither),
            why => Err(why),
        },
        0 => Ok(Readiness::Neither),
        // On an error condition too: the next read returns the error.
        _ if asked.revents & !libc::POLLOUT != 0 => Ok(Readiness::Readable),
        _ => Ok(Readiness::Writable),
    }
}

/// An end of a pair of connected sockets.
pub type Stream = UnixStream;

pub fn socket_pair() -> io::Result<(Stream, Stream)> {
    Stream::pair()
}

/// Reads the byte that was written to the other end.
pub fn take_byte(from: &mut Stream) {
    // The host may have read it.
    let _ = from.read(&mut [0]);
}

/// Returns a stream's descriptor, for the host.
pub fn descriptor(of: &Stream) -> c_int {
    of.as_raw_fd()
}

// ---- Refusals

pub const CALLS: Calls = Calls {
    thread: "pthread_create",
    look_up: "getaddrinfo",
    event_loop: "kqueue",
    notifier: "socketpair",
    exchange: "sendto or recvfrom",
    file: "open",
};

pub fn refusal(why: &io::Error) -> Option<Refusal> {
    Some(match why.raw_os_error()? {
        libc::EMFILE | libc::ENFILE => Refusal::Descriptors,
        libc::EAGAIN => Refusal::Threads,
        libc::ENOBUFS | libc::ENOMEM => Refusal::Memory,
        libc::EPERM | libc::EACCES => Refusal::Forbidden,
        libc::ENOSYS => Refusal::Missing,
        _ => return None,
    })
}

// ---- Files of this user

/// Whether sessions can be stored: the system has an identifier of its start, and files that only
/// one user can open.
pub const STORES_SESSIONS: bool = true;

/// Reads `XDG_RUNTIME_DIR`, and `TMPDIR` (else `/tmp`). Other users may be able to write to the
/// second one. A setuid or setgid program ignores the environment.
pub fn lock_directories(is_privileged: bool) -> LockDirectories {
    let absolute = |name: &str| {
        let text = env::var_os(name).filter(|_| !is_privileged)?;
        // A relative path would mean another place after a change of directory.
        Some(PathBuf::from(text)).filter(|path| path.is_absolute())
    };
    let shared = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    LockDirectories {
        made: absolute("XDG_RUNTIME_DIR"),
        own: Some(shared.join(format!("zelf-{}", effective_user()))),
    }
}

/// Creates a directory that only this user can use.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Checks that other users cannot create files in a directory.
pub fn check_directory(path: &Path) -> Result<(), String> {
    // Do not follow a link: its owner could point it elsewhere.
    let metadata = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be examined: {error}"),
    })?;
    if !metadata.is_dir() {
        Err("is not a directory".to_owned())
    } else if metadata.uid() != effective_user() {
        Err("belongs to another user".to_owned())
    } else if metadata.mode() & 0o022 != 0 {
        Err("is writable by other users".to_owned())
    } else {
        Ok(())
    }
}

/// Opens a file for a lock, and creates it if necessary. Fails if it has more than `most` bytes, or
/// if another user may have put it there.
pub fn open_lock(path: &Path, most: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.uid() != effective_user() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        // Users who can open the file can lock it.
        return Err(io::Error::other("other users may open it"));
    }
    // The file will be overwritten, so make sure that it is a lock file.
    if metadata.nlink() > 1 || metadata.len() > most {
        return Err(io::Error::other("it is not a lock file"));
    }
    Ok(file)
}

/// Locks a file. The error has the kind `WouldBlock` if another one holds the lock.
pub fn lock(file: &File) -> io::Result<()> {
    flock(file, libc::LOCK_EX | libc::LOCK_NB)
}

pub fn unlock(file: &File) -> io::Result<()> {
    flock(file, libc::LOCK_UN)
}

fn flock(file: &File, operation: c_int) -> io::Result<()> {
    // SAFETY: an open descriptor.
    match unsafe { libc::flock(file.as_raw_fd(), operation) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Returns a file's descriptor, which a forked child inherits.
pub fn inherited(file: &File) -> c_int {
    file.as_raw_fd()
}

/// Returns whether the path leads to this file.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (here.dev(), here.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a file of at most `most` bytes that only this user can read and write. Returns its length,
/// too.
pub fn open_own(path: &Path, most: u64) -> io::Result<(File, u64)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    let metadata = file.metadata()?;
    let is_own = metadata.is_file()
        && metadata.uid() == effective_user()
        && metadata.mode() & 0o077 == 0
        && metadata.len() <= most;
    match is_own {
        true => Ok((file, metadata.len())),
        false => Err(io::Error::other("other users can access the file")),
    }
}

/// Creates a file that only this user can read and write.
pub fn create_own(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn only_a_directory_of_the_users_own_will_do() {
        let folder = env::temp_dir().join(format!("zelf-place-{}", std::process::id()));
        make_directory(&folder).unwrap();
        assert_eq!(check_directory(&folder), Ok(()));
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(check_directory(&folder).is_err());
        let link = folder.join("link");
        symlink("/", &link).unwrap();
        assert_eq!(check_directory(&link), Err("is not a directory".to_owned()));
        fs::remove_dir_all(&folder).unwrap();
        assert!(check_directory(&folder).is_err());
    }
}
