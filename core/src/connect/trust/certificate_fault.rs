//! What is wrong with a certificate, in words.

use std::borrow::Cow;

use rustls::{CertificateError, pki_types::ServerName};
use webpki::Error as PathError;

use crate::connect::trust::refusal::Refusal;

/// What is wrong, and what to do about it.
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
const REISSUE: &str = "have it issued anew";
const LONG_KEY: &str = "have it issued for a key of 2048 bits or more";
const UNKNOWN: &str = "is not signed by an authority that is trusted here";
const CA_FILE: &str = "set the right CA file, or expect an interception";

const EXPIRED: Fault = fault("has expired", DATE);
const NOT_YET_VALID: Fault = fault("is not valid yet", DATE);
const ALGORITHM: Fault = fault(
    "or of its issuer is signed in a way that is not supported, such as SHA-1 or ECDSA with P-521",
    "have it signed with SHA-256 and RSA or P-256",
);
const PURPOSE: Fault = fault(
    "or of its issuer is for another use than servers (extended key usage)",
    "have it issued for server authentication",
);
const REVOCATION: Fault = fault(
    "could not be checked for revocation",
    "check that the network reaches its authority",
);
const REVOKED: Fault = fault("has been revoked", "expect an interception");
const EXTENSION: Fault = fault(
    "or of its issuer has a critical extension that is not supported",
    "have it issued without, or go around a proxy that inspects TLS",
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
                "have it issued with the host's name",
            ),
            ServerName::IpAddress(_) => fault(
                "is not for this address",
                "use a URL with the host's name, or have it issued for the address",
            ),
            _ => NAME,
        },
        E::BadEncoding => fault("is damaged, or is not an X.509 certificate", REISSUE),
        E::BadSignature => fault(
            "is signed by another key than its issuer's, or by RSA of a length that is not supported",
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
            fault("is refused by the system", "look into its settings")
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
            "has an intermediate certificate above it that has expired",
            "have the server send a current one, or check this device's date",
        ),
        Refusal::IssuerNotYetValid => fault(
            "has an intermediate certificate above it that is not valid yet",
            DATE,
        ),
        Refusal::SelfSigned => fault(
            "is self-signed and not trusted here",
            "put it into the CA file, or expect an interception",
        ),
        Refusal::IssuerMissing => fault(
            "has an issuer that is neither trusted here nor sent by the server",
            "have the server send its intermediate certificates, or set the right CA file",
        ),
        Refusal::WeakKey => fault(
            "or of its issuer has an RSA key that is too short",
            LONG_KEY,
        ),
        Refusal::UnusablePlaces { cause, places } => {
            let Fault { why, advice } = of(cause);
            let advice = format!("{advice} ({places})").into();
            Fault { why, advice }
        }
    }
}

/// What rustls passes on as webpki says it.
fn of_path(error: &PathError) -> Fault {
    use PathError as E;
    match error {
        E::CaUsedAsEndEntity => fault(
            "is an authority's and not a server's (CA:TRUE)",
            "put it into the CA file, or have one issued for the server",
        ),
        E::EndEntityUsedAsCa => fault(
            "is signed by a certificate that is no authority's (CA:FALSE)",
            "have it signed by an authority, or put it into the CA file",
        ),
        E::PathLenConstraintViolated => fault(
            "has more certificates above it than one of them allows (path length)",
            "have the server send another chain",
        ),
        E::MaximumPathDepthExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumNameConstraintComparisonsExceeded => fault(
            "has a chain above it that is too long",
            "have the server send a shorter one",
        ),
        E::NameConstraintViolation => fault(
            "names a host that its issuer must not sign for (name constraints)",
            "have it issued by another authority",
        ),
        E::UnsupportedCriticalExtension => EXTENSION,
        E::UnsupportedCertVersion => fault(
            "is of an X.509 version before 3",
            "have it issued in version 3, or put it into the CA file",
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
