//! The check of a deployment. Against an unchanged sandbox, every fact holds. Against a deviating
//! one, the report names the deviating fact, and the facts that cannot be judged without it.

mod common;
#[path = "check/deviations.rs"]
mod deviations;

use std::collections::BTreeSet;
use std::time::Duration;

use common::checking::{check, deviating, options, report, set, strike, unknown};
use common::sandbox;
use serde_json::json;
use zelf_sandbox::check::{Options, Outcome, Step};
use zelf_sandbox::{FaultKind, Reply, Stage};

#[test]
fn every_fact_holds_for_the_sandbox() {
    let report = check(&sandbox());
    assert_eq!(report.outcome(), Outcome::AsExpected, "{report}");
}

#[test]
fn every_fact_holds_over_tls_with_the_sandboxs_ca() {
    let sandbox = sandbox();
    let trusting = Options {
        ca_file: Some(sandbox.ca_file().to_owned()),
        ..options()
    };
    let report = report(sandbox.https_url(), trusting);
    assert_eq!(report.outcome(), Outcome::AsExpected, "{report}");
}

#[test]
fn a_deviation_is_reported_with_what_depends_on_it_and_nothing_else() {
    for deviation in deviations::all() {
        let sandbox = sandbox();
        // Inject the last one first, because a fault does not count requests that an earlier one
        // answers.
        for (step, fault) in deviation.faults.into_iter().rev() {
            strike(&sandbox, step, fault);
        }
        let report = check(&sandbox);
        let mut expected = set(deviation.with_it);
        expected.insert(deviation.fact);
        assert_eq!(
            deviating(&report),
            expected,
            "{}:\n{report}",
            deviation.fact
        );
        let without_it = set(deviation.without_it);
        assert_eq!(
            unknown(&report),
            without_it,
            "{}:\n{report}",
            deviation.fact
        );
        assert_eq!(report.outcome(), Outcome::Deviates);
    }
}

#[test]
fn every_fact_is_shown_failing() {
    let report = check(&sandbox());
    let facts: BTreeSet<_> = report.findings.iter().map(|f| f.fact.name).collect();
    let shown: BTreeSet<_> = deviations::all().iter().map(|d| d.fact).collect();
    assert_eq!(shown, facts);
    assert_eq!(report.findings.len(), facts.len(), "no name is used twice");
}

#[test]
fn a_deviation_is_one_line_that_says_what_was_seen_and_what_to_do() {
    let sandbox = sandbox();
    strike(&sandbox, Step::KeyWithoutIdentifier, deviations::ok());
    let report = check(&sandbox).to_string();
    let lines: Vec<&str> = report.lines().collect();
    let line = "deviates - key-without-identifier: the key route answers 409 \
                \"missing identifier\" when there is none; seen: HTTP 200. A refused \
                value may give another error than ZELF_ERROR_VALIDATION";
    assert!(lines.contains(&line), "{report}");
    assert_eq!(
        lines.last(),
        Some(&"30 as expected, 1 deviate, 0 could not be judged")
    );
}

#[test]
fn a_redirect_is_a_deviation_that_names_its_target() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Redirect {
        status: None,
        location: Some("https://v5.test/".into()),
    });
    let report = check(&sandbox);
    assert!(deviating(&report).contains("session"), "{report}");
    assert!(
        report
            .to_string()
            .contains("seen: HTTP 301 (to https://v5.test/)"),
        "{report}"
    );
}

#[test]
fn an_outage_is_no_deviation() {
    for reply in [
        Reply::html(502, "<h1>502</h1>"),
        Reply::status(503),
        Reply::status(429),
        Reply::error(500, "connect ECONNREFUSED"),
        Reply::text(404, "Not Found"),
    ] {
        let sandbox = sandbox();
        let status = reply.status;
        sandbox.inject(reply);
        let report = check(&sandbox);
        assert_eq!(deviating(&report), set(&[]), "{status:?}:\n{report}");
        assert_eq!(report.outcome(), Outcome::NotAllJudged, "{status:?}");
        assert_eq!(sandbox.requests().len(), 1, "it does not insist");
    }
}

#[test]
fn an_outage_in_the_middle_leaves_one_fact_unjudged() {
    let sandbox = sandbox();
    strike(
        &sandbox,
        Step::NoToken,
        json!({"kind": "answer", "status": 503}),
    );
    let report = check(&sandbox);
    assert_eq!(deviating(&report), set(&[]), "{report}");
    assert_eq!(unknown(&report), set(&["no-token"]), "{report}");
}

#[test]
fn a_connection_that_breaks_leaves_one_fact_unjudged() {
    let sandbox = sandbox();
    strike(
        &sandbox,
        Step::Key,
        json!({"kind": "reset", "stage": "request"}),
    );
    let report = check(&sandbox);
    assert_eq!(deviating(&report), set(&[]), "{report}");
    assert_eq!(unknown(&report), set(&["key"]), "{report}");
}

#[test]
fn a_deployment_that_is_not_there_is_no_deviation() {
    let url = sandbox().http_url().to_owned();
    let report = report(&url, options());
    assert_eq!(report.outcome(), Outcome::NotAllJudged, "{report}");
    assert_eq!(deviating(&report), set(&[]));
}

#[test]
fn a_deployment_that_does_not_answer_is_left_after_the_time_limit() {
    let sandbox = sandbox();
    sandbox.inject(FaultKind::Stall {
        stage: Stage::Request,
    });
    let impatient = Options {
        timeout: Duration::from_secs(1),
        ..options()
    };
    let report = report(sandbox.http_url(), impatient);
    assert_eq!(report.outcome(), Outcome::NotAllJudged, "{report}");
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_certificate_that_is_not_trusted_is_no_deviation_and_cacert_is_named() {
    let (sandbox, other) = (sandbox(), sandbox());
    let trusting_another = Options {
        ca_file: Some(other.ca_file().to_owned()),
        ..options()
    };
    let report = report(sandbox.https_url(), trusting_another);
    assert_eq!(report.outcome(), Outcome::NotAllJudged, "{report}");
    assert!(report.to_string().contains("--cacert"), "{report}");
}
