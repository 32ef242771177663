use std::{
    cell::{Cell, RefCell},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{OnceLock, Weak},
    thread,
};

use super::*;
use crate::{
    api::session_answer, config::Config, create::aim::Aim, environment::Environment, host::clock,
    provider::files::Locking, session::Times, text::Text,
};

thread_local! {
    /// Runs when this thread reads the wall clock. Only the file of the session needs that clock.
    static ON_WALL: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
}

const HOOKED: Environment = Environment {
    wall: || {
        // The hook may read the clock too.
        if let Some(hook) = ON_WALL.take() {
            hook();
            ON_WALL.set(Some(hook));
        }
        clock::wall()
    },
    ..Environment::SYSTEM
};

/// A directory that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zelf-keeping-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn keeping_with(options: &ProviderOptions) -> Arc<Keeping> {
    let config = Config {
        base_url: Text::new(Some(b"http://127.0.0.1:1")),
        ..Config::default()
    };
    let client = Arc::new(Client::within(&config, HOOKED).unwrap());
    let session = SessionOptions {
        identifier: Text::new(Some(b"keeping-x")),
        ..SessionOptions::default()
    };
    Arc::new(Keeping::new(client, &session, options).unwrap())
}

fn storing_in(folder: &Folder) -> Arc<Keeping> {
    keeping_with(&ProviderOptions {
        directory: Text::new(Some(folder.0.to_str().unwrap().as_bytes())),
        ..ProviderOptions::default()
    })
}

/// Returns one of two sessions that have just been received: `ab` or `cd`.
fn session(id: &str) -> Session {
    let token = match id {
        // {"session":"ab"}
        "ab" => "e.eyJzZXNzaW9uIjoiYWIifQ.s",
        // {"session":"cd"}
        _ => "e.eyJzZXNzaW9uIjoiY2QifQ.s",
    };
    let times = Times {
        activated_at: 1_800_000_000,
        expires_at: 1_800_000_600,
        ends_at: clock::since_boot() + Duration::from_secs(600),
    };
    let session = session_answer::of_token(token.as_bytes(), times).unwrap();
    assert_eq!(session.id(), Some(id));
    session
}

/// Passes a session to the keeper, as the answer of a request.
fn receive(keeping: &Keeping, session: Session) {
    let work = Work {
        task: Task::Renew,
        aim: Aim::default(),
    };
    keeping.settle(&work, Ok(session));
}

fn stored_id(keeping: &Keeping) -> Option<String> {
    keeping.files.read()?.session.id().map(str::to_owned)
}

/// A provider with a callback, and the sessions that the callback has received.
struct Told {
    keeping: Arc<Keeping>,
    ids: Arc<Lock<Vec<String>>>,
}

impl Told {
    /// Creates a provider that holds `ab`. `during` runs inside the callback.
    fn new(during: impl Fn(&Arc<Keeping>, &Session) + Send + Sync + 'static) -> Self {
        let ids = Arc::new(Lock::new(Vec::new()));
        let place = Arc::new(OnceLock::<Weak<Keeping>>::new());
        let (told, provider) = (Arc::clone(&ids), Arc::clone(&place));
        let listener = Listener::new(Box::new(move |session| {
            let keeping = provider.get().and_then(Weak::upgrade).unwrap();
            during(&keeping, session);
            told.hold().push(session.id().unwrap().to_owned());
        }));
        let keeping = keeping_with(&ProviderOptions {
            listener: Some(Arc::new(listener)),
            ..ProviderOptions::default()
        });
        place.set(Arc::downgrade(&keeping)).unwrap();
        receive(&keeping, session("ab"));
        Self { keeping, ids }
    }

    fn ids(&self) -> Vec<String> {
        self.ids.hold().clone()
    }
}

/// Receives and reports a session on another thread.
fn renew_elsewhere(keeping: &Arc<Keeping>, id: &str) {
    let keeping = Arc::clone(keeping);
    let session = session(id);
    let renewal = move || {
        receive(&keeping, session);
        keeping.tell();
    };
    thread::spawn(renewal).join().unwrap();
}

