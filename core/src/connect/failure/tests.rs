use std::sync::Arc;

use rustls::AlertDescription;

use super::*;
use crate::connect::proxy;

fn describe(failure: Failure) -> Error {
    Attempt {
        authority: "api.test:443",
        proxy: None,
        timeout: Duration::from_secs(15),
        connect_timeout: Duration::from_secs(5),
    }
    .describe(failure)
}

#[test]
fn noise_on_a_connection_that_was_made_ends_the_connection_only() {
    let lost = describe(Failure::Lost(Broken::Tls(TlsError::DecryptError)));
    assert_eq!(lost.status, Status::ConnectionLost);
    let noise = Broken::Tls(TlsError::DecryptError);
    let error = describe(Failure::Handshake(Peer::Server, noise));
    assert_eq!(error.status, Status::Tls);
}

#[test]
fn a_server_that_refuses_us_after_the_handshake_has_refused_us() {
    for (alert, status) in [
        (AlertDescription::CertificateRequired, Status::Tls),
        (AlertDescription::InternalError, Status::ConnectionLost),
        (AlertDescription::RecordOverflow, Status::ConnectionLost),
    ] {
        let said = Broken::Tls(TlsError::AlertReceived(alert));
        assert_eq!(describe(Failure::Lost(said)).status, status);
    }
}

#[test]
fn a_fault_of_tls_with_a_proxy_is_told_as_the_proxys() {
    let proxy = proxy::parse("https://proxy.test:3128").unwrap();
    let told = |failure| {
        let attempt = Attempt {
            authority: "api.test:443",
            proxy: Some(&proxy),
            timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
        };
        attempt.describe(failure)
    };
    let wanted = || TlsError::AlertReceived(AlertDescription::CertificateRequired);
    for failure in [
        Failure::Handshake(Peer::Proxy, Broken::Tls(wanted())),
        Failure::Handshake(Peer::Server, Broken::TlsBelow(wanted())),
        Failure::Tunnel(Broken::Tls(wanted())),
        Failure::Lost(Broken::TlsBelow(wanted())),
    ] {
        let error = told(failure);
        assert_eq!(error.status, Status::Tls);
        assert!(error.message.contains("to the proxy proxy.test:3128 ("));
    }
    let error = told(Failure::Lost(Broken::Tls(wanted())));
    assert_eq!(error.status, Status::Tls);
    assert!(error.message.contains("to api.test:443 ("));
    let error = told(Failure::Lost(Broken::TlsBelow(TlsError::DecryptError)));
    assert_eq!(error.status, Status::ConnectionLost);
    assert_eq!(
        error.message,
        "the connection to api.test:443 was lost (at the proxy proxy.test:3128: \
         data was changed in transit); try again"
    );
}

#[test]
fn a_name_without_address_is_named() {
    let error = describe(Failure::NoAddress(
        Peer::Server,
        NoAddress {
            name: "where.test".to_owned(),
            why: Unfound::LookUp(Arc::new(io::Error::other("nobody knows"))),
        },
    ));
    assert_eq!(error.status, Status::Dns);
    assert!(error.message.contains("resolve where.test: "));
}

#[test]
fn our_limit_for_connecting_is_a_timeout_and_the_systems_is_not() {
    let ours = describe(Failure::ConnectTimeout(Awaited::Peer(Peer::Server)));
    assert_eq!(ours.status, Status::Timeout);
    let systems = io::Error::from_raw_os_error(libc::ETIMEDOUT);
    let error = describe(Failure::Tcp(Peer::Server, systems));
    assert_eq!(error.status, Status::Connect);
}
