//! The command line.

use std::num::NonZeroU64;
use std::time::Duration;

use lexopt::prelude::*;
use zelf_sandbox::{Fault, Options, check};

pub const HELP: &str = include_str!("help.txt");
pub const CHECK_HELP: &str = include_str!("check_help.txt");

pub enum Command {
    Help,
    Version,
    Run(Box<Run>),
    CheckHelp,
    Check(Box<Check>),
}

pub struct Check {
    pub base_url: String,
    pub options: check::Options,
    /// Send the requests, and do not only print them.
    pub yes: bool,
}

pub struct Run {
    pub options: Options,
    pub exit_with_stdin: bool,
}

pub fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let is_check = |word: &std::ffi::OsStr| word == "check";
    if let Some(mut words) = arguments.try_raw_args()
        && words.next_if(is_check).is_some()
    {
        return parse_check(arguments);
    }
    let mut exit_with_stdin = false;
    let mut options = Options {
        log: true,
        ..Options::default()
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Long("ipv6") => options.ipv6 = true,
            Long("http-port") => options.http_port = arguments.value()?.parse()?,
            Long("https-port") => options.https_port = arguments.value()?.parse()?,
            Long("control-port") => options.control_port = arguments.value()?.parse()?,
            Long("tls12-only") => options.tls12_only = true,
            Long("ca-file") => options.ca_file = Some(arguments.value()?.into()),
            Long("exit-with-stdin") => exit_with_stdin = true,
            Long("quiet") => options.log = false,
            Long("answers") => options.answers = arguments.value()?.parse()?,
            Long("create-delay-ms") => options.create_delay = milliseconds(&mut arguments)?,
            Long("lifetime") => options.session_lifetime = arguments.value()?.parse()?,
            Long("reap-every") => {
                let seconds = arguments.value()?.parse()?;
                options.reap_interval = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            Long("use-limit") => options.use_limit = arguments.value()?.parse()?,
            Long("search-limit") => options.search_limit = arguments.value()?.parse()?,
            Long("preview-limit") => options.preview_limit = arguments.value()?.parse()?,
            Long("lease-limit") => options.lease_limit = arguments.value()?.parse()?,
            Long("decrypt-limit") => options.decrypt_limit = arguments.value()?.parse()?,
            Long("body-limit") => options.body_limit = arguments.value()?.parse()?,
            Long("idle-close-ms") => options.idle_close = milliseconds(&mut arguments)?,
            Long("starting-for") => options.starting_for = arguments.value()?.parse()?,
            Long("clock-skew") => options.clock_skew = arguments.value()?.parse()?,
            Long("record-limit") => options.record_limit = arguments.value()?.parse()?,
            Long("fault") => {
                let fault = Fault::from_json(&arguments.value()?.string()?)?;
                options.faults.push(fault);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Run(Box::new(Run {
        options,
        exit_with_stdin,
    })))
}

fn parse_check(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut yes = false;
    let mut base_url = None;
    let mut options = check::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::CheckHelp),
            Long("yes") => yes = true,
            Long("cacert") => options.ca_file = Some(arguments.value()?.into()),
            Long("origin") => options.origin = Some(arguments.value()?.string()?),
            Long("proxy") => options.proxy = Some(arguments.value()?.string()?),
            Long("record") => options.record = Some(arguments.value()?.into()),
            Long("timeout") => {
                let seconds: NonZeroU64 = arguments.value()?.parse()?;
                options.timeout = Duration::from_secs(seconds.get());
            }
            Long("rest-ms") => options.rest = Some(milliseconds(&mut arguments)?),
            Value(url) if base_url.is_none() => base_url = Some(url.string()?),
            other => return Err(other.unexpected()),
        }
    }
    match base_url {
        Some(base_url) => Ok(Command::Check(Box::new(Check {
            base_url,
            options,
            yes,
        }))),
        None => {
            Err("check needs the base URL of a deployment; see zelf-sandbox check --help".into())
        }
    }
}

fn milliseconds(arguments: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    Ok(Duration::from_millis(arguments.value()?.parse()?))
}
