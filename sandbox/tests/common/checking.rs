//! Runs checks against sandboxes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use zelf_sandbox::Sandbox;
use zelf_sandbox::check::{Check, Doubt, Options, Report, Step};

use super::inject;

pub fn options() -> Options {
    Options {
        rest: Some(Duration::ZERO),
        ..Options::default()
    }
}

pub fn report(base_url: &str, options: Options) -> Report {
    let check = Check::new(base_url, options).expect("options that can be used");
    check.run().expect("nothing is recorded")
}

pub fn check(sandbox: &Sandbox) -> Report {
    report(sandbox.http_url(), options())
}

pub fn deviating(report: &Report) -> BTreeSet<&str> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| matches!(finding.judged, Err(Doubt::Deviates(_))))
        .map(|finding| finding.fact.name)
        .collect()
}

pub fn unknown(report: &Report) -> BTreeSet<&str> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| matches!(finding.judged, Err(Doubt::Unknown(_))))
        .map(|finding| finding.fact.name)
        .collect()
}

pub fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

/// Injects a fault for the request of one step.
pub fn strike(sandbox: &Sandbox, step: Step, mut fault: Value) {
    let before = Step::ALL.iter().take_while(|&&earlier| earlier != step);
    let skip = before
        .filter(|earlier| {
            earlier.method() == step.method() && earlier.path().starts_with(step.path())
        })
        .count();
    fault["method"] = json!(step.method());
    fault["path"] = json!(step.path());
    fault["skip"] = json!(skip);
    fault["times"] = json!(1);
    inject(sandbox, fault);
}
