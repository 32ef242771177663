//! docs/errors.md is what the code does.

use std::time::Duration;

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible,
};
use url::Url;
use zelf_core::{
    api::refusal,
    connect::{
        failure::{Attempt, Failure, Peer},
        trust::refusal::Refusal,
        wire::Broken,
    },
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

#[test]
fn every_row_has_the_advice_of_its_status() {
    let mut checked = 0;
    for row in rows() {
        let [.., name, advice] = row[..] else {
            panic!("{row:?} has no advice");
        };
        let mut statuses = Status::ALL.iter();
        let status = statuses.find(|&&status| status_name(status) == name);
        let is_retryable = status.expect(name).is_retryable();
        assert_eq!(advice == "yes", is_retryable, "{row:?}");
        checked += 1;
    }
    assert!(checked > 45, "only {checked} rows were found");
}

/// Each failure of TLS that has a row is told as ZELF_ERROR_TLS, whoever the peer is.
#[test]
fn a_failure_of_tls_has_its_status() {
    let attempt = Attempt {
        authority: "api.test:443",
        proxy: None,
        timeout: Duration::from_secs(15),
        connect_timeout: Duration::from_secs(5),
    };
    for error in [
        TlsError::from(CertificateError::UnknownIssuer),
        CertificateError::UnhandledCriticalExtension.into(),
        CertificateError::BadSignature.into(),
        Refusal::IssuerExpired.into(),
        Refusal::IssuerMissing.into(),
        Refusal::WeakKey.into(),
        TlsError::AlertReceived(AlertDescription::CertificateRequired),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName),
        TlsError::AlertReceived(AlertDescription::NoApplicationProtocol),
        TlsError::AlertReceived(AlertDescription::ProtocolVersion),
        TlsError::AlertReceived(AlertDescription::HandshakeFailure),
        PeerIncompatible::ServerDoesNotSupportTls12Or13.into(),
        InvalidMessage::InvalidContentType.into(),
    ] {
        for peer in [Peer::Server, Peer::Proxy] {
            let broken = Broken::Tls(error.clone());
            let told = attempt.describe(Failure::Handshake(peer, broken));
            assert_eq!(told.status, Status::Tls, "{error}");
        }
    }
}
