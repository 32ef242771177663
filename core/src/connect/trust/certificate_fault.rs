//! Messages for the faults of a certificate.

use std::borrow::Cow;

use rustls::{CertificateError, pki_types::ServerName};
use webpki::Error as PathError;

use crate::connect::trust::refusal::Refusal;

/// A fault, and advice.
pub struct Fault {
    /// Completes "the certificate of ...".
    pub why: &'static str,
    pub advice: Cow<'static, str>,
}

const fn fault(why: &'static str, advice: &'static str) -> Fault {
    Fault {
        why,
        advice: Cow::Borrowed(advice),
    }
}

const DATE: &str = "check this device's date first";
const REISSUE: &str = "ask its authority to issue it again";
const LONG_KEY: &str = "ask its authority to issue it for a key of 2048 bits or more";
const UNKNOWN: &str = "is not signed by an authority that is trusted here";
const CA_FILE: &str = "set the right CA file, or check for interception";

const EXPIRED: Fault = fault("has expired", DATE);
const NOT_YET_VALID: Fault = fault("is not valid yet", DATE);
const ALGORITHM: Fault = fault(
    "or of its issuer is signed in a way that is not supported, such as SHA-1 or ECDSA with P-521",
    "ask its authority to sign it with SHA-256 and RSA or P-256",
);
const PURPOSE: Fault = fault(
    "or of its issuer is for another use than servers (extended key usage)",
    "ask its authority to issue it for server authentication",
);
const REVOCATION: Fault = fault(
    "could not be checked for revocation",
    "check that its authority can be reached",
);
const REVOKED: Fault = fault("has been revoked", "check for interception");
const EXTENSION: Fault = fault(
    "or of its issuer has a critical extension that is not supported",
    "ask its authority to issue it without, or avoid a proxy that inspects TLS",
);
const MALFORMED: Fault = fault("or of its issuer is malformed or unusual", REISSUE);
const NAME: Fault = fault("is for another host", "check the host in the URL");
const UNACCEPTABLE: Fault = fault("is not acceptable", REISSUE);

#[cold]
pub fn of(error: &CertificateError) -> Fault {
    use CertificateError as E;
    match error {
        E::UnknownIssuer => fault(UNKNOWN, CA_FILE),
        E::Expired | E::ExpiredContext { .. } => EXPIRED,
        E::NotValidYet | E::NotValidYetContext { .. } => NOT_YET_VALID,
        E::NotValidForName => NAME,
        E::NotValidForNameContext {
            expected,
            presented,
        } => match expected {
            _ if presented.is_empty() => fault(
                "names no host (it has no subjectAltName)",
                "ask its authority to issue it with the host's name",
            ),
            ServerName::IpAddress(_) => fault(
                "is not for this address",
                "use a URL with the host's name, or ask its authority to issue it for the address",
            ),
            _ => NAME,
        },
        E::BadEncoding => fault("is damaged, or is not an X.509 certificate", REISSUE),
        E::BadSignature => fault(
            "is signed by another key than its issuer's, or by an RSA key of an unsupported length",
            CA_FILE,
        ),
        #[allow(deprecated)]
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => ALGORITHM,
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => PURPOSE,
        E::UnhandledCriticalExtension => EXTENSION,
        E::Revoked => REVOKED,
        E::UnknownRevocationStatus
        | E::ExpiredRevocationList
        | E::ExpiredRevocationListContext { .. }
        | E::InvalidOcspResponse => REVOCATION,
        E::ApplicationVerificationFailure => {
            fault("is refused by the system", "check its settings")
        }
        E::Other(other) => match (Refusal::of(error), other.0.downcast_ref()) {
            (Some(refusal), _) => of_refusal(refusal),
            (None, Some(error)) => of_path(error),
            (None, None) => UNACCEPTABLE,
        },
        _ => UNACCEPTABLE,
    }
}

