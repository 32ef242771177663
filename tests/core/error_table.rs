//! docs/errors.md is what the code does.

use crate::{
    api::{self, Answer},
    error::{Error, Status},
    ffi::status_name,
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
    api::error_from(
        &Answer::of(code, &body.replace("\\n", "\n")),
        "api.test:443",
    )
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
            .find(|row| row.contains(&name))
            .unwrap_or_else(|| panic!("{name} is missing"));
        let advice = if status.is_retryable() { "yes" } else { "no" };
        assert_eq!(row.last(), Some(&advice), "{name}");
    }
}
