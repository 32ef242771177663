//! Reads the system's certificates from the places of OpenSSL and of the distributions.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::{connect::trust::refusal::first_of, host::refusals};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const DIRECTORY_VARIABLE: &str = "SSL_CERT_DIR";

const FILES: [&str; 13] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",   // RHEL 6
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/pki/tls/cacert.pem",            // OpenELEC
    "/etc/ssl/cert.pem",                  // Alpine, OpenBSD, FreeBSD
    "/usr/local/etc/ssl/cert.pem",        // FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt", // FreeBSD, DragonFly
    "/etc/openssl/certs/ca-certificates.crt", // NetBSD
    "/etc/certs/ca-certificates.crt",     // Solaris
    "/etc/ssl/cacert.pem",                // illumos
    "/opt/etc/ssl/certs/ca-certificates.crt", // Entware
    "/etc/ssl/certs/cacert.pem",          // OpenHarmony
];

const DIRECTORIES: [&str; 6] = [
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/openssl/certs",         // NetBSD
    "/usr/local/share/certs",     // FreeBSD
    "/etc/certs/CA",              // Solaris
    "/etc/security/certificates", // OpenHarmony
];

/// The limit for all files together.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The places to search. Each variable replaces the defaults of its kind, as in OpenSSL.
pub struct TrustPlaces<'a> {
    file_variable: Option<OsString>,
    directory_variable: Option<OsString>,
    files: &'a [&'a str],
    directories: &'a [&'a str],
}

/// The texts that were read, and the unusable places with the reasons.
pub struct TrustTexts {
    pub texts: Vec<Vec<u8>>,
    pub unusable: Vec<String>,
}

/// Why nothing was read.
#[derive(Debug)]
pub enum Unread {
    /// The process has reached a limit, or a system call is forbidden. To continue without the
    /// unreadable places would reduce the trusted certificates.
    Exhausted(io::Error),
    /// The unusable places, and the reasons.
    Unusable(String),
}

/// Checks that a text contains a certificate and, if the second argument is true, that one of them
/// is usable. The error completes "<path> ...".
type Check = fn(&[u8], bool) -> Result<(), String>;

impl TrustPlaces<'static> {
    pub fn of_this_process() -> Self {
        Self {
            file_variable: env::var_os(FILE_VARIABLE),
            directory_variable: env::var_os(DIRECTORY_VARIABLE),
            files: &FILES,
            directories: &DIRECTORIES,
        }
    }
}

impl TrustPlaces<'_> {
    /// Reads all places. An unusable place is only an error if no other place has a certificate.
    pub fn read(&self, check: Check) -> Result<TrustTexts, Unread> {
        // An empty variable counts as not set.
        let file_variable = self.file_variable.as_ref().filter(|path| !path.is_empty());
        let directory_variable = self
            .directory_variable
            .as_ref()
            .filter(|list| !list.is_empty());
        let mut reader = Reader {
            check,
            texts: Vec::new(),
            unusable: Vec::new(),
            exhausted: None,
            seen: Vec::new(),
            left: MAX_BYTES,
            has_usable: false,
        };

        match file_variable.map(Path::new) {
            Some(path) => {
                reader.read(Reader::read_file, path, Some(FILE_VARIABLE));
            }
            None => {
                existing(self.files).any(|path| reader.read(Reader::read_file, path, None));
            }
        }
        match directory_variable {
            Some(list) => {
                for path in env::split_paths(list).filter(|path| !path.as_os_str().is_empty()) {
                    reader.read(Reader::read_directory, &path, Some(DIRECTORY_VARIABLE));
                }
            }
            // The directories contain the same certificates as the default bundle. If the variable
            // sets a file, they are not read: the file may contain the only authority to trust.
            None if file_variable.is_none() && reader.texts.is_empty() => {
                for path in existing(self.directories) {
                    reader.read(Reader::read_directory, path, None);
                }
            }
            None => {}
        }
        reader.finish()
    }
}

fn existing<'a>(places: &'a [&str]) -> impl Iterator<Item = &'a Path> {
    places.iter().map(Path::new).filter(|path| path.exists())
}

/// Reads each file once, even if several links point to it.
struct Reader {
    check: Check,
    texts: Vec<Vec<u8>>,
    unusable: Vec<String>,
    exhausted: Option<io::Error>,
    /// The device and inode of each file that was read.
    seen: Vec<(u64, u64)>,
    left: u64,
    /// The current place has a usable certificate.
    has_usable: bool,
}

impl Reader {
    /// Reads a place. If it is unusable, stores the reason.
    fn read(
        &mut self,
        read: fn(&mut Self, &Path) -> Result<(), String>,
        path: &Path,
        variable: Option<&str>,
    ) -> bool {
        self.has_usable = false;
        let outcome = read(self, path);
        let is_usable = outcome.is_ok();
        if let Err(reason) = outcome {
            self.unusable.push(match variable {
                Some(name) => format!("{path:?}, which {name} names, {reason}"),
                None => format!("{path:?} {reason}"),
            });
        }
        is_usable
    }

    fn read_file(&mut self, path: &Path) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|why| self.unreadable(why))?;
        // Reading a pipe or a device could block or never end.
        if !metadata.is_file() {
            return Err("is not a regular file".to_owned());
        }
        let file = (metadata.dev(), metadata.ino());
        if self.seen.contains(&file) {
            return Ok(());
        }
        let left = self.left.checked_sub(metadata.len()).ok_or_else(|| {
            format!("exceeds the {MAX_BYTES} bytes that all files may have together")
        })?;
        let mut text = vec![0; metadata.len() as usize];
        File::open(path)
            .and_then(|mut file| file.read_exact(&mut text))
            .map_err(|why| self.unreadable(why))?;
        // One usable certificate is enough for a place. To decode one in each file would be most of
        // the work for a directory.
        (self.check)(&text, !self.has_usable)?;
        self.has_usable = true;
        self.seen.push(file);
        self.left = left;
        self.texts.push(text);
        Ok(())
    }

    fn read_directory(&mut self, path: &Path) -> Result<(), String> {
        let entries = fs::read_dir(path).map_err(|why| self.unreadable(why))?;
        let entries = entries.flatten();
        let is_usable = |entry: &fs::DirEntry| self.read_file(&entry.path()).is_ok();
        match entries.filter(is_usable).count() {
            0 => Err("contains no usable certificate".to_owned()),
            _ => Ok(()),
        }
    }

    fn unreadable(&mut self, why: io::Error) -> String {
        let words = format!("cannot be read: {why}");
        if refusals::is_refusal_of_files(&why) {
            self.exhausted = Some(why);
        }
        words
    }

    fn finish(mut self) -> Result<TrustTexts, Unread> {
        if let Some(why) = self.exhausted {
            return Err(Unread::Exhausted(why));
        }
        if self.texts.is_empty() && self.unusable.is_empty() {
            self.unusable.push(format!(
                "neither {:?} nor another default place exists",
                FILES[0]
            ));
        }
        if self.texts.is_empty() {
            return Err(Unread::Unusable(first_of(&self.unusable)));
        }
        Ok(TrustTexts {
            texts: self.texts,
            unusable: self.unusable,
        })
    }
}

#[cfg(test)]
mod tests;