fn of_refusal(refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::IssuerExpired => fault(
            "has an expired intermediate certificate above it",
            "ask the server's operator to send a current one, or check this device's date",
        ),
        Refusal::IssuerNotYetValid => fault(
            "has an intermediate certificate above it that is not valid yet",
            DATE,
        ),
        Refusal::SelfSigned => fault(
            "is self-signed and not trusted here",
            "add it to the CA file, or check for interception",
        ),
        Refusal::IssuerMissing => fault(
            "has an issuer that is neither trusted here nor sent by the server",
            "ask the operator to send the intermediate certificates, or set the right CA file",
        ),
        Refusal::WeakKey => fault(
            "or of its issuer has an RSA key that is too short",
            LONG_KEY,
        ),
        Refusal::BySystem(words) => Fault {
            why: "is refused by the system",
            advice: format!(
                "add its authority to the system's, set the right CA file, or check for interception ({words})"
            )
            .into(),
        },
        Refusal::UnusablePlaces { cause, places } => {
            let Fault { why, advice } = of(cause);
            let advice = format!("{advice} ({places})").into();
            Fault { why, advice }
        }
    }
}

/// Returns the fault for an error of webpki, which rustls passes on unchanged.
fn of_path(error: &PathError) -> Fault {
    use PathError as E;
    match error {
        E::CaUsedAsEndEntity => fault(
            "is that of an authority, not of a server (CA:TRUE)",
            "add it to the CA file, or ask its authority to issue one for the server",
        ),
        E::EndEntityUsedAsCa => fault(
            "is signed by a certificate that is not an authority's (CA:FALSE)",
            "ask an authority to sign it, or add it to the CA file",
        ),
        E::PathLenConstraintViolated => fault(
            "has more certificates above it than one of them allows (path length)",
            "ask the server's operator to send another chain",
        ),
        E::MaximumPathDepthExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumNameConstraintComparisonsExceeded => fault(
            "has a chain above it that is too long",
            "ask the server's operator to send a shorter one",
        ),
        E::NameConstraintViolation => fault(
            "contains a host that its issuer must not sign for (name constraints)",
            "ask another authority to issue it",
        ),
        E::UnsupportedCriticalExtension => EXTENSION,
        E::UnsupportedCertVersion => fault(
            "has an X.509 version before 3",
            "ask its authority to issue it in version 3, or add it to the CA file",
        ),
        E::CertDistrusted => fault("or of its issuer has a distrusted key", REISSUE),
        E::BadDer
        | E::BadDerTime
        | E::TrailingData(_)
        | E::ExtensionValueInvalid
        | E::MalformedExtensions
        | E::MalformedDnsIdentifier
        | E::MalformedNameConstraint
        | E::InvalidNetworkMaskConstraint
        | E::InvalidSerialNumber
        | E::SignatureAlgorithmMismatch
        | E::UnsupportedNameType => MALFORMED,
        #[allow(deprecated)]
        E::EmptyEkuExtension | E::RequiredEkuNotFound | E::RequiredEkuNotFoundContext(_) => PURPOSE,
        #[allow(deprecated)]
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKey
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ALGORITHM,
        #[allow(deprecated)]
        E::UnknownRevocationStatus
        | E::CrlExpired { .. }
        | E::InvalidCrlNumber
        | E::InvalidCrlSignatureForPublicKey
        | E::UnsupportedCrlSignatureAlgorithm
        | E::UnsupportedCrlSignatureAlgorithmContext(_)
        | E::UnsupportedCrlSignatureAlgorithmForPublicKey
        | E::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_)
        | E::IssuerNotCrlSigner
        | E::UnsupportedCrlIssuingDistributionPoint
        | E::UnsupportedCrlVersion
        | E::UnsupportedDeltaCrl
        | E::UnsupportedIndirectCrl
        | E::UnsupportedRevocationReason
        | E::UnsupportedRevocationReasonsPartitioning => REVOCATION,
        E::CertRevoked => REVOKED,
        E::CertExpired { .. } | E::InvalidCertValidity => EXPIRED,
        E::CertNotValidYet { .. } => NOT_YET_VALID,
        E::CertNotValidForName(_) => NAME,
        E::InvalidSignatureForPublicKey => of(&CertificateError::BadSignature),
        E::UnknownIssuer => fault(UNKNOWN, CA_FILE),
        _ => UNACCEPTABLE,
    }
}
