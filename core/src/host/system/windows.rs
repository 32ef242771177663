//! Windows, from Windows 10.

use std::{
    env,
    ffi::{CStr, c_int, c_void},
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read},
    mem,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::windows::{
        fs::OpenOptionsExt,
        io::{AsRawHandle, AsRawSocket},
    },
    path::{Path, PathBuf},
    ptr,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use socket2::{SockRef, Socket};
use windows_sys::Win32::{
    Foundation::{
        ERROR_ACCESS_DENIED, ERROR_COMMITMENT_LIMIT, ERROR_LOCK_VIOLATION,
        ERROR_NO_SYSTEM_RESOURCES, ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY,
        ERROR_TOO_MANY_OPEN_FILES, GetLastError, HANDLE, HANDLE_FLAG_INHERIT, HMODULE, LocalFree,
        SetHandleInformation, SetLastError, WAIT_OBJECT_0, WIN32_ERROR,
    },
    Networking::WinSock::{
        MSG_PEEK, POLLRDNORM, POLLWRNORM, SO_EXCLUSIVEADDRUSE, SOCKET_ERROR, SOL_SOCKET, WSAEACCES,
        WSAEAFNOSUPPORT, WSAEMFILE, WSAENOBUFS, WSAPOLLFD, WSAPoll, setsockopt,
    },
    Security::{
        Authorization::{GetSecurityInfo, SE_FILE_OBJECT},
        EqualSid, GetTokenInformation, IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSID,
        TOKEN_OWNER, TOKEN_QUERY, TOKEN_USER, TokenOwner, TokenUser, WinBuiltinAdministratorsSid,
        WinLocalSystemSid,
    },
    Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT,
        FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES,
        GetFileInformationByHandle, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
        READ_CONTROL, UnlockFileEx,
    },
    System::{
        IO::OVERLAPPED,
        LibraryLoader::{
            GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN,
            GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, GetModuleHandleA, GetModuleHandleExW,
            GetModuleHandleW, GetProcAddress,
        },
        Performance::{QueryPerformanceCounter, QueryPerformanceFrequency},
        SystemInformation::GetTickCount64,
        Threading::{
            GetCurrentProcess, GetCurrentThreadId, GetThreadId, OpenProcessToken,
            WaitForSingleObject,
        },
    },
};

pub use super::missing::{
    CONNECTIONS, EVENT_LOOPS, FILES, LOOK_UPS, NEVER_BLOCKED, NOTIFIERS, NoCancel, RANDOM_NUMBERS,
    SignalSet, THREADS, WAITS, WITHOUT_A_WAY_OUT, around_forks, boot_id, call_on_nothing,
    check_verifier, collectors_signals, end_process, reserved_stack, without_size_signal,
};
use super::{Calls, LockDirectories, Readiness, Refusal, Wish};

// ---- Clocks

