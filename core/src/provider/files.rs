//! The two files that the processes of one installation share: a lock, and the
//! session.

use std::{path::PathBuf, sync::Arc};

use ring::digest::{SHA256, digest};

use crate::{
    context::Context,
    create::aim::Errand,
    host::boot,
    log::{self, Level},
    moment::Moment,
    provider::{
        place::{self, Places},
        stored::{Circumstances, Stored},
    },
    session::Session,
};

/// What is in the files is bound to what was asked for, and to this start of the
/// system.
pub struct Files {
    context: Arc<Context>,
    directory: Directory,
    /// What both are called.
    name: String,
    session: Option<(PathBuf, Binding)>,
}

/// Where the lock lies.
enum Directory {
    Given(PathBuf),
    Found(Places),
}

struct Binding {
    boot: String,
    options: String,
}

impl Files {
    /// `directory`: where the caller wants them. Without one there is no stored
    /// session.
    pub fn new(context: &Arc<Context>, errand: &Errand, directory: Option<PathBuf>) -> Self {
        if let Some(directory) = &directory
            && let Err(why) = place::check(directory)
        {
            say(context, &format!("the directory {directory:?} {why}"));
        }
        let url = context.policy.url.as_str();
        let identifier = errand.request.identifier.as_deref().unwrap_or_default();
        let name = format!("zelf-{}", &hash(&[url, identifier])[..32]);
        let body = String::from_utf8(errand.request.body()).unwrap_or_default();
        let binding = boot::id().map(|boot| Binding {
            boot,
            options: hash(&[url, &context.origin, &body]),
        });
        Self {
            context: Arc::clone(context),
            session: directory
                .as_ref()
                .map(|directory| directory.join(format!("{name}.session")))
                .zip(binding),
            directory: match directory {
                Some(directory) => Directory::Given(directory),
                None => Directory::Found(Places::of_environment()),
            },
            name,
        }
    }

    fn here<'a>(&self, binding: &'a Binding) -> Circumstances<'a> {
        Circumstances {
            boot: &binding.boot,
            binding: &binding.options,
            now: self.context.now(),
            wall: (self.context.environment.wall)(),
        }
    }
}

fn say(context: &Context, words: &str) {
    log::say(context.log.as_deref(), Level::Warning, || words.to_owned());
}

