//! A lock between processes, held through a file.
//!
//! The system lets go of it when the process ends, however it ends.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsRawFd, IntoRawFd},
        unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
    sync::atomic::{AtomicI32, Ordering::*},
    time::Duration,
};

use crate::{
    host::{descriptors::StandardStreams, fork, user},
    moment::Moment,
};

/// Locks that are held now. A forked child closes its copies: as long as one is
/// open, the parent's death would not let go of the lock.
static HELD: [AtomicI32; 512] = [const { AtomicI32::new(FREE) }; 512];
const FREE: i32 = -1;

const TRIES: u32 = 10;

/// A moment in the file: milliseconds in so many digits.
const DIGITS: usize = 20;

/// What trying to take a lock has come to.
pub enum Attempt {
    Taken(FileLock),
    /// Another process, or another part of this one, holds it, and lets go of it until
    /// this moment. `None`: it has not said so yet.
    Waits {
        until: Option<Moment>,
    },
}

/// Lets go of the lock when it is dropped.
pub struct FileLock {
    /// `None` once it is closed.
    file: Option<File>,
    /// Where it stands in `HELD`. `None`: there was no room.
    slot: Option<&'static AtomicI32>,
}

impl FileLock {
    /// Takes the lock of a file, which is made if it is not there. `until`: when this
    /// process will have let go of it, for others to read.
    ///
    /// A link, a file of another user and what is no regular file are errors: they
    /// could be somebody's trap.
    pub fn try_hold(path: &Path, until: Moment) -> io::Result<Attempt> {
        fork::in_each_child(forget_all);
        // A file that somebody removes again and again is none to wait with.
        for _ in 0..TRIES {
            let file = {
                let _occupied = StandardStreams::occupy();
                open(path)?
            };
            let attempt = lock(file, until)?;
            // A file that was removed meanwhile locks out nobody.
            match attempt {
                Attempt::Taken(lock) if !lock.is_still_at(path)? => {}
                attempt => return Ok(attempt),
            }
        }
        Err(io::Error::other("it is removed again and again"))
    }

    fn is_still_at(&self, path: &Path) -> io::Result<bool> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        let here = file.metadata()?;
        match std::fs::symlink_metadata(path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (here.dev(), here.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
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
    if metadata.uid() != user::effective_id() {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        // Who can open it can lock it.
        return Err(io::Error::other("other users may open it"));
    }
    // It is written to. What is no lock file stays as it is.
    if metadata.nlink() > 1 || metadata.len() > DIGITS as u64 + 1 {
        return Err(io::Error::other("it is not a lock file"));
    }
    Ok(file)
}

fn lock(file: File, until: Moment) -> io::Result<Attempt> {
    let descriptor = file.as_raw_fd();
    let slot = HELD.iter().find(|slot| {
        slot.compare_exchange(FREE, descriptor, AcqRel, Relaxed)
            .is_ok()
    });
    let lock = FileLock {
        file: Some(file),
        slot,
    };
    // SAFETY: an open descriptor.
    let outcome = unsafe { libc::flock(descriptor, libc::LOCK_EX | libc::LOCK_NB) };
    let error = io::Error::last_os_error();
    let file = lock.file.as_ref();
    if outcome == 0 {
        if let Some(file) = file {
            write_moment(file, until);
        }
        return Ok(Attempt::Taken(lock));
    }
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(Attempt::Waits {
            until: file.and_then(read_moment),
        }),
        _ => Err(error),
    }
}

fn write_moment(file: &File, moment: Moment) {
    let text = format!("{:0DIGITS$}\n", moment.as_millis());
    if file.write_all_at(text.as_bytes(), 0).is_err() {
        // No moment is better than that of the last holder.
        let _ = file.set_len(0);
    }
}

fn read_moment(file: &File) -> Option<Moment> {
    let mut text = [0; DIGITS];
    file.read_exact_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(&text).ok()?;
    text.parse().ok().map(Duration::from_millis)
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else {
            return;
        };
        let descriptor = file.as_raw_fd();
        if let Some(slot) = self.slot
            && slot
                .compare_exchange(descriptor, FREE, AcqRel, Relaxed)
                .is_err()
        {
            // This is a forked child, which has closed its copy.
            let _ = file.into_raw_fd();
            return;
        }
        // A child may have a copy that it has not closed yet.
        // SAFETY: an open descriptor.
        unsafe { libc::flock(descriptor, libc::LOCK_UN) };
    }
}

/// Runs in a forked child, where no lock is held.
fn forget_all() {
    for slot in &HELD {
        let descriptor = slot.swap(FREE, AcqRel);
        if descriptor != FREE {
            // SAFETY: the child's copy of a descriptor that its parent has open.
            unsafe { libc::close(descriptor) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
        path::PathBuf,
    };

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("zelf-lock-{}-{name}", std::process::id()))
    }

    const UNTIL: Moment = Duration::from_millis(12_345);

    fn is_taken(path: &Path) -> bool {
        matches!(FileLock::try_hold(path, UNTIL), Ok(Attempt::Taken(_)))
    }

    #[test]
    fn one_holds_it_at_a_time() {
        let path = path("one");
        let first = FileLock::try_hold(&path, UNTIL).unwrap();
        assert!(matches!(first, Attempt::Taken(_)));
        assert!(!is_taken(&path));
        drop(first);
        assert!(is_taken(&path));
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn others_read_until_when_it_is_held() {
        let path = path("until");
        let _first = FileLock::try_hold(&path, UNTIL).unwrap();
        let until = || match FileLock::try_hold(&path, Moment::ZERO).unwrap() {
            Attempt::Waits { until } => until,
            Attempt::Taken(_) => panic!("two hold it"),
        };
        assert_eq!(until(), Some(UNTIL));
        fs::write(&path, "12345678901234567890\n").unwrap();
        let far = Duration::from_millis(12_345_678_901_234_567_890);
        assert_eq!(until(), Some(far));
        for odd in ["", "12", "99999999999999999999", "no number, but a text"] {
            fs::write(&path, odd).unwrap();
            assert_eq!(until(), None, "{odd}");
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_was_removed_is_made_anew() {
        let path = path("removed");
        let _first = FileLock::try_hold(&path, UNTIL).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(is_taken(&path));
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_lock_file_is_not_written_to() {
        let path = path("precious");
        let other = path.with_extension("other");
        let is_error = || FileLock::try_hold(&path, UNTIL).is_err();
        fs::write(&path, "a text that is longer than a moment").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(is_error());
        fs::write(&path, "short").unwrap();
        fs::hard_link(&path, &other).unwrap();
        assert!(is_error());
        assert_eq!(fs::read(&other).unwrap(), b"short");
        fs::remove_file(&other).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        assert!(is_error());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_link_and_a_directory_are_errors() {
        let path = path("link");
        symlink("/dev/null", &path).unwrap();
        assert!(FileLock::try_hold(&path, UNTIL).is_err());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(FileLock::try_hold(&path, UNTIL).is_err());
        fs::remove_dir(&path).unwrap();
        assert!(FileLock::try_hold(Path::new("/dev/null"), UNTIL).is_err());
    }
}