/// The performance counter also counts while the system sleeps. All processes read the same value.
pub fn since_boot() -> Duration {
    let (mut ticks, mut in_a_second) = (0, 0);
    // SAFETY: two numbers to write to. Neither call fails (since Windows XP).
    unsafe {
        QueryPerformanceCounter(&mut ticks);
        QueryPerformanceFrequency(&mut in_a_second);
    }
    let (ticks, in_a_second) = (ticks.max(0) as u128, in_a_second.max(1) as u128);
    let nanoseconds = ticks * 1_000_000_000 / in_a_second;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// Changes every 10 to 16 ms, and counts while the system sleeps.
pub fn tick() -> u64 {
    // SAFETY: it takes no arguments and cannot fail.
    unsafe { GetTickCount64() }
}

// ---- Processes

pub fn process_id() -> u32 {
    std::process::id()
}

/// Registers a handler with the `exit` of each C runtime that the process has loaded and, if the
/// library is linked into the program, of the program's own. A program that contains its runtime
/// and loads the library as a DLL does not run the handler.
///
/// `atexit` of a DLL would be too late: it runs when the system has ended all other threads.
pub fn at_exit(handler: extern "C" fn()) {
    type Register = unsafe extern "C" fn(extern "C" fn()) -> *mut c_void;
    for (runtime, name) in [
        (c"ucrtbase.dll", c"_crt_atexit"),
        (c"ucrtbase.dll", c"_crt_at_quick_exit"),
        (c"ucrtbased.dll", c"_crt_atexit"),
        (c"ucrtbased.dll", c"_crt_at_quick_exit"),
        (c"msvcrt.dll", c"_onexit"),
    ] {
        if let Some(register) = function(runtime, name) {
            // SAFETY: each takes a pointer to a function without arguments, which stays loaded, and
            // returns a number or a pointer. The runtime ignores the handler's result.
            unsafe {
                mem::transmute::<unsafe extern "system" fn() -> isize, Register>(register)(handler);
            }
        }
    }
    if is_in_the_program() {
        // SAFETY: `handler` does not unwind.
        unsafe { libc::atexit(handler) };
    }
}

fn function(module: &CStr, name: &CStr) -> Option<unsafe extern "system" fn() -> isize> {
    // SAFETY: C strings. A runtime that was loaded with the program stays loaded.
    unsafe {
        let module = GetModuleHandleA(module.as_ptr().cast());
        match module.is_null() {
            true => None,
            false => GetProcAddress(module, name.as_ptr().cast()),
        }
    }
}

fn is_in_the_program() -> bool {
    // SAFETY: it takes NULL for the program.
    own_module(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT)
        == unsafe { GetModuleHandleW(ptr::null()) }
}

/// Returns the module that contains the library.
fn own_module(flags: u32) -> HMODULE {
    let mut module = ptr::null_mut();
    let address = (own_module as *const ()).cast();
    let flags = flags | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    // SAFETY: an address in the library, and room for a handle.
    unsafe { GetModuleHandleExW(flags, address, &mut module) };
    module
}

/// Keeps the module that contains the library loaded until the process ends: threads and
/// thread-local variables of the library may outlive `FreeLibrary`.
pub fn stay_loaded() {
    own_module(GET_MODULE_HANDLE_EX_FLAG_PIN);
}

/// A process never has more rights than its token. There is no setuid.
pub fn is_privileged() -> bool {
    false
}

/// Returns the number of `GetLastError`. `WSAGetLastError` returns the same one.
pub fn last_error() -> c_int {
    // SAFETY: it takes no arguments and cannot fail.
    unsafe { GetLastError() as c_int }
}

pub fn set_last_error(number: c_int) {
    // SAFETY: it takes any number and cannot fail.
    unsafe { SetLastError(number as u32) }
}

// ---- Threads

/// Does not use the thread id of the standard library, which may no longer exist when the host's
/// destructors run.
pub fn is_this_thread(thread: &JoinHandle<()>) -> bool {
    // SAFETY: an open handle of a thread.
    unsafe { GetThreadId(thread.as_raw_handle()) == GetCurrentThreadId() }
}

/// Drops the handle of a thread that has ended, without waiting. Otherwise returns it. A thread has
/// not ended while `DllMain` and the callbacks of thread-local storage run.
pub fn try_join(thread: JoinHandle<()>) -> Option<JoinHandle<()>> {
    // SAFETY: the handle of a thread.
    let outcome = unsafe { WaitForSingleObject(thread.as_raw_handle(), 0) };
    Some(thread).filter(|_| outcome != WAIT_OBJECT_0)
}

/// The event loop knows when its data was destroyed. No destructor of ours is needed.
pub fn have_destructors_run() -> bool {
    false
}

// ---- Standard streams

/// Standard streams are not the lowest numbers here. A new handle never takes their place.
pub const STREAMS: usize = 0;

pub fn number(_: &Socket) -> usize {
    usize::MAX
}

pub fn inode(_: usize) -> io::Result<u64> {
    Err(ErrorKind::Unsupported.into())
}

pub fn is_free(_: usize) -> bool {
    false
}

pub fn close(_: usize) {}

// ---- Sockets

/// A socket must not be used after its time limit has passed (`SO_RCVTIMEO`), and the limit may
/// pass half a second late. So sockets never block, and the library waits for them.
pub const SOCKETS_HAVE_LIMITS: bool = false;

/// There is no such signal.
pub const NO_SIGNAL: c_int = 0;

/// Sockets never block.
pub const NOW: c_int = 0;

/// A read with this flag leaves the bytes in the socket.
pub const LOOK: c_int = MSG_PEEK;

pub fn is_limit(why: &io::Error) -> bool {
    why.kind() == ErrorKind::WouldBlock
}

pub fn is_no_address_family(why: &io::Error) -> bool {
    why.raw_os_error() == Some(WSAEAFNOSUPPORT)
}

/// Waits for a socket.
pub fn wait(socket: &Socket, wish: Wish, time: Duration) -> io::Result<Readiness> {
    let mut asked = WSAPOLLFD {
        fd: socket.as_raw_socket() as usize,
        events: match wish {
            Wish::Read => POLLRDNORM,
            Wish::Write => POLLWRNORM,
            Wish::Either => POLLRDNORM | POLLWRNORM,
        },
        revents: 0,
    };
    // Rounded up, because waits of 0 ms would be a busy loop.
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // SAFETY: one entry, with a socket that is open while it is borrowed.
    match unsafe { WSAPoll(&mut asked, 1, milliseconds) } {
        SOCKET_ERROR => Err(io::Error::last_os_error()),
        0 => Ok(Readiness::Neither),
        // On an error condition too: the next read returns the error.
        _ if asked.revents & !POLLWRNORM != 0 => Ok(Readiness::Readable),
        _ => Ok(Readiness::Writable),
    }
}

/// An end of a pair of connected sockets.
pub type Stream = TcpStream;

/// How long to wait for the own connection, which needs no network.
const ARRIVAL: Duration = Duration::from_secs(5);
/// How long to wait for a byte of the own connection, with the state of the client locked.
const BYTES_ARRIVAL: Duration = Duration::from_millis(20);

/// Connects two sockets over the loopback interface: `select` and its kin take only sockets.
///
/// Other programs may connect to the port, too. They are sent away: the pair is complete when the
/// peer's address is that of the other end. No other program can have opened the same port, so no
/// other one can have accepted this connection (`SO_EXCLUSIVEADDRUSE`).
pub fn socket_pair() -> io::Result<(Stream, Stream)> {
    let listener = exclusive_listener()?;
    let writer = Stream::connect(listener.local_addr()?)?;
    let here = writer.local_addr()?;
    let until = Instant::now() + ARRIVAL;
    loop {
        match listener.accept() {
            Ok((reader, peer)) if peer == here => {
                writer.set_nodelay(true)?;
                // An accepted socket inherits this from the listener.
                reader.set_nonblocking(false)?;
                // Child processes would inherit an accepted socket, unlike others.
                let handle = reader.as_raw_socket() as HANDLE;
                // SAFETY: an open socket, which is a handle.
                if unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) } == 0 {
                    return Err(io::Error::last_os_error());
                }
                return Ok((reader, writer));
            }
            Ok(_) => {}
            // Another program has connected and gone.
            Err(why) if why.kind() == ErrorKind::ConnectionReset => {}
            Err(why) if why.kind() == ErrorKind::WouldBlock => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(ErrorKind::TimedOut.into());
                }
                wait(&SockRef::from(&listener), Wish::Read, left)?;
            }
            Err(why) => return Err(why),
        }
    }
}

