use std::{
    os::unix::fs::symlink,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

/// A directory for a test. It is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trust-places-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, and creates its directory if necessary.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Replaces the decoding of certificates.
fn check(text: &[u8], must_be_usable: bool) -> Result<(), String> {
    match text {
        b"broken" if must_be_usable => Err("is broken".to_owned()),
        b"empty" => Err("is empty".to_owned()),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Setup<'a> {
    file_variable: Option<&'a str>,
    directory_variable: Option<&'a str>,
    files: &'a [&'a str],
    directories: &'a [&'a str],
}

impl Setup<'_> {
    fn read(&self) -> Result<TrustTexts, Unread> {
        let places = TrustPlaces {
            file_variable: self.file_variable.map(OsString::from),
            directory_variable: self.directory_variable.map(OsString::from),
            files: self.files,
            directories: self.directories,
        };
        places.read(check)
    }

    fn texts(&self) -> Vec<String> {
        let read = self.read().unwrap();
        let mut texts: Vec<_> = read
            .texts
            .into_iter()
            .map(|text| String::from_utf8(text).unwrap())
            .collect();
        texts.sort();
        texts
    }

    fn error(&self) -> String {
        match self.read() {
            Err(Unread::Unusable(why)) => why,
            Err(Unread::Exhausted(why)) => panic!("{why}"),
            Ok(read) => panic!("{:?}", read.texts),
        }
    }
}

