//! The program: runs a sandbox until a signal, after a ready line. Or checks a deployment: prints a
//! plan and a report.
#![forbid(unsafe_code)]

mod cli;

use std::io::{self, Write as _};
use std::process::ExitCode;

use cli::Command;
use zelf_sandbox::Sandbox;
use zelf_sandbox::check::{Check, Outcome};

/// The command line is invalid.
const USAGE: u8 = 2;
/// The plan was printed, and nothing was sent.
const ONLY_PLANNED: u8 = 3;
/// No fact deviates, but some are unknown.
const NOT_ALL_JUDGED: u8 = 4;

fn main() -> ExitCode {
    let run = match cli::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => write_out(cli::HELP),
        Ok(Command::Version) => {
            write_out(concat!("zelf-sandbox ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Ok(Command::Run(run)) => serve(*run),
        Ok(Command::CheckHelp) => write_out(cli::CHECK_HELP),
        Ok(Command::Check(command)) => return check(*command),
        Err(error) => {
            let _ = writeln!(io::stderr(), "zelf-sandbox: {error}\nTry --help.");
            return ExitCode::from(USAGE);
        }
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "zelf-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn check(command: cli::Check) -> ExitCode {
    let complain = |error: &dyn std::fmt::Display, status| {
        let _ = writeln!(io::stderr(), "zelf-sandbox: {error}");
        ExitCode::from(status)
    };
    let check = match Check::new(&command.base_url, command.options) {
        Ok(check) => check,
        Err(error) => return complain(&error, USAGE),
    };
    if let Err(error) = write_out(&check.plan()) {
        return complain(&error, NOT_ALL_JUDGED);
    }
    if !command.yes {
        let told = write_out("Nothing was sent. Add --yes to send the requests.\n");
        return told.map_or_else(
            |error| complain(&error, NOT_ALL_JUDGED),
            |()| ExitCode::from(ONLY_PLANNED),
        );
    }
    let reported = check.run().and_then(|report| {
        write_out(&format!("\n{report}"))?;
        Ok(match report.outcome() {
            Outcome::AsExpected => ExitCode::SUCCESS,
            Outcome::Deviates => ExitCode::FAILURE,
            Outcome::NotAllJudged => ExitCode::from(NOT_ALL_JUDGED),
        })
    });
    reported.unwrap_or_else(|error| complain(&error, NOT_ALL_JUDGED))
}

fn serve(run: cli::Run) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // This comes before the ready line: a process that has read it may send a signal.
        let stopped = stop_signal()?;
        let sandbox = Sandbox::start(run.options)?;
        let ready = serde_json::to_string(sandbox.ready())?;
        write_out(&format!("{ready}\n"))?;
        if run.exit_with_stdin {
            tokio::select! {
                () = stopped => {}
                () = stdin_closed() => {}
            }
        } else {
            stopped.await;
        }
        drop(sandbox);
        Ok(())
    })
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Waits until stdin is closed. Uses a thread, because a blocking read cannot be cancelled.
async fn stdin_closed() {
    let (closed, waiting) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(closed);
    });
    let _ = waiting.await;
}
