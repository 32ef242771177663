//! The directory of the lock file, which all processes of one user find.

use std::{io, path::Path};

use crate::host::system::{self, LockDirectories};

/// The possible directories: `XDG_RUNTIME_DIR`, or `zelf-<user id>` in the directory for temporary
/// files (`TMPDIR`, else `/tmp`). Other users may be able to write to that one. On Windows it is
/// `zelf` in the user's local application data (`LOCALAPPDATA`).
pub struct Places(LockDirectories);

impl Places {
    /// Reads the environment. A setuid or setgid program ignores it.
    pub fn of_environment() -> Self {
        Self(system::lock_directories(system::is_privileged()))
    }

    /// Returns a directory that only this user can write to, and creates it if necessary. A logout
    /// or a cleaner may have removed it since the last time.
    pub fn find(&self) -> Result<&Path, String> {
        if let Some(made) = &self.0.made
            && check(made).is_ok()
        {
            return Ok(made);
        }
        let own = self.0.own.as_deref();
        let own = own.ok_or("the environment names no directory for lock files")?;
        make(own)
            .and_then(|()| check(own))
            .map_err(|why| format!("{own:?} {why}"))?;
        Ok(own)
    }
}

fn make(path: &Path) -> Result<(), String> {
    match system::make_directory(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(format!("cannot be created: {error}"))
        }
        _ => Ok(()),
    }
}

/// Checks that other users cannot create files in a directory.
pub fn check(path: &Path) -> Result<(), String> {
    system::check_directory(path)
}
