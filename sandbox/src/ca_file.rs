//! The file that holds the CA certificate.

use std::io;
use std::path::{Path, PathBuf};

use crate::random;

/// The file and, when it is ours, the directory that goes with it.
#[derive(Debug)]
pub struct CaFile {
    path: PathBuf,
    directory: Option<PathBuf>,
}

impl CaFile {
    /// At the path that was asked for, where it stays, or in a directory of
    /// its own, which goes with this value.
    pub fn write(wanted: Option<&Path>, pem: &str) -> io::Result<Self> {
        let file = match wanted {
            Some(path) => CaFile {
                path: std::path::absolute(path)?,
                directory: None,
            },
            None => {
                let directory = private_directory()?;
                CaFile {
                    path: directory.join("ca.pem"),
                    directory: Some(directory),
                }
            }
        };
        std::fs::write(&file.path, pem)?;
        Ok(file)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// A directory nobody else can have made before us, nor write to.
fn private_directory() -> io::Result<PathBuf> {
    let name = format!("zelf-sandbox-{:016x}", u64::from_be_bytes(random::bytes()?));
    let path = std::env::temp_dir().join(name);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&path)?;
    Ok(path)
}