fn exclusive_listener() -> io::Result<TcpListener> {
    use socket2::{Domain, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let on: c_int = 1;
    // SAFETY: an open socket, and a number with its size.
    let outcome = unsafe {
        setsockopt(
            socket.as_raw_socket() as usize,
            SOL_SOCKET,
            SO_EXCLUSIVEADDRUSE,
            (&raw const on).cast(),
            size_of::<c_int>() as c_int,
        )
    };
    if outcome == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    socket.bind(&std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(8)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Reads the byte that was written to the other end. It may still be on its way; the host may have
/// read it. If an earlier one was late, this reads both.
pub fn take_byte(from: &mut Stream) {
    let _ = wait(&SockRef::from(&*from), Wish::Read, BYTES_ARRIVAL);
    let _ = from.read(&mut [0; 16]);
}

/// Returns a stream's SOCKET, for the host. A handle has at most 32 significant bits, so that
/// programs of both word sizes can share it.
pub fn descriptor(of: &Stream) -> c_int {
    of.as_raw_socket() as c_int
}

// ---- Refusals

pub const CALLS: Calls = Calls {
    thread: "CreateThread",
    look_up: "getaddrinfo",
    event_loop: "CreateIoCompletionPort",
    notifier: "WSASocketW",
    exchange: "send or recv",
    file: "CreateFileW",
};

pub fn refusal(why: &io::Error) -> Option<Refusal> {
    let number = why.raw_os_error()?;
    Some(match number {
        WSAEMFILE => Refusal::Descriptors,
        WSAENOBUFS => Refusal::Memory,
        WSAEACCES => Refusal::Forbidden,
        _ => match number as WIN32_ERROR {
            ERROR_TOO_MANY_OPEN_FILES => Refusal::Descriptors,
            ERROR_NOT_ENOUGH_MEMORY
            | ERROR_OUTOFMEMORY
            | ERROR_NO_SYSTEM_RESOURCES
            | ERROR_COMMITMENT_LIMIT => Refusal::Memory,
            ERROR_ACCESS_DENIED => Refusal::Forbidden,
            _ => return None,
        },
    })
}

// ---- Files of this user

/// The system has no identifier of its start, without which a stored session cannot be trusted.
pub const STORES_SESSIONS: bool = false;

/// Returns a directory in the user's profile, which other users cannot read.
pub fn lock_directories(_: bool) -> LockDirectories {
    let local = env::var_os("LOCALAPPDATA").map(PathBuf::from);
    LockDirectories {
        made: None,
        own: local
            .filter(|path| path.is_absolute())
            .map(|path| path.join("zelf")),
    }
}

/// Creates a directory with the rights of the one that contains it.
pub fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Checks that this user owns a directory.
pub fn check_directory(path: &Path) -> Result<(), String> {
    let failed = |why: io::Error| match why.kind() {
        ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be examined: {why}"),
    };
    // Do not follow a link: its owner could point it elsewhere.
    let directory = OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES | READ_CONTROL)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
        .map_err(failed)?;
    let information = information(&directory).map_err(failed)?;
    let is_directory = information.dwFileAttributes
        & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)
        == FILE_ATTRIBUTE_DIRECTORY;
    if !is_directory {
        Err("is not a directory".to_owned())
    } else if !is_own(&directory).map_err(failed)? {
        Err("belongs to another user".to_owned())
    } else {
        Ok(())
    }
}

/// Opens a file for a lock, and creates it if necessary. Fails if it has more than `most` bytes, or
/// if another user may have put it there.
pub fn open_lock(path: &Path, most: u64) -> io::Result<File> {
    const GENERIC_READ_WRITE: u32 = 0xC000_0000;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .access_mode(GENERIC_READ_WRITE | READ_CONTROL)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)?;
    let information = information(&file)?;
    if information.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT) != 0
    {
        return Err(io::Error::other("it is not a regular file"));
    }
    if !is_own(&file)? {
        return Err(io::Error::other("it belongs to another user"));
    }
    let length = u64::from(information.nFileSizeHigh) << 32 | u64::from(information.nFileSizeLow);
    // The file will be overwritten, so make sure that it is a lock file.
    if information.nNumberOfLinks > 1 || length > most {
        return Err(io::Error::other("it is not a lock file"));
    }
    Ok(file)
}