#[test]
fn each_session_is_reported_once() {
    let told = Told::new(|_, _| {});
    told.keeping.tell();
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab"]);
    receive(&told.keeping, session("cd"));
    told.keeping.tell();
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab", "cd"]);
}

#[test]
fn a_session_that_comes_during_a_report_is_reported_after_it() {
    let told = Told::new(|keeping, session| {
        if session.id() == Some("ab") {
            renew_elsewhere(keeping, "cd");
        }
    });
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab", "cd"]);
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab", "cd"]);
}

#[test]
fn a_report_may_call_the_provider() {
    let told = Told::new(|keeping, session| {
        assert!(keeping.warm().unwrap().is_same_as(session));
        assert!(keeping.outcome().unwrap().is_same_as(session));
        assert!(keeping.last_error().is_none());
        assert!(keeping.invalidate(session));
        keeping.tell();
    });
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab"]);
}

#[test]
fn after_a_report_that_panics_the_next_session_is_reported() {
    let told = Told::new(|keeping, session| {
        if session.id() == Some("ab") {
            renew_elsewhere(keeping, "cd");
            panic!("asked to by a test");
        }
    });
    assert!(catch_unwind(AssertUnwindSafe(|| told.keeping.tell())).is_err());
    assert_eq!(told.ids(), [""; 0]);
    told.keeping.tell();
    assert_eq!(told.ids(), ["cd"]);
}

#[test]
fn a_provider_that_is_freed_during_a_report_makes_no_further_one() {
    let told = Told::new(|keeping, _| {
        renew_elsewhere(keeping, "cd");
        keeping.close();
    });
    told.keeping.tell();
    assert_eq!(told.ids(), ["ab"]);
}

#[test]
fn a_session_that_is_refused_before_it_is_stored_is_not_stored() {
    let folder = Folder::new("refused");
    let keeping = storing_in(&folder);
    receive(&keeping, session("ab"));
    assert_eq!(stored_id(&keeping).as_deref(), Some("ab"));
    let (other, has_refused) = (Arc::clone(&keeping), Cell::new(false));
    ON_WALL.set(Some(Box::new(move || {
        if !has_refused.replace(true) {
            assert!(other.invalidate(&session("cd")));
        }
    })));
    receive(&keeping, session("cd"));
    ON_WALL.set(None);
    assert!(keeping.warm().is_none(), "it is refused");
    assert_eq!(stored_id(&keeping), None);
}

#[test]
fn a_refused_session_that_the_server_returns_again_is_not_stored() {
    let folder = Folder::new("again");
    let keeping = storing_in(&folder);
    receive(&keeping, session("ab"));
    assert!(keeping.invalidate(&session("ab")));
    assert_eq!(stored_id(&keeping), None);
    receive(&keeping, session("ab"));
    assert_eq!(stored_id(&keeping), None);
}

#[test]
fn a_refusal_leaves_a_session_that_another_process_stores_meanwhile() {
    let folder = Folder::new("meanwhile");
    for moment in 1..=3 {
        // The lock of a file belongs to an open file, so this acts like another process.
        let (keeping, other) = (storing_in(&folder), storing_in(&folder));
        receive(&keeping, session("ab"));
        let (reads, has_stored) = (Cell::new(0), Arc::new(AtomicBool::new(false)));
        let stores = Arc::clone(&has_stored);
        ON_WALL.set(Some(Box::new(move || {
            reads.set(reads.get() + 1);
            let until = other.context().deadline();
            if reads.get() == moment
                && let Locking::Locked(_lock) = other.files.try_lock(until)
            {
                other.files.write(&session("cd"), true);
                stores.store(true, Relaxed);
            }
        })));
        assert!(keeping.invalidate(&session("ab")));
        ON_WALL.set(None);
        let expected = has_stored.load(Relaxed).then_some("cd");
        assert_eq!(stored_id(&keeping).as_deref(), expected, "at {moment}");
        assert_eq!(has_stored.load(Relaxed), moment == 1, "at {moment}");
    }
}