/// Hashes texts of any length, so that no two lists are hashed alike.
fn hash(texts: &[&str]) -> String {
    let mut all = Vec::new();
    for text in texts {
        all.extend_from_slice(&(text.len() as u64).to_be_bytes());
        all.extend_from_slice(text.as_bytes());
    }
    let digest = digest(&SHA256, &all);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What trying to lock out other processes has come to.
pub enum Locking {
    Locked(Lock),
    /// Another process holds the lock. `is_stuck`: it ought to have let go of it.
    Waits {
        is_stuck: bool,
    },
    /// There is no lock to be had.
    Unlocked,
}

#[cfg(unix)]
pub use with_files::Lock;

#[cfg(unix)]
mod with_files {
    use std::{
        fs::{self, File, OpenOptions},
        io::{self, Read, Write},
        os::unix::fs::{MetadataExt, OpenOptionsExt},
        path::Path,
        time::Duration,
    };

    use super::*;
    use crate::{
        host::{
            descriptors::StandardStreams,
            file_lock::{Attempt, FileLock},
            user,
        },
        provider::stored,
        secret::Secret,
    };

    /// Lets go of the lock when it is dropped.
    pub struct Lock(#[allow(dead_code)] FileLock);

    /// More than any session.
    const MAX_BYTES: u64 = 128 * 1024;

    /// A process lets go of the lock so long after its time limit, on a busy machine.
    const GRACE: Duration = Duration::from_secs(2);

    /// No call of ours takes longer. A moment behind that is of another clock.
    const LONGEST: Duration = Duration::from_secs(3600);

    impl Files {
        /// `until`: when this process will have let go of it.
        pub fn try_lock(&self, until: Moment) -> Locking {
            let attempt = self.lock_path().and_then(|path| {
                FileLock::try_hold(&path, until)
                    .map_err(|error| format!("the lock file {path:?} cannot be used: {error}"))
            });
            match attempt {
                Ok(Attempt::Taken(lock)) => Locking::Locked(Lock(lock)),
                Ok(Attempt::Waits { until }) => Locking::Waits {
                    is_stuck: self.is_stuck(until),
                },
                Err(why) => {
                    say(
                        &self.context,
                        &format!("{why}; other processes are not locked out"),
                    );
                    Locking::Unlocked
                }
            }
        }

        /// Whether the holder of the lock ought to have let go of it. One that has said no
        /// moment was stopped before it could, or is none of ours.
        fn is_stuck(&self, until: Option<Moment>) -> bool {
            let now = self.context.now();
            until.is_none_or(|until| {
                now > until.saturating_add(GRACE) || until > now.saturating_add(LONGEST)
            })
        }

        pub fn say_stuck(&self) {
            let words = "the process that holds the lock file is stuck; going on without the lock";
            say(&self.context, words);
        }

        fn lock_path(&self) -> Result<PathBuf, String> {
            let directory = match &self.directory {
                Directory::Given(directory) => directory,
                Directory::Found(places) => places.find()?,
            };
            Ok(directory.join(format!("{}.lock", self.name)))
        }

        /// Reads the stored session. Anything odd is `None`.
        pub fn read(&self) -> Option<Stored> {
            let (path, binding) = self.session.as_ref()?;
            let text = read_own(path).ok()?;
            stored::read(&text, &self.here(binding))
        }

        /// Stores a session in place of the one that is there.
        pub fn write(&self, session: &Session, is_confirmed: bool) {
            let Some((path, binding)) = &self.session else {
                return;
            };
            let text = stored::write(session, is_confirmed, &self.here(binding));
            if let Err(error) = replace(path, &text) {
                say(
                    &self.context,
                    &format!("the session cannot be stored in {path:?}: {error}"),
                );
            }
        }

        /// Removes the stored session.
        pub fn remove(&self) {
            if let Some((path, _)) = &self.session {
                let _ = fs::remove_file(path);
            }
        }

        /// Removes the stored session if it is this one.
        pub fn forget(&self, session: &Session) {
            let is_stored = self
                .read()
                .is_some_and(|stored| stored.session.is_same_as(session));
            if is_stored {
                self.remove();
            }
        }
    }

    /// Reads a file that only this user can have written and read.
    fn read_own(path: &Path) -> io::Result<Secret> {
        let _occupied = StandardStreams::occupy();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)?;
        let metadata = file.metadata()?;
        let is_own = metadata.is_file()
            && metadata.uid() == user::effective_id()
            && metadata.mode() & 0o077 == 0
            && metadata.len() <= MAX_BYTES;
        if !is_own {
            return Err(io::Error::other("it is not this user's alone"));
        }
        let mut text = Vec::with_capacity(metadata.len() as usize);
        let outcome = file.take(metadata.len()).read_to_end(&mut text);
        let text = Secret::from(text);
        outcome.map(|_| text)
    }

    /// Writes a new file and puts it in the place of the old one.
    fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
        // Two processes without a lock may write half a file between them. It counts for
        // nothing when it is read: its end is missing.
        let new = path.with_extension("session.new");
        // One that a process has left which was killed.
        let _ = fs::remove_file(&new);
        let _occupied = StandardStreams::occupy();
        let written = create(&new)
            .and_then(|mut file| file.write_all(text))
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    fn create(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)
    }
}

#[cfg(not(unix))]
pub struct Lock;

#[cfg(not(unix))]
impl Files {
    pub fn try_lock(&self, _: Moment) -> Locking {
        let _ = (&self.directory, &self.name);
        Locking::Unlocked
    }

    pub fn say_stuck(&self) {}

    pub fn read(&self) -> Option<Stored> {
        None
    }

    pub fn write(&self, _: &Session, _: bool) {}

    pub fn remove(&self) {}

    pub fn forget(&self, _: &Session) {}
}
