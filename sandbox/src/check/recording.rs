//! Writes exchanges to files, to compare deployments. Tokens, cookies and the client's address are
//! masked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::check::exchange::{Answer, NoAnswer, Request};
use crate::check::made::Made;
use crate::check::mask::Secrets;
use crate::check::session::Session;
use crate::check::step::Step;

/// A folder of recordings.
#[derive(Debug)]
pub struct Recordings {
    folder: PathBuf,
}

impl Recordings {
    /// Creates the folder if necessary.
    pub fn new(folder: &Path) -> Result<Self, String> {
        match fs::create_dir_all(folder) {
            Ok(()) => Ok(Recordings {
                folder: folder.to_owned(),
            }),
            Err(error) => Err(format!("cannot create {}: {error}", folder.display())),
        }
    }

    pub fn write(
        &self,
        number: usize,
        step: Step,
        url: &str,
        request: &Request,
        outcome: &Result<Answer, NoAnswer>,
        made: &Made,
    ) -> io::Result<()> {
        let mut exchange = json!({
            "step": step.name(),
            "purpose": step.purpose(),
            "request": {
                "method": request.method,
                "url": url,
                "headers": headers(request.headers.iter().map(|(name, value)| (*name, value.as_str())), &Secrets::default()),
                "body": request.body.as_deref().map(sent),
            },
        });
        match outcome {
            Ok(answer) => exchange["answer"] = recorded(answer, step, made),
            Err(reason) => exchange["no_answer"] = json!(reason.reason()),
        }
        let name = format!("{number:02}-{}.json", step.name());
        let mut text = serde_json::to_string_pretty(&exchange)?;
        text.push('\n');
        fs::write(self.folder.join(name), text)
    }
}

fn recorded(answer: &Answer, step: Step, made: &Made) -> Value {
    let all = answer.headers.iter();
    let secrets = &answer.secrets;
    let mut value = json!({
        "status": answer.status,
        "headers": headers(all.map(|(name, value)| (name.as_str(), value.as_str())), secrets),
        "body": match answer.json() {
            Some(body) => secrets.value(body),
            None => json!(secrets.plain(&String::from_utf8_lossy(&answer.body))),
        },
        "milliseconds": u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
    });
    // Claims identify sessions, which a masked token cannot. Those of other clients are not
    // recorded.
    if let Some(session) = Session::of(answer)
        && step.is_own(&session, made)
        && let Some(claims) = session.claims
    {
        value["claims"] = secrets.value(claims);
    }
    value
}

/// Returns a list of pairs, because a header may occur twice.
fn headers<'a>(all: impl Iterator<Item = (&'a str, &'a str)>, secrets: &Secrets) -> Vec<Value> {
    all.map(|(name, value)| json!([secrets.text(name), secrets.header(name, value)]))
        .collect()
}

/// Returns JSON as JSON, and anything else as text.
fn sent(body: &str) -> Value {
    match serde_json::from_str(body) {
        Ok(value) => value,
        Err(_) => json!(body),
    }
}
