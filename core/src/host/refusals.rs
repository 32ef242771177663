//! System calls that the system refuses: by a limit of the process, or by the rules of a sandbox or
//! a container.

use std::io;

use crate::{
    error::{Error, Status},
    host::{
        probes,
        system::{self, CALLS, Refusal, probe::Probe},
    },
};

/// Returns whether the process or the system has no descriptor, memory or thread left.
pub fn is_limit(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::OutOfMemory
        || matches!(
            system::refusal(why),
            Some(Refusal::Descriptors | Refusal::Threads | Refusal::Memory)
        )
}

/// Returns whether the system has refused a call on a socket or an event loop. The network never
/// causes these errors.
pub fn is_refusal(why: &io::Error) -> bool {
    is_limit(why) || is_forbidden(why)
}

/// Does the same for a file. The owner of a file may forbid access too, so an error only counts if
/// it occurs with every file.
pub fn is_refusal_of_files(why: &io::Error) -> bool {
    is_limit(why) || is_forbidden(why) && FILE.behind(why).is_some()
}

fn is_forbidden(why: &io::Error) -> bool {
    matches!(
        system::refusal(why),
        Some(Refusal::Forbidden | Refusal::Missing)
    )
}

/// An operation that needs system calls.
pub struct Want {
    /// The function of the C library for it.
    call: &'static str,
    /// The function makes several system calls.
    is_whole: bool,
    needs: &'static [Probe],
}

pub const THREAD: Want = Want::made_by(CALLS.thread, system::THREADS);
pub const LOOK_UP: Want = Want::made_by(CALLS.look_up, system::LOOK_UPS);
pub const EVENT_LOOP: Want = Want::of(CALLS.event_loop, system::EVENT_LOOPS);
pub const NOTIFIER: Want = Want::of(CALLS.notifier, system::NOTIFIERS);
pub const PLACEHOLDER: Want = Want::of("socket", system::NOTIFIERS);
pub const CONNECTION: Want = Want::of("connect", system::CONNECTIONS);
pub const EXCHANGE: Want = Want::of(CALLS.exchange, system::CONNECTIONS);
pub const FILE: Want = Want::of(CALLS.file, system::FILES);

impl Want {
    const fn of(call: &'static str, needs: &'static [Probe]) -> Self {
        Self {
            call,
            is_whole: false,
            needs,
        }
    }

    const fn made_by(call: &'static str, needs: &'static [Probe]) -> Self {
        Self {
            call,
            is_whole: true,
            needs,
        }
    }

    /// Finds a system call that fails with this error for any arguments.
    fn behind(&self, why: &io::Error) -> Option<(&'static str, io::Error)> {
        let wanted = why.raw_os_error()?;
        let is_lack_of_threads = system::refusal(why) == Some(Refusal::Threads);
        // For a lack of memory, the C library reports that no thread can be created.
        let is_it = |why: &io::Error| {
            why.raw_os_error() == Some(wanted)
                || system::refusal(why) == Some(Refusal::Memory) && is_lack_of_threads
        };
        probes::refused(self.needs, is_it)
    }

    fn through(&self, behind: &str) -> String {
        match self.is_whole {
            true => format!("{behind}, which {} needs,", self.call),
            false => behind.to_owned(),
        }
    }

    /// Returns the error for an operation that the system refuses. `failed` says what failed. The
    /// error names the system call that is refused or, if none is found, the most likely one.
    #[cold]
    pub fn refused(&self, failed: &str, why: &io::Error) -> Error {
        match self.behind(why) {
            Some((behind, why)) => refused(failed, &self.through(behind), &why),
            None => refused(failed, self.call, why),
        }
    }

    /// Returns an error if the system refuses a system call that the operation needs. For an
    /// operation that has failed with another error.
    #[cold]
    pub fn refused_behind(&self, failed: &str) -> Option<Error> {
        let (behind, why) = probes::refused(self.needs, is_refusal)?;
        Some(refused(failed, &self.through(behind), &why))
    }
}

/// Returns an error if the system refuses a system call that must not fail. The standard library or
/// the event loop panics without it.
#[cold]
pub fn error_behind_panic() -> Option<Error> {
    let (call, why) = probes::refused(system::WITHOUT_A_WAY_OUT, is_refusal)?;
    Some(refused("the call cannot continue", call, &why))
}

/// Returns the error for a system that returns no random numbers.
#[cold]
pub fn no_random_numbers() -> Error {
    const FAILED: &str = "cannot read random numbers";
    match probes::refused(system::RANDOM_NUMBERS, is_refusal) {
        Some((call, why)) => refused(FAILED, call, &why),
        None => Error::new(Status::System, format!("{FAILED}; try again")),
    }
}

/// Fails if the system refuses a system call for which an event loop panics. It takes two system
/// calls, which have no effect.
pub fn check_event_loop() -> Result<(), Error> {
    match probes::refused(system::WAITS, is_refusal) {
        Some((call, why)) => Err(refused("cannot create an event loop", call, &why)),
        None => Ok(()),
    }
}

fn refused(failed: &str, call: &str, why: &io::Error) -> Error {
    let advice = match system::refusal(why) {
        Some(Refusal::Descriptors) => "close some files, or raise the limit",
        Some(Refusal::Threads) => "end some threads, or raise the limit",
        Some(Refusal::Forbidden) => "allow it in the sandbox, container or firewall of the process",
        Some(Refusal::Missing) => "this system, or the sandbox of the process, does not have it",
        Some(Refusal::Memory) | None => "free some memory",
    };
    let mut error = Error::new(
        Status::System,
        format!("{failed}: {call} was refused ({why}); {advice}"),
    );
    if is_forbidden(why) {
        error.is_retryable = Some(false);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errno: i32) -> Error {
        let why = io::Error::from_raw_os_error(errno);
        assert!(is_refusal(&why));
        CONNECTION.refused("cannot open a connection", &why)
    }

    #[test]
    fn a_system_call_that_a_firewall_forbids_is_named() {
        let error = of(libc::EPERM);
        let words = "cannot open a connection: connect was refused (Operation not permitted";
        assert!(error.message.starts_with(words), "{}", error.message);
        assert!(!error.message.contains("limit") && !error.is_retryable());
        assert!(!of(libc::ENOSYS).is_retryable());
    }

    #[test]
    fn a_limit_is_told_as_one() {
        for (errno, words) in [
            (libc::EMFILE, "close some files, or raise the limit"),
            (libc::ENFILE, "close some files, or raise the limit"),
            (libc::EAGAIN, "end some threads, or raise the limit"),
            (libc::ENOMEM, "free some memory"),
            (libc::ENOBUFS, "free some memory"),
        ] {
            let error = of(errno);
            assert!(error.message.ends_with(words), "{}", error.message);
            assert!(error.is_retryable());
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_no_refusal() {
        let forbidden = io::Error::from_raw_os_error(libc::EACCES);
        assert!(!is_refusal_of_files(&forbidden));
        assert!(LOOK_UP.refused_behind("cannot find the address").is_none());
    }
}
