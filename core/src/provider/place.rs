//! Where the processes of one user meet.

use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

/// The directories that will do, as the environment names them: XDG_RUNTIME_DIR, or a
/// folder with the user's number in the directory for temporary files (TMPDIR; /tmp),
/// which others may be able to write to as well.
pub struct Places {
    #[cfg(unix)]
    runtime: Option<PathBuf>,
    #[cfg(unix)]
    own: PathBuf,
}

#[cfg(unix)]
impl Places {
    /// Reads the environment. A program with more rights than its user does not trust it.
    pub fn of_environment() -> Self {
        use std::env;

        use crate::host::user;

        let absolute = |name: &str| {
            let text = env::var_os(name).filter(|_| !user::is_privileged())?;
            // A relative one would be another place after a change of directory.
            Some(PathBuf::from(text)).filter(|path| path.is_absolute())
        };
        let shared = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
        Self {
            runtime: absolute("XDG_RUNTIME_DIR"),
            own: shared.join(format!("zelf-{}", user::effective_id())),
        }
    }

    /// Finds a directory that only this user can write to, and makes it if need be. It
    /// may have been removed since the last time: at a logout, or by a cleaner.
    pub fn find(&self) -> Result<&Path, String> {
        if let Some(runtime) = &self.runtime
            && check(runtime).is_ok()
        {
            return Ok(runtime);
        }
        let own = &self.own;
        make(own)
            .and_then(|()| check(own))
            .map_err(|why| format!("{own:?} {why}"))?;
        Ok(own)
    }
}

#[cfg(not(unix))]
impl Places {
    pub fn of_environment() -> Self {
        Self {}
    }

    pub fn find(&self) -> Result<&Path, String> {
        Err("this system has no lock files".to_owned())
    }
}

#[cfg(unix)]
fn make(path: &Path) -> Result<(), String> {
    use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt};

    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(format!("cannot be made: {error}"))
        }
        _ => Ok(()),
    }
}

/// Checks that nobody else can put anything there.
#[cfg(unix)]
pub fn check(path: &Path) -> Result<(), String> {
    use std::{fs, os::unix::fs::MetadataExt};

    use crate::host::user;

    // Not through a link, which its owner can point elsewhere.
    let metadata =
        fs::symlink_metadata(path).map_err(|error| format!("cannot be looked at: {error}"))?;
    if !metadata.is_dir() {
        Err("is no directory".to_owned())
    } else if metadata.uid() != user::effective_id() {
        Err("belongs to another user".to_owned())
    } else if metadata.mode() & 0o022 != 0 {
        Err("can be written to by others".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(not(unix))]
pub fn check(_: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        env,
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    #[test]
    fn only_a_directory_of_the_users_own_will_do() {
        let folder = env::temp_dir().join(format!("zelf-place-{}", std::process::id()));
        make(&folder).unwrap();
        make(&folder).unwrap();
        assert_eq!(check(&folder), Ok(()));
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(check(&folder).is_err());
        let link = folder.join("link");
        symlink("/", &link).unwrap();
        assert_eq!(check(&link), Err("is no directory".to_owned()));
        fs::remove_dir_all(&folder).unwrap();
        assert!(check(&folder).is_err());
    }
}
