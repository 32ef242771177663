//! Descriptors 0, 1 and 2. They belong to the host even if it has closed them: its output must not
//! be sent over a connection.

use std::io;

/// Keeps descriptors 0, 1 and 2 in use until it is dropped. So every descriptor that is opened
/// meanwhile, by any code, has a higher number.
///
/// To move a descriptor after it was opened is not enough: until then, another thread of the host
/// could print into it. And an event loop does not expose its descriptors.
#[must_use]
pub struct StandardStreams(());

impl StandardStreams {
    pub fn occupy() -> io::Result<Self> {
        placeholders::enter()?;
        Ok(Self(()))
    }
}

impl Drop for StandardStreams {
    fn drop(&mut self) {
        placeholders::leave();
    }
}

mod placeholders {
    use std::{
        cell::Cell,
        io, mem,
        sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*},
        thread,
        time::Duration,
    };

    use socket2::{Domain, Socket, Type};

    use crate::host::{
        fork::{self, this_process},
        system::{self, STREAMS},
    };

    /// The inode of the placeholder at each number, or 0.
    static PLACED: [AtomicU64; STREAMS] = [const { AtomicU64::new(0) }; STREAMS];

    /// Counts the users of the placeholders. A thread that finds them in place counts too, because
    /// it still needs them when the other thread ends.
    static USERS: AtomicUsize = AtomicUsize::new(0);

    /// The process in which a thread is changing this state, for the time of a few system calls, or
    /// 0. A fork waits for it. Otherwise the child would keep a placeholder that is not in
    /// `PLACED`.
    static CHANGED_IN: AtomicU64 = AtomicU64::new(0);

    thread_local! {
        /// This thread is changing the state, or is about to. If a signal handler forks on this
        /// thread, it must not wait.
        static CHANGES: Cell<bool> = const { Cell::new(false) };
        /// The current fork on this thread has called `begin`.
        static FORK_WAITED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn enter() -> io::Result<()> {
        register();
        begin();
        let outcome = fill();
        match outcome {
            Ok(()) => {
                USERS.fetch_add(1, Relaxed);
            }
            Err(_) if USERS.load(Relaxed) == 0 => clear(),
            Err(_) => {}
        }
        end();
        outcome
    }

    pub(super) fn leave() {
        begin();
        // A name service module may fork during a look-up, and the child has a count of 0.
        let left = USERS.load(Relaxed).saturating_sub(1);
        USERS.store(left, Relaxed);
        if left == 0 {
            clear();
        }
        end();
    }

    fn register() {
        static DONE: AtomicBool = AtomicBool::new(false);
        if DONE.load(Acquire) {
            return;
        }
        // This comes first, because its fork handler has to run before ours.
        this_process();
        // Several threads may register at once, which does no harm. Each one continues only after
        // it has registered.
        fork::around_each(before_fork, after_fork, begin_in_child);
        DONE.store(true, Release);
    }

    extern "C" fn before_fork() {
        if !CHANGES.get() {
            begin();
            FORK_WAITED.set(true);
        }
    }

    extern "C" fn after_fork() {
        if FORK_WAITED.replace(false) {
            end();
        }
    }

    fn begin() {
        CHANGES.set(true);
        let here = this_process();
        for tries in 0_u32.. {
            match CHANGED_IN.compare_exchange(0, here, Acquire, Acquire) {
                Ok(_) => return,
                Err(holder) if holder == here => {}
                // This is a child that ran no fork handlers, so the thread does not exist here.
                Err(_) => return begin_in_child_as(here),
            }
            match tries {
                0..100 => thread::yield_now(),
                // The other thread may have a lower priority.
                _ => thread::sleep(Duration::from_micros(50)),
            }
        }
    }

    fn end() {
        CHANGED_IN.store(0, Release);
        CHANGES.set(false);
    }

    /// Resets the state in a forked child, where no thread uses the placeholders.
    extern "C" fn begin_in_child() {
        FORK_WAITED.set(false);
        begin_in_child_as(this_process());
        end();
    }

    fn begin_in_child_as(here: u64) {
        CHANGED_IN.store(here, Release);
        USERS.store(0, Relaxed);
        clear();
    }

    /// Opens a placeholder at each free number.
    fn fill() -> io::Result<()> {
        // Once more than the number of streams: another thread may take a number first.
        for _ in 0..=STREAMS {
            if (0..STREAMS).all(|number| !system::is_free(number)) {
                break;
            }
            let placeholder = placeholder()?;
            let number = system::number(&placeholder);
            if let Some(place) = PLACED.get(number)
                && let Ok(inode) = system::inode(number)
            {
                place.store(inode, Release);
                mem::forget(placeholder);
            }
        }
        Ok(())
    }

    /// Closes the placeholders. If the host has replaced one by its own descriptor, that one stays.
    /// The host must not do so between the check and the close: no system call does both.
    fn clear() {
        for (number, place) in PLACED.iter().enumerate() {
            let placed = place.swap(0, AcqRel);
            if placed != 0 && system::inode(number).is_ok_and(|inode| inode == placed) {
                system::close(number);
            }
        }
    }

    /// Opens a socket without a peer. Reading and writing fail without a wait or a signal, as with
    /// a closed descriptor. IPv4 is used, unless the process may not use it.
    fn placeholder() -> io::Result<Socket> {
        let open = |domain| Socket::new(domain, Type::DGRAM, None);
        let socket = open(Domain::IPV4)
            .or_else(|why| open(Domain::IPV6).map_err(|_| why))
            .or_else(|why| open(Domain::UNIX).map_err(|_| why))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}
