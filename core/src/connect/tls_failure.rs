//! Messages for failures of TLS.

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible,
    PeerMisbehaved,
};

use crate::connect::trust::{certificate_fault, pins};

/// Returns the message for a connection that could not be secured, with advice. `peer` is
/// `host:port`, with "the proxy " before it for a proxy.
pub fn sentence(error: &TlsError, peer: &str) -> String {
    if let TlsError::InvalidCertificate(certificate) = error {
        let fault = certificate_fault::of(certificate);
        return format!("the certificate of {peer} {}; {}", fault.why, fault.advice);
    }
    let (why, advice) = fault(error);
    format!("cannot open a secure connection to {peer} ({why}); {advice}")
}

/// Returns why a secure connection broke, as a text for parentheses.
pub fn reason(error: &TlsError) -> &'static str {
    match error {
        TlsError::InvalidCertificate(_) => "its certificate is not acceptable",
        error => fault(error).0,
    }
}

/// Returns whether the peer does not speak TLS.
pub fn is_no_tls(error: &TlsError) -> bool {
    fault(error) == NO_TLS
}

/// Returns whether the peer's certificate is trusted, but its key is not pinned.
pub fn is_pin_mismatch(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(CertificateError::Other(other))
            if other.0.is::<pins::Mismatch>()
    )
}

/// Returns whether the peer has refused the client with an alert.
pub fn is_refusal(error: &TlsError) -> bool {
    use AlertDescription as Alert;
    // Other alerts are about the received data, which may have been changed in transit.
    matches!(
        error,
        TlsError::AlertReceived(
            Alert::HandshakeFailure
                | Alert::NoCertificate
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::InsufficientSecurity
                | Alert::CertificateRequired
                | Alert::UnrecognisedName
                | Alert::NoApplicationProtocol
        )
    )
}

/// The cause of a failure, and advice.
type Fault = (&'static str, &'static str);

const CHECK_PORT: &str = "check that the port speaks TLS 1.2 or 1.3";
const ASK: &str = "ask its operator";

const NO_TLS: Fault = ("it does not speak TLS", "check the scheme and the port");
const OLD_VERSION: Fault = (
    "it only speaks TLS versions before 1.2",
    "ask its operator to update it",
);
const NOTHING_IN_COMMON: Fault = (
    "it accepts none of the ciphers and parameters that are offered",
    "ask its operator to enable current ones",
);
const NO_HTTP_1: Fault = (
    "it does not speak HTTP/1.1, perhaps only HTTP/2",
    "ask its operator to enable HTTP/1.1",
);
const CLIENT_CERTIFICATE: Fault = (
    "it requires a client certificate, which this library does not support",
    "use a host that requires none",
);
const UNKNOWN_HOST: Fault = (
    "it does not know this host name",
    "check the host in the URL",
);
const BROKEN_RULES: Fault = ("it violates the TLS protocol", CHECK_PORT);
const GARBLED: Fault = ("its messages cannot be decoded", CHECK_PORT);
const UNREADABLE: Fault = ("it could not decode the library's messages", CHECK_PORT);
const CHANGED: Fault = (
    "data was changed in transit",
    "check for interception, or for a faulty network",
);
const DOWNGRADE: Fault = (
    "a machine on the way forces an older version of TLS",
    "check for interception",
);
const OTHER: Fault = ("TLS failed", CHECK_PORT);

#[cold]
fn fault(error: &TlsError) -> Fault {
    match error {
        TlsError::AlertReceived(alert) => of_alert(*alert),
        TlsError::InvalidMessage(message) => of_message(message),
        TlsError::PeerIncompatible(why) => of_incompatible(why),
        TlsError::PeerMisbehaved(why) => of_misbehaved(why),
        TlsError::InappropriateMessage { .. } | TlsError::InappropriateHandshakeMessage { .. } => {
            BROKEN_RULES
        }
        TlsError::PeerSentOversizedRecord => NO_TLS,
        TlsError::DecryptError => CHANGED,
        TlsError::NoApplicationProtocol => NO_HTTP_1,
        TlsError::InvalidCertRevocationList(_) => (
            "its certificate could not be checked for revocation",
            "check that its authority can be reached",
        ),
        TlsError::NoCertificatesPresented => ("it sent no certificate", CHECK_PORT),
        TlsError::UnsupportedNameType => (
            "its host is neither a name nor an address",
            "check the host in the URL",
        ),
        TlsError::FailedToGetCurrentTime => (
            "the system's clock cannot be read",
            "set the device's clock",
        ),
        TlsError::FailedToGetRandomBytes => {
            ("the system's random numbers cannot be read", "try again")
        }
        _ => OTHER,
    }
}