/// Locks one byte, far beyond the end of the file: others could not read a locked part of it. The
/// error has the kind `WouldBlock` if another one holds the lock.
pub fn lock(file: &File) -> io::Result<()> {
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    let mut place = far_beyond();
    // SAFETY: an open file, and a structure for the place. The call does not wait.
    match unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &mut place) } {
        0 => Err(match io::Error::last_os_error() {
            why if why.raw_os_error() == Some(ERROR_LOCK_VIOLATION as i32) => {
                ErrorKind::WouldBlock.into()
            }
            why => why,
        }),
        _ => Ok(()),
    }
}

pub fn unlock(file: &File) -> io::Result<()> {
    let mut place = far_beyond();
    // SAFETY: as above.
    match unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &mut place) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn far_beyond() -> OVERLAPPED {
    // SAFETY: numbers and pointers, of which 0 is a valid value.
    let mut place: OVERLAPPED = unsafe { mem::zeroed() };
    place.Anonymous.Anonymous.OffsetHigh = 0x7FFF_FFFF;
    place
}

/// No process inherits the file.
pub fn inherited(_: &File) -> c_int {
    0
}

/// Returns whether the path leads to this file.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path);
    let there = match there {
        Ok(there) => information(&there)?,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(false),
        Err(why) => return Err(why),
    };
    let here = information(file)?;
    let identity = |of: &BY_HANDLE_FILE_INFORMATION| {
        (of.dwVolumeSerialNumber, of.nFileIndexHigh, of.nFileIndexLow)
    };
    Ok(identity(&here) == identity(&there))
}

