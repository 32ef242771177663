//! The file with the CA certificate.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The path of the file and, if it is private, its directory.
#[derive(Debug)]
pub struct CaFile {
    path: PathBuf,
    /// Removed when it is dropped.
    _directory: Option<TempDir>,
}

impl CaFile {
    /// Writes the file to the requested path, where it stays. Without a path, writes it to a
    /// private directory, which is removed with this value.
    pub fn write(wanted: Option<&Path>, pem: &str) -> io::Result<Self> {
        let (path, directory) = match wanted {
            Some(path) => (std::path::absolute(path)?, None),
            None => {
                let directory = private_directory()?;
                (directory.path().join("ca.pem"), Some(directory))
            }
        };
        std::fs::write(&path, pem)?;
        Ok(CaFile {
            path,
            _directory: directory,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Creates a directory that only this user can enter.
fn private_directory() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("zelf-sandbox-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

#[cfg(test)]
mod tests {
    use super::CaFile;

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_enter_the_private_directory() {
        use std::os::unix::fs::PermissionsExt as _;

        let file = CaFile::write(None, "pem").unwrap();
        let directory = file.path().parent().unwrap();
        let mode = directory.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn the_private_directory_goes_with_the_file() {
        let file = CaFile::write(None, "pem").unwrap();
        let directory = file.path().parent().unwrap().to_owned();
        assert_eq!(std::fs::read(file.path()).unwrap(), b"pem");
        drop(file);
        assert!(!directory.exists());
    }
}