fn of_alert(alert: AlertDescription) -> Fault {
    use AlertDescription as Alert;
    match alert {
        Alert::HandshakeFailure => (
            "it accepts none of the ciphers and signatures offered, or requires a client certificate",
            "ask its operator to enable current ones, and to require no certificate",
        ),
        Alert::InsufficientSecurity => NOTHING_IN_COMMON,
        Alert::ProtocolVersion => OLD_VERSION,
        Alert::InappropriateFallback => DOWNGRADE,
        Alert::CertificateRequired
        | Alert::NoCertificate
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::CertificateUnobtainable
        | Alert::BadCertificateHashValue
        | Alert::UnknownCA => CLIENT_CERTIFICATE,
        Alert::AccessDenied => ("it denies access", "ask its operator for access"),
        Alert::UnrecognisedName => UNKNOWN_HOST,
        Alert::NoApplicationProtocol => NO_HTTP_1,
        Alert::InternalError => ("it reports an internal error", ASK),
        Alert::CloseNotify | Alert::UserCanceled => ("it ended the handshake", ASK),
        Alert::BadRecordMac | Alert::DecryptError | Alert::DecryptionFailed => CHANGED,
        Alert::RecordOverflow
        | Alert::DecompressionFailure
        | Alert::UnexpectedMessage
        | Alert::IllegalParameter
        | Alert::DecodeError => UNREADABLE,
        Alert::MissingExtension | Alert::UnsupportedExtension => (
            "it requires other TLS extensions",
            "ask its operator to update it",
        ),
        Alert::EncryptedClientHelloRequired => (
            "it requires an encrypted client hello, which this library does not support",
            "ask its operator to accept others",
        ),
        Alert::NoRenegotiation
        | Alert::ExportRestriction
        | Alert::BadCertificateStatusResponse
        | Alert::UnknownPSKIdentity => ("it ended the connection with a fatal alert", ASK),
        _ => ("it ended the connection with an unknown alert", ASK),
    }
}

fn of_message(message: &InvalidMessage) -> Fault {
    use InvalidMessage as Message;
    match message {
        // The first bytes of another protocol are decoded as one of these.
        Message::InvalidContentType
        | Message::UnknownProtocolVersion
        | Message::MessageTooLarge
        | Message::InvalidEmptyPayload => NO_TLS,
        Message::CertificatePayloadTooLarge | Message::HandshakePayloadTooLarge => (
            "its certificates are too large",
            "ask its operator to send fewer of them",
        ),
        Message::UnsupportedKeyExchangeAlgorithm(_)
        | Message::UnsupportedCurveType
        | Message::UnsupportedCompression
        | Message::InvalidDhParams => NOTHING_IN_COMMON,
        _ => GARBLED,
    }
}

fn of_incompatible(why: &PeerIncompatible) -> Fault {
    use PeerIncompatible as Peer;
    match why {
        Peer::ServerDoesNotSupportTls12Or13
        | Peer::ServerTlsVersionIsDisabledByOurConfig
        | Peer::SupportedVersionsExtensionRequired
        | Peer::Tls12NotOffered
        | Peer::Tls12NotOfferedOrEnabled => OLD_VERSION,
        Peer::ExtendedMasterSecretExtensionRequired => (
            "it lacks the extended master secret",
            "ask its operator to update it",
        ),
        Peer::NoCertificateRequestSignatureSchemesInCommon => CLIENT_CERTIFICATE,
        _ => NOTHING_IN_COMMON,
    }
}

fn of_misbehaved(why: &PeerMisbehaved) -> Fault {
    use PeerMisbehaved as Peer;
    match why {
        Peer::AttemptedDowngradeToTls12WhenTls13IsSupported => DOWNGRADE,
        Peer::SelectedUnofferedApplicationProtocol => NO_HTTP_1,
        Peer::SelectedUnofferedCipherSuite
        | Peer::SelectedUnofferedKxGroup
        | Peer::SignedHandshakeWithUnadvertisedSigScheme
        | Peer::SignedKxWithWrongAlgorithm => (
            "it uses a cipher or a kind of signature that was not offered",
            "ask its operator to update it",
        ),
        _ => BROKEN_RULES,
    }
}

#[cfg(test)]
mod tests;