#[test]
fn the_first_bundle_that_can_be_used_is_read_and_no_directory() {
    let folder = Folder::new();
    let (missing, broken) = (folder.path("missing"), folder.file("broken", "broken"));
    let (one, two) = (folder.file("1", "one"), folder.file("2", "two"));
    folder.file("directory/3", "three");
    let setup = Setup {
        files: &[&missing, &broken, &one, &two],
        directories: &[&folder.path("directory")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["one"]);
    let unusable = setup.read().unwrap().unusable;
    assert_eq!(unusable, [format!("{broken:?} is broken")]);
}

#[test]
fn the_directories_are_read_if_there_is_no_bundle() {
    let folder = Folder::new();
    folder.file("a/1", "one");
    folder.file("a/2", "two");
    folder.file("a/deeper/3", "three");
    folder.file("b/4", "four");
    let setup = Setup {
        files: &[&folder.path("missing")],
        directories: &[&folder.path("a"), &folder.path("none"), &folder.path("b")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["four", "one", "two"]);
}

#[test]
fn the_file_variable_replaces_the_bundle_and_the_directories() {
    let folder = Folder::new();
    folder.file("directory/3", "three");
    let setup = Setup {
        file_variable: Some(&folder.file("own", "own")),
        files: &[&folder.file("bundle", "bundle")],
        directories: &[&folder.path("directory")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["own"]);
}

#[test]
fn the_directory_variable_replaces_the_directories_and_not_the_bundle() {
    let folder = Folder::new();
    folder.file("own/1", "own");
    folder.file("directory/3", "three");
    let setup = Setup {
        directory_variable: Some(&folder.path("own")),
        files: &[&folder.file("bundle", "bundle")],
        directories: &[&folder.path("directory")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["bundle", "own"]);
    let setup = Setup {
        files: &[],
        ..setup
    };
    assert_eq!(setup.texts(), ["own"]);
}

#[test]
fn both_variables_replace_all_defaults() {
    let folder = Folder::new();
    folder.file("own/1", "own");
    let setup = Setup {
        file_variable: Some(&folder.file("file", "file")),
        directory_variable: Some(&folder.path("own")),
        files: &[&folder.file("bundle", "bundle")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["file", "own"]);
}

#[test]
fn the_directory_variable_lists_directories_between_colons() {
    let folder = Folder::new();
    folder.file("a/1", "one");
    folder.file("b/2", "two");
    let list = format!(":{}::{}:", folder.path("a"), folder.path("b"));
    let setup = Setup {
        directory_variable: Some(&list),
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["one", "two"]);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let folder = Folder::new();
    folder.file("directory/3", "three");
    let setup = Setup {
        file_variable: Some(""),
        directory_variable: Some(""),
        files: &[&folder.file("bundle", "bundle")],
        directories: &[&folder.path("directory")],
    };
    assert_eq!(setup.texts(), ["bundle"]);
    let setup = Setup {
        files: &[],
        ..setup
    };
    assert_eq!(setup.texts(), ["three"]);
}

#[test]
fn a_file_variable_that_names_nothing_usable_is_an_error_and_no_wider_trust() {
    let folder = Folder::new();
    let missing = folder.path("missing");
    folder.file("directory/3", "three");
    let setup = Setup {
        file_variable: Some(&missing),
        files: &[&folder.file("bundle", "bundle")],
        directories: &[&folder.path("directory")],
        ..Setup::default()
    };
    let expected = format!("{missing:?}, which SSL_CERT_FILE names, cannot be read: No such");
    assert!(setup.error().starts_with(&expected), "{}", setup.error());
}

#[test]
fn an_unusable_place_is_noted_if_another_gives_a_certificate() {
    let folder = Folder::new();
    let missing = folder.path("missing");
    folder.file("own/1", "own");
    let setup = Setup {
        file_variable: Some(&missing),
        directory_variable: Some(&folder.path("own")),
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["own"]);
    let unusable = setup.read().unwrap().unusable;
    assert!(unusable[0].contains("SSL_CERT_FILE"), "{unusable:?}");
    let setup = Setup {
        directory_variable: Some(&missing),
        files: &[&folder.file("bundle", "bundle")],
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["bundle"]);
    let unusable = setup.read().unwrap().unusable;
    assert!(unusable[0].contains("SSL_CERT_DIR"), "{unusable:?}");
}

#[test]
fn a_place_whose_only_certificates_cannot_be_used_is_noted_wherever_it_stands() {
    let folder = Folder::new();
    folder.file("a/1", "one");
    folder.file("b/2", "broken");
    symlink("2", folder.path("b/link")).unwrap();
    folder.file("c/3", "three");
    folder.file("c/4", "broken");
    let list = ["a", "b", "c"].map(|name| folder.path(name)).join(":");
    let setup = Setup {
        file_variable: Some(&folder.file("broken", "broken")),
        directory_variable: Some(&list),
        ..Setup::default()
    };
    let unusable = setup.read().unwrap().unusable;
    assert_eq!(unusable.len(), 2, "{unusable:?}");
    assert!(unusable[0].contains("SSL_CERT_FILE names, is broken"));
    assert!(unusable[1].starts_with(&format!("{:?}", folder.path("b"))));
}

#[test]
fn the_error_names_each_unusable_place() {
    let folder = Folder::new();
    let broken = folder.file("broken", "broken");
    folder.file("own/1", "empty");
    let setup = Setup {
        file_variable: Some(&broken),
        directory_variable: Some(&folder.path("own")),
        ..Setup::default()
    };
    let expected = format!(
        "{broken:?}, which SSL_CERT_FILE names, is broken; \
         {:?}, which SSL_CERT_DIR names, contains no usable certificate",
        folder.path("own")
    );
    assert_eq!(setup.error(), expected);
    let error = Setup::default().error();
    assert_eq!(
        error,
        "neither \"/etc/ssl/certs/ca-certificates.crt\" nor another default place exists"
    );
}

#[test]
fn a_link_to_a_file_is_read_and_each_file_once() {
    let folder = Folder::new();
    let one = folder.file("own/one.pem", "one");
    symlink("one.pem", folder.path("own/01234567.0")).unwrap();
    symlink("nothing", folder.path("own/89abcdef.0")).unwrap();
    symlink(&one, folder.path("link")).unwrap();
    let setup = Setup {
        file_variable: Some(&folder.path("link")),
        directory_variable: Some(&folder.path("own")),
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["one"]);
}

#[test]
fn a_pipe_a_device_or_a_directory_is_no_file() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for path in [&pipe, "/dev/zero", &folder.path("")] {
        let setup = Setup {
            file_variable: Some(path),
            ..Setup::default()
        };
        let expected = format!("{path:?}, which SSL_CERT_FILE names, is not a regular file");
        assert_eq!(setup.error(), expected);
    }
    folder.file("1", "one");
    let setup = Setup {
        directory_variable: Some(&folder.path("")),
        ..Setup::default()
    };
    assert_eq!(setup.texts(), ["one"]);
}

#[test]
fn all_files_together_take_at_most_16_mib() {
    let folder = Folder::new();
    let large = folder.file("large", "");
    let file = File::options().write(true).open(&large).unwrap();
    file.set_len(MAX_BYTES + 1).unwrap();
    let setup = Setup {
        file_variable: Some(&large),
        ..Setup::default()
    };
    assert!(setup.error().contains("exceeds the 16777216 bytes"));
    file.set_len(MAX_BYTES - 3).unwrap();
    folder.file("own/three", "333");
    folder.file("own/four", "4444");
    let setup = Setup {
        directory_variable: Some(&folder.path("own")),
        ..setup
    };
    let read = setup.read().unwrap().texts;
    assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [16777213, 3]);
}
