//! The sandbox as a program that scripts start and stop.
#![cfg(unix)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use common::{Wire, create_request, named, post, tcp};
use serde_json::{Value, json};

struct Program {
    child: Child,
    ready: Value,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zelf-sandbox"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a ready line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Program { child, ready }
    }

    fn wire(&self) -> Wire {
        Wire::new(tcp(self.ready["http"].as_str().unwrap()))
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.expect("kill is there").success());
    }

    /// Returns the exit status and the output on stderr.
    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("it ends"), said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn output(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zelf-sandbox"));
    let output = command.args(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_ready_line_says_where_and_who() {
    let program = Program::start(&[]);
    assert_eq!(program.ready["ready"], true);
    assert_eq!(program.ready["pid"], program.child.id());
    assert!(
        program.ready["https"]
            .as_str()
            .unwrap()
            .starts_with("https://localhost:")
    );
    assert!(Path::new(program.ready["ca_file"].as_str().unwrap()).exists());
    assert_eq!(program.wire().create(named("a")).status, 200);
}

#[test]
fn sigterm_and_sigint_end_it_well_and_its_ca_file_goes_with_it() {
    for signal in ["TERM", "INT"] {
        let program = Program::start(&["--quiet"]);
        let ca_file = program.ready["ca_file"].as_str().unwrap().to_owned();
        let mut open = program.wire();
        open.create(named("a"));
        program.signal(signal);
        let (status, said) = program.end();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{signal}");
        assert!(!Path::new(&ca_file).exists(), "{signal}");
    }
}

#[test]
fn it_ends_with_its_stdin_if_asked() {
    let mut program = Program::start(&["--exit-with-stdin"]);
    drop(program.child.stdin.take());
    assert_eq!(program.end().0.code(), Some(0));
}

#[test]
fn it_does_not_end_with_its_stdin_unless_asked() {
    let mut program = Program::start(&[]);
    drop(program.child.stdin.take());
    assert_eq!(program.wire().create(named("a")).status, 200);
}

#[test]
fn the_log_has_a_line_per_request_and_no_token() {
    let fault = r#"{"kind":"reset","stage":"request","skip":3}"#;
    let program = Program::start(&["--fault", fault]);
    let mut wire = program.wire();
    let token = wire.create(named("a\nb")).token();
    wire.search(&token);
    wire.exchange(post(&format!("/x?token={token}"), "text/plain", "", ""));
    wire.send(create_request(&named("c")));
    assert!(wire.try_receive().is_err());
    program.signal("TERM");
    let (_, said) = program.end();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(
        lines[0].starts_with("POST /api/sessions 200 created identifier=a\\nb "),
        "{said}"
    );
    assert!(lines[0].ends_with("ms"), "{said}");
    assert!(
        lines[1].starts_with("GET /api/zelf-name-service/v2/search?zelfName=abc.zelf 200 "),
        "{said}"
    );
    assert!(lines[2].starts_with("POST /x?token=<token> 401 "), "{said}");
    assert!(
        lines[3].starts_with("POST /api/sessions - fault=reset@request "),
        "{said}"
    );
    assert!(!said.contains("eyJ"), "{said}");
}

#[test]
fn options_reach_the_service() {
    let program = Program::start(&[
        "--quiet",
        "--answers=token-only",
        "--lifetime=60",
        "--use-limit=1",
        "--starting-for=1",
        "--clock-skew=-1000",
        "--create-delay-ms=0",
        "--reap-every=0",
    ]);
    let mut wire = program.wire();
    assert_eq!(wire.create(named("a")).status, 404);
    let answer = wire.create(named("a"));
    assert_eq!(answer.json()["data"].as_object().unwrap().len(), 1);
    assert_eq!(wire.search(&answer.token()).status, 200);
    assert_eq!(wire.search(&answer.token()).status, 401);
    let sessions = wire
        .exchange("GET /sandbox/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .json();
    let session = &sessions["sessions"][0];
    let lifetime =
        session["expiresAt"].as_i64().unwrap() - session["activatedAt"].as_i64().unwrap();
    assert_eq!(lifetime, 60);
    assert_eq!(session["uses"], json!(2));
}

#[test]
fn help_names_every_option_and_every_kind_of_fault() {
    let (status, help, _) = output(&["--help"]);
    assert_eq!(status, 0);
    for word in [
        "--http-port",
        "--https-port",
        "--control-port",
        "--ipv6",
        "--ca-file",
        "--exit-with-stdin",
        "--quiet",
        "--record-limit",
        "--answers",
        "--lifetime",
        "--reap-every",
        "--use-limit",
        "--search-limit",
        "--preview-limit",
        "--lease-limit",
        "--decrypt-limit",
        "--body-limit",
        "--create-delay-ms",
        "--idle-close-ms",
        "--starting-for",
        "--clock-skew",
        "--fault",
        "delay",
        "stall",
        "reset",
        "close",
        "truncate",
        "garbage",
        "answer",
        "redirect",
        "refusal",
        "oversized_body",
        "oversized_headers",
        "drip",
        "framing",
        "raw",
        "unasked",
        "certificate",
        "clock_skew",
        "missing_date",
        "header",
        "zelf-sandbox check",
        "patch",
        "claims",
        "approximation",
    ] {
        assert!(help.contains(word), "{word}");
    }
    assert!(
        help.lines().all(|line| line.chars().count() <= 90),
        "it fits a terminal"
    );
    assert_eq!(
        output(&["--version"]).1,
        format!("zelf-sandbox {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_faults_of_the_help_are_faults() {
    let (_, help, _) = output(&["--help"]);
    let mut read = 0;
    for (start, _) in help.match_indices("{\"kind\":\"") {
        let from = &help[start..];
        let fault = serde_json::Deserializer::from_str(from)
            .into_iter::<Value>()
            .next();
        // Text that ends in an ellipsis is not JSON.
        if let Some(Ok(fault)) = fault {
            zelf_sandbox::Fault::from_value(fault.clone())
                .unwrap_or_else(|e| panic!("{fault}: {e}"));
            read += 1;
        }
    }
    assert!(read >= 18, "only {read} were read");
}

#[test]
fn mistakes_on_the_command_line_are_named_and_end_with_2() {
    for (arguments, reason) in [
        (["--nonsense", ""], "nonsense"),
        (["--http-port", "x"], "x"),
        (["--answers", "new"], "token-only"),
        (["--fault", "{\"kind\":\"x\"}"], "unknown variant"),
    ] {
        let (status, out, error) = output(&arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (status, out, error) = output(&["--http-port", &port]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
}