fn information(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    // SAFETY: numbers, of which 0 is a valid value.
    let mut information: BY_HANDLE_FILE_INFORMATION = unsafe { mem::zeroed() };
    // SAFETY: an open file, and a structure to fill.
    match unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut information) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(information),
    }
}

/// Returns whether the user of the process, the administrators or the system own a file. The last
/// two can read and change every file, and own what the user creates as an administrator.
fn is_own(file: &File) -> io::Result<bool> {
    let (mut owner, mut descriptor): (PSID, _) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: a file that was opened with READ_CONTROL. The owner points into the descriptor, which
    // is freed below.
    let outcome = unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    if outcome != 0 {
        return Err(io::Error::from_raw_os_error(outcome as i32));
    }
    let is_own = match owner.is_null() {
        // Some file systems have no owners.
        true => Ok(false),
        // SAFETY: an identifier in the descriptor.
        false
            if unsafe {
                IsWellKnownSid(owner, WinBuiltinAdministratorsSid) != 0
                    || IsWellKnownSid(owner, WinLocalSystemSid) != 0
            } =>
        {
            Ok(true)
        }
        false => is_of_this_process(owner),
    };
    // SAFETY: GetSecurityInfo has allocated it.
    unsafe { LocalFree(descriptor) };
    is_own
}

fn is_of_this_process(owner: PSID) -> io::Result<bool> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: room for a handle.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: an open handle, which nothing else owns.
    let token: std::os::windows::io::OwnedHandle =
        unsafe { std::os::windows::io::FromRawHandle::from_raw_handle(token) };
    // An identifier of a user has at most 68 bytes. The alignment is that of a pointer.
    let mut place = [0_usize; 32];
    for class in [TokenUser, TokenOwner] {
        let mut length = 0;
        // SAFETY: a buffer with its length. The system writes a structure that starts with a
        // pointer to the identifier, in the same buffer.
        unsafe {
            if GetTokenInformation(
                token.as_raw_handle(),
                class,
                place.as_mut_ptr().cast(),
                size_of_val(&place) as u32,
                &mut length,
            ) == 0
            {
                return Err(io::Error::last_os_error());
            }
            let place = place.as_ptr();
            let identifier = match class == TokenUser {
                true => (*place.cast::<TOKEN_USER>()).User.Sid,
                false => (*place.cast::<TOKEN_OWNER>()).Owner,
            };
            if EqualSid(owner, identifier) != 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Sessions are not stored.
pub fn open_own(_: &Path, _: u64) -> io::Result<(File, u64)> {
    Err(ErrorKind::Unsupported.into())
}

pub fn create_own(_: &Path) -> io::Result<File> {
    Err(ErrorKind::Unsupported.into())
}
