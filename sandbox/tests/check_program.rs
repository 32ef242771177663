//! The check as a program.

mod common;

use std::process::Command;

use common::sandbox;
use zelf_sandbox::check::Step;
use zelf_sandbox::{FaultKind, Reply};

/// Returns the exit status, and the output on stdout and stderr.
fn check(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zelf-sandbox"));
    let command = command.args(["check", "--rest-ms", "0"]).args(arguments);
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn without_yes_the_plan_is_printed_and_nothing_is_sent() {
    let sandbox = sandbox();
    let (status, out, _) = check(&[sandbox.http_url()]);
    assert_eq!(status, 3);
    assert_eq!(sandbox.connections(), 0);
    for step in Step::ALL {
        assert!(out.contains(step.purpose()), "{out}");
    }
    assert!(
        out.ends_with("Nothing was sent. Add --yes to send the requests.\n"),
        "{out}"
    );
}

#[test]
fn with_yes_the_plan_is_printed_before_the_facts() {
    let sandbox = sandbox();
    let (status, out, error) = check(&["--yes", sandbox.http_url()]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    let plan = out.find(Step::Kill.purpose()).expect("the plan");
    let facts = out.find("ok - session: ").expect("the facts");
    assert!(plan < facts, "{out}");
}

#[test]
fn a_deviation_ends_with_1() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::MissingDate {});
    let (status, out, _) = check(&["--yes", sandbox.http_url()]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("deviates - date: "), "{out}");
}

#[test]
fn mistakes_on_the_command_line_end_with_2() {
    for (arguments, reason) in [
        (&["--yes"][..], "base URL"),
        (&["--yes", "ftp://x.test"], "http://"),
        (&["--nonsense", "http://x.test"], "nonsense"),
        (&["--timeout", "0", "http://x.test"], "0"),
        (&["http://x.test", "http://y.test"], "y.test"),
        (&["--proxy", "htp://p.test:1", "http://x.test"], "proxy"),
        (&["--proxy", "ftp://p.test:1", "http://x.test"], "proxy"),
        (&["--proxy", "p.test:1", "http://x.test"], "proxy"),
        (
            &["--cacert", "/nonexistent", "https://x.test"],
            "/nonexistent",
        ),
    ] {
        let (status, out, error) = check(arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_check_without_a_verdict_ends_with_4() {
    let sandbox = sandbox();
    sandbox.inject(Reply::status(503));
    let (status, out, _) = check(&["--yes", sandbox.http_url()]);
    assert_eq!(status, 4, "{out}");
}

#[test]
fn a_folder_that_cannot_be_written_to_ends_with_4_before_anything_is_sent() {
    let sandbox = sandbox();
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("records");
    let folder = folder.to_str().unwrap();
    let (status, _, error) = check(&["--yes", "--record", folder, sandbox.http_url()]);
    assert_eq!(status, 4);
    assert!(error.contains(folder), "{error}");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn its_help_names_every_option_and_status() {
    let (status, help, _) = check(&["--help"]);
    assert_eq!(status, 0);
    for word in [
        "--yes",
        "--cacert",
        "--proxy",
        "--origin",
        "--record",
        "--timeout",
        "--rest-ms",
        "  0 ",
        "  1 ",
        "  2 ",
        "  3 ",
        "  4 ",
    ] {
        assert!(help.contains(word), "{word}");
    }
    let creates = Step::ALL.iter().filter(|step| step.method() == "POST");
    assert!(
        help.contains(&format!("{} creates", creates.count())),
        "{help}"
    );
    assert!(
        help.lines().all(|line| line.chars().count() <= 90),
        "it fits a terminal"
    );
}
