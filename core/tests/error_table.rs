//! docs/errors.md is what the code does.

use url::Url;
use zelf_core::{
    api::refusal,
    error::{Error, Status},
    http::answer::Answer,
};

const TABLE: &str = include_str!("../../docs/errors.md");

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    TABLE
        .lines()
        .filter(|line| line.contains("`ZELF_ERROR_"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
}

fn answered(code: u16, body: &str) -> Error {
    let body = body.replace("\\n", "\n");
    let server = Url::parse("https://api.test/api/sessions").unwrap();
    refusal::read(
        &Answer::of(code, body.as_bytes()),
        &server,
        "api.test:443",
        0,
    )
}

/// The name that C has for a status.
fn status_name(status: Status) -> String {
    let mut name = String::from("ZELF_ERROR");
    for letter in format!("{status:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[test]
fn each_answer_in_the_table_has_the_status_and_the_advice_it_says() {
    let mut checked = 0;
    for row in rows() {
        let [code, body, name, retryable] = row[..] else {
            continue;
        };
        let body = if body == "anything else" {
            "<p>x"
        } else {
            body
        };
        let error = answered(code.parse().unwrap(), body);
        assert_eq!(status_name(error.status), name, "HTTP {code} {body}");
        assert_eq!(
            if error.status.is_retryable() {
                "yes"
            } else {
                "no"
            },
            retryable,
            "HTTP {code} {body}"
        );
        checked += 1;
    }
    assert!(checked > 20, "only {checked} rows were found");
}

#[test]
fn every_status_is_in_the_table_with_its_advice() {
    for &status in Status::ALL {
        let name = status_name(status);
        let row = rows()
            .find(|row| row.contains(&&*name))
            .unwrap_or_else(|| panic!("{name} is missing"));
        let advice = if status.is_retryable() { "yes" } else { "no" };
        assert_eq!(row.last(), Some(&advice), "{name}");
    }
}
