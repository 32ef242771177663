//! Why TLS failed, in words.

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible,
    PeerMisbehaved,
};

use crate::connect::trust::{certificate_fault, pins};

/// Says why no secure connection could be made, and what to do. `peer` is
/// `host:port`, after "the proxy " where it is one.
pub fn sentence(error: &TlsError, peer: &str) -> String {
    if let TlsError::InvalidCertificate(certificate) = error {
        let fault = certificate_fault::of(certificate);
        return format!("the certificate of {peer} {}; {}", fault.why, fault.advice);
    }
    let (why, advice) = fault(error);
    format!("no secure connection to {peer} could be made ({why}); {advice}")
}

/// Says why a secure connection broke, for a place in brackets.
pub fn reason(error: &TlsError) -> &'static str {
    match error {
        TlsError::InvalidCertificate(_) => "its certificate is not acceptable",
        error => fault(error).0,
    }
}

/// Whether the peer does not speak TLS.
pub fn is_no_tls(error: &TlsError) -> bool {
    fault(error) == NO_TLS
}

/// Whether the peer's certificate is trusted, and its key is not pinned.
pub fn is_pin_mismatch(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(CertificateError::Other(other))
            if other.0.is::<pins::Mismatch>()
    )
}

/// Whether the peer has said that it does not want us.
pub fn is_refusal(error: &TlsError) -> bool {
    use AlertDescription as Alert;
    // The others tell of what arrived, which may have been changed on the way.
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

/// What went wrong, and what to do about it.
type Fault = (&'static str, &'static str);

const CHECK_PORT: &str = "check that the port speaks TLS 1.2 or 1.3";
const ASK: &str = "ask its operator";

const NO_TLS: Fault = ("it does not speak TLS", "check the scheme and the port");
const OLD_VERSION: Fault = (
    "it speaks no version of TLS from 1.2 on",
    "have it brought up to date",
);
const NOTHING_IN_COMMON: Fault = (
    "it accepts none of the ciphers and parameters that are offered",
    "have it accept current ones",
);
const NO_HTTP_1: Fault = (
    "it does not speak HTTP/1.1 there, perhaps HTTP/2 alone",
    "have it accept HTTP/1.1",
);
const CLIENT_CERTIFICATE: Fault = (
    "it wants a client certificate, which this library does not have",
    "use a host that asks for none",
);
const UNKNOWN_HOST: Fault = (
    "it does not know this host name",
    "check the host in the URL",
);
const BROKEN_RULES: Fault = ("it breaks the rules of TLS", CHECK_PORT);
const GARBLED: Fault = ("what it sent cannot be read", CHECK_PORT);
const UNREADABLE: Fault = ("it could not read what it was sent", CHECK_PORT);
const CHANGED: Fault = (
    "data was changed on the way",
    "expect an interception, or a faulty network",
);
const DOWNGRADE: Fault = (
    "somebody on the way forces an older version of TLS",
    "expect an interception",
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
            "check that the network reaches its authority",
        ),
        TlsError::NoCertificatesPresented => ("it sent no certificate", CHECK_PORT),
        TlsError::UnsupportedNameType => (
            "its host is neither a name nor an address",
            "check the host in the URL",
        ),
        TlsError::FailedToGetCurrentTime => ("the system gave no time", "set the device's clock"),
        TlsError::FailedToGetRandomBytes => ("the system gave no random numbers", "try again"),
        _ => OTHER,
    }
}

fn of_alert(alert: AlertDescription) -> Fault {
    use AlertDescription as Alert;
    match alert {
        Alert::HandshakeFailure => (
            "it accepts none of the ciphers and signatures offered, or wants a client certificate",
            "have it accept current ones, and ask for no certificate",
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
        Alert::AccessDenied => ("it denies access", "ask its operator for it"),
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
            "it wants another set of TLS extensions",
            "have it brought up to date",
        ),
        Alert::EncryptedClientHelloRequired => (
            "it wants an encrypted greeting, which is not supported",
            "have it accept others",
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
        // What the first bytes of another protocol look like.
        Message::InvalidContentType
        | Message::UnknownProtocolVersion
        | Message::MessageTooLarge
        | Message::InvalidEmptyPayload => NO_TLS,
        Message::CertificatePayloadTooLarge | Message::HandshakePayloadTooLarge => (
            "its certificates are too large",
            "have it send fewer of them",
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
            "have it brought up to date",
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
            "have it brought up to date",
        ),
        _ => BROKEN_RULES,
    }
}

#[cfg(test)]
mod tests;
