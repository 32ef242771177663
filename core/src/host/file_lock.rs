//! A lock between processes, on a file.
//!
//! The system releases it when the process ends in any way.

use std::{
    fs::File,
    io::{self, Read, Write},
    mem,
    path::Path,
    sync::atomic::{AtomicI32, Ordering::*},
    time::Duration,
};

use crate::{
    host::{descriptors::StandardStreams, fork, system},
    moment::Moment,
};

/// The descriptors of the locks that are held. A forked child closes its copies: while one is open,
/// the lock survives the end of the parent.
static HELD: [AtomicI32; 512] = [const { AtomicI32::new(FREE) }; 512];
const FREE: i32 = -1;

const TRIES: u32 = 10;

/// The number of digits of a time in the file, in milliseconds.
const DIGITS: usize = 20;

/// The result of an attempt to take a lock.
pub enum Attempt {
    Taken(FileLock),
    /// Another process, or another part of this one, holds the lock, and will release it by this
    /// time. `None` if it has not written the time yet.
    Waits {
        until: Option<Moment>,
    },
}

/// Releases the lock when it is dropped.
pub struct FileLock {
    /// `None` after it was closed.
    file: Option<File>,
    /// Its element of `HELD`, or `None` if there was no room.
    slot: Option<&'static AtomicI32>,
}

impl FileLock {
    /// Takes the lock of a file, and creates the file if necessary. `until`: when this process will
    /// release the lock, for others to read.
    ///
    /// Fails if the path is a symbolic link, a file of another user, or not a regular file: another
    /// user may have put it there.
    pub fn try_hold(path: &Path, until: Moment) -> io::Result<Attempt> {
        fork::in_each_child(forget_all);
        // Give up if somebody removes the file repeatedly.
        for _ in 0..TRIES {
            let file = {
                let _occupied = StandardStreams::occupy()?;
                system::open_lock(path, DIGITS as u64 + 1)?
            };
            let attempt = lock(file, until)?;
            // A lock on a file that was removed meanwhile excludes no other process.
            match attempt {
                Attempt::Taken(lock) if !lock.is_still_at(path)? => {}
                attempt => return Ok(attempt),
            }
        }
        Err(io::Error::other("the file was removed repeatedly"))
    }

    fn is_still_at(&self, path: &Path) -> io::Result<bool> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        system::is_at(file, path)
    }
}

fn lock(file: File, until: Moment) -> io::Result<Attempt> {
    let descriptor = system::inherited(&file);
    let slot = HELD.iter().find(|slot| {
        slot.compare_exchange(FREE, descriptor, AcqRel, Relaxed)
            .is_ok()
    });
    let outcome = system::lock(&file);
    let attempt = match &outcome {
        Ok(()) => {
            write_moment(&file, until);
            None
        }
        Err(why) if why.kind() == io::ErrorKind::WouldBlock => Some(read_moment(&file)),
        Err(_) => None,
    };
    let lock = FileLock {
        file: Some(file),
        slot,
    };
    match attempt {
        Some(until) => Ok(Attempt::Waits { until }),
        None => outcome.map(|()| Attempt::Taken(lock)),
    }
}

/// Writes at the beginning of a file that was just opened.
fn write_moment(mut file: &File, moment: Moment) {
    let text = format!("{:0DIGITS$}\n", moment.as_millis());
    if system::without_size_signal(|| file.write_all(text.as_bytes())).is_err() {
        // An empty file is better than the time of the previous holder.
        let _ = file.set_len(0);
    }
}

fn read_moment(mut file: &File) -> Option<Moment> {
    let mut text = [0; DIGITS];
    file.read_exact(&mut text).ok()?;
    let text = std::str::from_utf8(&text).ok()?;
    text.parse().ok().map(Duration::from_millis)
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else {
            return;
        };
        let descriptor = system::inherited(&file);
        if let Some(slot) = self.slot
            && slot
                .compare_exchange(descriptor, FREE, AcqRel, Relaxed)
                .is_err()
        {
            // This is a forked child, which has closed its copy.
            mem::forget(file);
            return;
        }
        // A child may still have an open copy, so unlock explicitly.
        let _ = system::unlock(&file);
    }
}

/// Closes the copies of all locks in a forked child.
fn forget_all() {
    for slot in &HELD {
        let descriptor = slot.swap(FREE, AcqRel);
        if descriptor != FREE {
            // This is the child's copy of a descriptor that its parent has open.
            system::close(descriptor as usize);
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
    fn a_foreign_file_is_not_written_to() {
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
