//! The two files that the processes of one installation share: the lock and the stored session.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ring::digest::{SHA256, digest};

use crate::{
    context::Context,
    create::aim::Errand,
    host::{
        boot,
        descriptors::StandardStreams,
        file_lock::{Attempt, FileLock},
        system,
    },
    log::{self, Level},
    moment::Moment,
    provider::{
        place::{self, Places},
        stored::{self, Circumstances, Stored},
    },
    secret::Secret,
    session::Session,
};

/// Larger than any stored session.
const MAX_BYTES: u64 = 128 * 1024;

/// How long after its time limit a process may still hold the lock, on a busy machine.
const GRACE: Duration = Duration::from_secs(2);

/// No call takes longer. If the lock file says a later time, it comes from another clock.
const LONGEST: Duration = Duration::from_secs(3600);

/// The lock file and the session file of a provider. The stored session is only valid for the same
/// options and until the next boot.
pub struct Files {
    context: Arc<Context>,
    directory: Directory,
    /// The name of both files, without the extension.
    name: String,
    session: Option<(PathBuf, Binding)>,
}

/// The directory of the lock file.
enum Directory {
    Given(PathBuf),
    Found(Places),
}

struct Binding {
    boot: String,
    options: String,
}

impl Files {
    /// Creates the paths. Without a `directory` of the caller, no session is stored.
    pub fn new(context: &Arc<Context>, errand: &Errand, directory: Option<PathBuf>) -> Self {
        if let Some(directory) = &directory
            && let Err(why) = place::check(directory)
        {
            say(
                context,
                &format!(
                    "the directory {directory:?} {why}; use one that only this user can write to"
                ),
            );
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

/// Hashes a list of texts. Each length is hashed too, so that different lists differ.
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

/// The result of an attempt to take the file lock.
pub enum Locking {
    Locked(Lock),
    /// Another process holds the lock. `is_stuck`: it should have released the lock by now.
    Waits {
        is_stuck: bool,
    },
    /// The lock file cannot be used.
    Unlocked,
}

/// Releases the lock when it is dropped.
pub struct Lock(#[allow(dead_code)] FileLock);

impl Files {
    /// Tries to take the lock. `until`: when this process will release it.
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
                    &format!("{why}; other processes may renew at the same time"),
                );
                Locking::Unlocked
            }
        }
    }

    /// Returns whether the holder should have released the lock by now. A holder that has not
    /// written a time was stopped before it could, or does not use this library.
    fn is_stuck(&self, until: Option<Moment>) -> bool {
        let now = self.context.now();
        until.is_none_or(|until| {
            now > until.saturating_add(GRACE) || until > now.saturating_add(LONGEST)
        })
    }

    pub fn say_stuck(&self) {
        let words =
            "the process that holds the lock file does not respond; continuing without the lock";
        say(&self.context, words);
    }

    fn lock_path(&self) -> Result<PathBuf, String> {
        let directory = match &self.directory {
            Directory::Given(directory) => directory,
            Directory::Found(places) => places.find()?,
        };
        Ok(directory.join(format!("{}.lock", self.name)))
    }

    /// Reads the stored session. Returns `None` for an unreadable or invalid file.
    pub fn read(&self) -> Option<Stored> {
        let (path, binding) = self.session.as_ref()?;
        let text = read_own(path).ok()?;
        stored::read(&text, &self.here(binding))
    }

    /// Stores a session and replaces the stored one.
    pub fn write(&self, session: &Session, is_confirmed: bool) {
        let Some((path, binding)) = &self.session else {
            return;
        };
        let text = stored::write(session, is_confirmed, &self.here(binding));
        if let Err(error) = replace(path, &text) {
            say(
                &self.context,
                &format!("cannot store the session in {path:?}: {error}"),
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
    ///
    /// Another process replaces the file only under the lock. So this takes the lock, if no process
    /// has it, and reads the file again right before it removes it.
    pub fn forget(&self, session: &Session) {
        if !self.stores(session) {
            return;
        }
        let path = self.lock_path().ok();
        let _lock = path.map(|path| FileLock::try_hold(&path, self.context.now()));
        if self.stores(session) {
            self.remove();
        }
    }

    fn stores(&self, session: &Session) -> bool {
        self.read()
            .is_some_and(|stored| stored.session.is_same_as(session))
    }
}

/// Reads a file that only this user can read and write.
fn read_own(path: &Path) -> io::Result<Secret> {
    let _occupied = StandardStreams::occupy()?;
    let (file, length) = system::open_own(path, MAX_BYTES)?;
    let mut text = Vec::with_capacity(length as usize);
    let outcome = file.take(length).read_to_end(&mut text);
    let text = Secret::from(text);
    outcome.map(|_| text)
}

/// Writes a new file and renames it over the old one.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // Two processes without a lock may each write a part of the file. Reading rejects such a file,
    // because its end is missing.
    let new = path.with_extension("session.new");
    // Remove the file of a process that was killed while it wrote.
    let _ = fs::remove_file(&new);
    let _occupied = StandardStreams::occupy()?;
    let written = system::create_own(&new)
        .and_then(|mut file| system::without_size_signal(|| file.write_all(text)))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
