//! Checks that docs/errors.md describes what the code does.

use std::time::Duration;

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible,
};
use url::Url;
use zelf_core::{
    api::refusal,
    connect::{
        failure::{Attempt, Failure, Peer},
        proxy, socks,
        trust::refusal::Refusal,
        wire::Broken,
    },
    error::{Error, Status},
    http::answer::Answer,
};

const TABLE: &str = include_str!("../../docs/errors.md");

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    rows_under("")
}

/// Returns the rows under the headings that start with `heading`.
fn rows_under(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    TABLE
        .split("\n## ")
        .filter(move |part| part.starts_with(heading))
        .flat_map(str::lines)
        .filter(|line| line.contains("`ZELF_ERROR_"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
}

const SERVER: &str = "api.test:443";

/// Returns the error for an answer of the server or of the proxy.
fn answered(code: u16, body: &str, by_proxy: bool) -> Error {
    let body = body.replace("\\n", "\n");
    let answer = Answer::of(code, body.as_bytes());
    let url = Url::parse("https://api.test/api/sessions").unwrap();
    match by_proxy {
        false => refusal::read(&answer, &url, SERVER, 0),
        true => refusal::of_proxy(&answer, "p.test:3128", SERVER, 0),
    }
}

fn advice(status: Status) -> &'static str {
    match status.is_retryable() {
        true => "yes",
        false => "no",
    }
}

/// Returns the name of a status in C.
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

/// Checks the rows under a heading. Returns their number.
fn check_answers(heading: &str, by_proxy: bool) -> usize {
    let mut checked = 0;
    for row in rows_under(heading) {
        let [code, body, name, retryable] = row[..] else {
            panic!("a row of four cells: {row:?}");
        };
        let body = match body {
            "anything else" => "<p>x",
            body => body,
        };
        let error = answered(code.parse().unwrap(), body, by_proxy);
        assert_eq!(status_name(error.status), name, "HTTP {code} {body}");
        assert_eq!(advice(error.status), retryable, "HTTP {code} {body}");
        assert_eq!(error.http_status.to_string(), code);
        assert_eq!(error.message.contains("the proxy p.test:3128"), by_proxy);
        checked += 1;
    }
    checked
}

#[test]
fn each_answer_in_the_table_has_the_status_and_the_advice_it_says() {
    let checked = check_answers("The server answered\n", false);
    assert!(checked > 20, "only {checked} rows were found");
}

#[test]
fn each_answer_of_a_proxy_has_the_status_and_the_advice_it_says() {
    let checked = check_answers("A proxy answered a CONNECT\n", true);
    assert!(checked > 10, "only {checked} rows were found");
}

#[test]
fn each_reply_of_a_socks_proxy_has_the_status_and_the_advice_it_says() {
    let proxy = proxy::parse("socks5://p.test").unwrap();
    let attempt = Attempt {
        authority: SERVER,
        proxy: Some(&proxy),
        timeout: Duration::ZERO,
        connect_timeout: Duration::ZERO,
    };
    let mut checked = 0;
    for row in rows_under("A SOCKS proxy replied\n") {
        let [code, meaning, name, retryable] = row[..] else {
            panic!("a row of four cells: {row:?}");
        };
        let reply = socks::Refusal::Reply(code.parse().unwrap());
        let error = attempt.describe(Failure::Socks(reply));
        assert_eq!(status_name(error.status), name, "{meaning}");
        assert_eq!(advice(error.status), retryable, "{meaning}");
        assert!(error.message.contains(meaning), "{}", error.message);
        assert!(error.message.contains("the proxy p.test:1080"));
        checked += 1;
    }
    assert_eq!(checked, 9);
}

#[test]
fn every_status_is_in_the_table_with_its_advice() {
    for &status in Status::ALL {
        let name = status_name(status);
        let row = rows()
            .find(|row| row.contains(&&*name))
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(row.last(), Some(&advice(status)), "{name}");
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

/// Every TLS failure with a row has the status ZELF_ERROR_TLS, for the server and for a proxy.
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
