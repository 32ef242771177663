//! A lock between processes, held through a file.
//!
//! The system lets go of it when the process ends, however it ends.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::IntoRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
    sync::atomic::{AtomicI32, Ordering::*},
};

use crate::host::{descriptors::StandardStreams, fork, user};

/// Locks that are held now. A forked child closes its copies: as long as one is
/// open, the parent's death would not let go of the lock.
static HELD: [AtomicI32; 64] = [const { AtomicI32::new(FREE) }; 64];
const FREE: i32 = -1;

const TRIES: u32 = 10;

/// Lets go of the lock when it is dropped.
pub struct FileLock {
    descriptor: i32,
    /// Where it stands in `HELD`. `None`: there was no room.
    slot: Option<&'static AtomicI32>,
}

impl FileLock {
    /// Takes the lock of a file, which is made if it is not there. Returns `None` while
    /// another process, or another part of this one, holds it.
    ///
    /// A link, a file of another user and what is no regular file are errors: they
    /// could be somebody's trap.
    pub fn try_hold(path: &Path) -> io::Result<Option<Self>> {
        fork::in_each_child(forget_all);
        // A file that somebody removes again and again is none to wait with.
        for _ in 0..TRIES {
            let file = {
                let _occupied = StandardStreams::occupy();
                open(path)?
            };
            let lock = match lock(file)? {
                Some(lock) => lock,
                None => return Ok(None),
            };
            // A file that was removed meanwhile locks out nobody.
            if lock.is_still_at(path)? {
                return Ok(Some(lock));
            }
        }
        Err(io::Error::other("it is removed again and again"))
    }

    fn is_still_at(&self, path: &Path) -> io::Result<bool> {
        // SAFETY: all of it may be zero, and it is written to before it is read.
        let mut here: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: an open descriptor and a place to write to.
        if unsafe { libc::fstat(self.descriptor, &mut here) } != 0 {
            return Err(io::Error::last_os_error());
        }
        match std::fs::symlink_metadata(path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (wide(here.st_dev), wide(here.st_ino))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Device and inode numbers have other types on other systems.
fn wide<T: TryInto<i128>>(number: T) -> u64 {
    let number = number.try_into().unwrap_or(-1);
    number as u64
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
    Ok(file)
}

fn lock(file: File) -> io::Result<Option<FileLock>> {
    let descriptor = file.into_raw_fd();
    let slot = HELD.iter().find(|slot| {
        slot.compare_exchange(FREE, descriptor, AcqRel, Relaxed)
            .is_ok()
    });
    let lock = FileLock { descriptor, slot };
    // SAFETY: an open descriptor.
    if unsafe { libc::flock(descriptor, libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(Some(lock));
    }
    let error = io::Error::last_os_error();
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(None),
        _ => Err(error),
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Some(slot) = self.slot
            && slot
                .compare_exchange(self.descriptor, FREE, AcqRel, Relaxed)
                .is_err()
        {
            // This is a forked child, which has closed its copy.
            return;
        }
        // SAFETY: the descriptor is open and this object's own. A child that closed its
        // copy has returned above. The lock is let go of first: a child may have a copy
        // that it has not closed yet.
        unsafe {
            libc::flock(self.descriptor, libc::LOCK_UN);
            libc::close(self.descriptor);
        }
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
    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("zelf-lock-{}-{name}", std::process::id()))
    }

    #[test]
    fn one_holds_it_at_a_time() {
        let path = path("one");
        let first = FileLock::try_hold(&path).unwrap();
        assert!(first.is_some());
        assert!(FileLock::try_hold(&path).unwrap().is_none());
        drop(first);
        assert!(FileLock::try_hold(&path).unwrap().is_some());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_was_removed_is_made_anew() {
        let path = path("removed");
        let first = FileLock::try_hold(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(FileLock::try_hold(&path).unwrap().is_some());
        drop(first);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_link_and_a_directory_are_errors() {
        let path = path("link");
        symlink("/dev/null", &path).unwrap();
        assert!(FileLock::try_hold(&path).is_err());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(FileLock::try_hold(&path).is_err());
        fs::remove_dir(&path).unwrap();
        assert!(FileLock::try_hold(Path::new("/dev/null")).is_err());
    }
}
