//! The system calls that each operation needs on Linux, including those of the C library.

use std::ptr;

use super::probe::{How, Probe};

pub const THREADS: &[Probe] = &[
    by("clone3", || call(libc::SYS_clone3, 0)),
    MMAP,
    // An address that is not on a page boundary.
    by("mprotect", || call(libc::SYS_mprotect, 1)),
];
pub const EVENT_LOOPS: &[Probe] = &[
    by("epoll_create1", || {
        // SAFETY: it takes a number.
        opened(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
    }),
    by("eventfd2", || {
        // SAFETY: it takes two numbers.
        opened(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) })
    }),
    EPOLL_CTL,
    FCNTL,
    SOCKET,
];
pub const NOTIFIERS: &[Probe] = &[
    // With an invalid family.
    on_nothing("socketpair", libc::SYS_socketpair),
    IOCTL,
    FCNTL,
    SOCKET,
];
pub const CONNECTIONS: &[Probe] = &[
    SOCKET,
    CONNECT,
    with_buffers("getsockopt", libc::SYS_getsockopt, &[3, 4]),
    SETSOCKOPT,
    EPOLL_CTL,
    IOCTL,
    FCNTL,
    SENDTO,
    SENDMSG,
    RECVFROM,
    POLL,
];
pub const LOOK_UPS: &[Probe] = &[
    SOCKET,
    CONNECT,
    SENDTO,
    SENDMSG,
    on_nothing("sendmmsg", libc::SYS_sendmmsg),
    RECVFROM,
    with_buffers("recvmsg", libc::SYS_recvmsg, &[1]),
    on_nothing("bind", libc::SYS_bind),
    SETSOCKOPT,
    POLL,
    IOCTL,
    OPENAT,
    READ,
    FSTAT,
    NEWFSTATAT,
    LSEEK,
    MMAP,
];
pub const FILES: &[Probe] = &[
    OPENAT,
    READ,
    with_buffers("statx", libc::SYS_statx, &[1, 4]),
    NEWFSTATAT,
    FSTAT,
    LSEEK,
    on_nothing("getdents64", libc::SYS_getdents64),
    SOCKET,
];
pub const RANDOM_NUMBERS: &[Probe] = &[GETRANDOM];
/// Calls whose failure makes tokio panic.
pub const WAITS: &[Probe] = &[EPOLL_WAIT, WRITE];
/// Calls whose failure makes tokio or the standard library panic.
pub const WITHOUT_A_WAY_OUT: &[Probe] = &[EPOLL_WAIT, WRITE, GETRANDOM];

const CONNECT: Probe = on_nothing("connect", libc::SYS_connect);
const EPOLL_CTL: Probe = with_buffers("epoll_ctl", libc::SYS_epoll_ctl, &[3]);
const FCNTL: Probe = on_nothing("fcntl", libc::SYS_fcntl);
const FSTAT: Probe = with_buffers("fstat", libc::SYS_fstat, &[1]);
/// With a request that exists: QEMU refuses any other one before it looks at the descriptor.
const IOCTL: Probe = by("ioctl", || {
    let mut waiting: libc::c_int = 0;
    // SAFETY: an invalid descriptor, and room for one number.
    unsafe { libc::ioctl(-1, libc::FIONREAD, &mut waiting) }.into()
});
const LSEEK: Probe = on_nothing("lseek", libc::SYS_lseek);
const NEWFSTATAT: Probe = with_buffers("newfstatat", libc::SYS_newfstatat, &[1, 2]);
const OPENAT: Probe = with_buffers("openat", libc::SYS_openat, &[1]);
const READ: Probe = on_nothing("read", libc::SYS_read);
const RECVFROM: Probe = on_nothing("recvfrom", libc::SYS_recvfrom);
const SENDMSG: Probe = with_buffers("sendmsg", libc::SYS_sendmsg, &[1]);
const SENDTO: Probe = on_nothing("sendto", libc::SYS_sendto);
const SETSOCKOPT: Probe = on_nothing("setsockopt", libc::SYS_setsockopt);
const WRITE: Probe = on_nothing("write", libc::SYS_write);
/// For zero bytes.
const GETRANDOM: Probe = by("getrandom", || call(libc::SYS_getrandom, 0));
/// With a length of zero.
const MMAP: Probe = by("mmap", || call(libc::SYS_mmap, 0));
const EPOLL_WAIT: Probe = by("epoll_wait", || {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: an invalid descriptor, and room for one event.
    unsafe { libc::epoll_wait(-1, &mut event, 1, 0) }.into()
});
const POLL: Probe = by("poll", || {
    // SAFETY: no entries, and no wait.
    unsafe { libc::poll(ptr::null_mut(), 0, 0) }.into()
});
const SOCKET: Probe = by("socket", || {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: it takes three numbers.
    opened(unsafe { libc::socket(libc::AF_INET, kind, 0) })
});

const fn on_nothing(name: &'static str, number: i64) -> Probe {
    with_buffers(name, number, &[])
}

const fn with_buffers(name: &'static str, number: i64, buffers: &'static [usize]) -> Probe {
    let how = How::OnNothing(number, buffers);
    Probe { name, how }
}

const fn by(name: &'static str, how: fn() -> i64) -> Probe {
    let how = How::By(how);
    Probe { name, how }
}

/// Makes a system call. `first`: an argument for which the kernel does nothing, if the others
/// are 0.
fn call(number: i64, first: i64) -> i64 {
    // SAFETY: the kernel has nothing to do and no memory to write to.
    unsafe { libc::syscall(number, first, 0_i64, 0_i64, 0_i64, 0_i64, 0_i64) }
}

pub fn call_on_nothing(number: i64, buffers: &[usize]) -> i64 {
    // Larger than every structure that these calls use.
    let mut buffer = [0_u64; 64];
    let mut arguments = [-1, 0, 0, 0, 0];
    for &place in buffers {
        arguments[place] = buffer.as_mut_ptr().expose_provenance() as i64;
    }
    let [first, second, third, fourth, fifth] = arguments;
    // SAFETY: as in `call`. The buffer lives until the call returns.
    unsafe { libc::syscall(number, first, second, third, fourth, fifth, 0_i64) }
}

/// Closes a descriptor that a probe has opened.
fn opened(descriptor: libc::c_int) -> i64 {
    if descriptor >= 0 {
        // SAFETY: no other code knows this descriptor.
        unsafe { libc::close(descriptor) };
    }
    descriptor.into()
}
