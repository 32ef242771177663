use std::{sync::Arc, time::Duration};

use rustls::{
    CertRevocationListError, ContentType, EncryptedClientHelloError, ExtendedKeyPurpose,
    HandshakeType, OtherError,
    pki_types::{ServerName, UnixTime},
};
use webpki::{DerTypeId, Error as PathError, InvalidNameContext, KeyUsage};

use super::*;
use crate::connect::trust::refusal::Refusal;

/// The identifier of an object, as rustls shows it.
const OBJECT: [u8; 9] = [6, 7, 42, 134, 72, 206, 61, 4, 1];

fn time(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn host(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> CertificateError {
    CertificateError::Other(OtherError(Arc::new(error)))
}

fn alerts() -> Vec<AlertDescription> {
    (0..=255).map(AlertDescription::from).collect()
}

fn messages() -> Vec<InvalidMessage> {
    use InvalidMessage::*;
    vec![
        CertificatePayloadTooLarge,
        HandshakePayloadTooLarge,
        InvalidCcs,
        InvalidContentType,
        InvalidCertificateStatusType,
        InvalidCertRequest,
        InvalidDhParams,
        InvalidEmptyPayload,
        InvalidKeyUpdate,
        InvalidServerName,
        MessageTooLarge,
        MessageTooShort,
        MissingData("ServerHelloPayload"),
        MissingKeyExchange,
        NoSignatureSchemes,
        TrailingData("ServerHelloPayload"),
        UnexpectedMessage("ServerHelloPayload"),
        UnknownProtocolVersion,
        UnsupportedCompression,
        UnsupportedCurveType,
        EmptyTicketValue,
        IllegalEmptyList("CertificatePayload"),
        IllegalEmptyValue,
        DuplicateExtension(65_281),
        PreSharedKeyIsNotFinalExtension,
        UnknownHelloRetryRequestExtension,
        UnknownCertificateExtension,
    ]
}

fn incompatible() -> Vec<PeerIncompatible> {
    use PeerIncompatible::*;
    vec![
        EcPointsExtensionRequired,
        ExtendedMasterSecretExtensionRequired,
        IncorrectCertificateTypeExtension,
        KeyShareExtensionRequired,
        NamedGroupsExtensionRequired,
        NoCertificateRequestSignatureSchemesInCommon,
        NoCipherSuitesInCommon,
        NoEcPointFormatsInCommon,
        NoKxGroupsInCommon,
        NoSignatureSchemesInCommon,
        NullCompressionRequired,
        ServerDoesNotSupportTls12Or13,
        ServerSentHelloRetryRequestWithUnknownExtension,
        ServerTlsVersionIsDisabledByOurConfig,
        SignatureAlgorithmsExtensionRequired,
        SupportedVersionsExtensionRequired,
        Tls12NotOffered,
        Tls12NotOfferedOrEnabled,
        Tls13RequiredForQuic,
        UncompressedEcPointsRequired,
        UnsolicitedCertificateTypeExtension,
        ServerRejectedEncryptedClientHello(None),
    ]
}

fn misbehaved() -> Vec<PeerMisbehaved> {
    use PeerMisbehaved::*;
    vec![
        AttemptedDowngradeToTls12WhenTls13IsSupported,
        BadCertChainExtensions,
        CipherSuiteDifferedOnRetry,
        DisallowedEncryptedExtension,
        DuplicateClientHelloExtensions,
        DuplicateEncryptedExtensions,
        DuplicateHelloRetryRequestExtensions,
        DuplicateNewSessionTicketExtensions,
        DuplicateServerHelloExtensions,
        DuplicateServerNameTypes,
        EarlyDataAttemptedInSecondClientHello,
        EarlyDataExtensionWithoutResumption,
        EarlyDataOfferedWithVariedCipherSuite,
        EchAcceptanceVariedAfterRetry,
        HandshakeHashVariedAfterRetry,
        IllegalHelloRetryRequestWithEmptyCookie,
        IllegalHelloRetryRequestWithNoChanges,
        IllegalHelloRetryRequestWithOfferedGroup,
        IllegalHelloRetryRequestWithUnofferedCipherSuite,
        IllegalHelloRetryRequestWithUnofferedNamedGroup,
        IllegalHelloRetryRequestWithUnsupportedVersion,
        IllegalHelloRetryRequestWithWrongSessionId,
        IllegalHelloRetryRequestWithInvalidEch,
        IllegalMiddleboxChangeCipherSpec,
        IllegalTlsInnerPlaintext,
        IncorrectBinder,
        InvalidCertCompression,
        InvalidMaxEarlyDataSize,
        InvalidKeyShare,
        KeyEpochWithPendingFragment,
        KeyUpdateReceivedInQuicConnection,
        MessageInterleavedWithHandshakeMessage,
        MissingBinderInPskExtension,
        MissingKeyShare,
        MissingPskExtensionInSecondClientHello,
        MissingPskModesExtension,
        MissingQuicTransportParameters,
        OfferedDuplicateCertificateCompressions,
        OfferedDuplicateKeyShares,
        OfferedEarlyDataWithOldProtocolVersion,
        OfferedEmptyApplicationProtocol,
        OfferedIncorrectCompressions,
        PskExtensionMustBeLast,
        PskExtensionWithMismatchedIdsAndBinders,
        RefusedToFollowHelloRetryRequest,
        RejectedEarlyDataInterleavedWithHandshakeMessage,
        ResumptionAttemptedWithVariedEms,
        ResumptionOfferedWithVariedCipherSuite,
        ResumptionOfferedWithVariedEms,
        ResumptionOfferedWithIncompatibleCipherSuite,
        SelectedDifferentCipherSuiteAfterRetry,
        SelectedInvalidPsk,
        SelectedTls12UsingTls13VersionExtension,
        SelectedUnofferedApplicationProtocol,
        SelectedUnofferedCertCompression,
        SelectedUnofferedCipherSuite,
        SelectedUnofferedCompression,
        SelectedUnofferedKxGroup,
        SelectedUnofferedPsk,
        SelectedUnusableCipherSuiteForVersion,
        ServerEchoedCompatibilitySessionId,
        ServerHelloMustOfferUncompressedEcPoints,
        ServerNameDifferedOnRetry,
        ServerNameMustContainOneHostName,
        SignedKxWithWrongAlgorithm,
        SignedHandshakeWithUnadvertisedSigScheme,
        TooManyEmptyFragments,
        TooManyKeyUpdateRequests,
        TooManyRenegotiationRequests,
        TooManyWarningAlertsReceived,
        TooMuchEarlyDataReceived,
        UnexpectedCleartextExtension,
        UnsolicitedCertExtension,
        UnsolicitedEncryptedExtension,
        UnsolicitedSctList,
        UnsolicitedServerHelloExtension,
        WrongGroupForKeyShare,
        UnsolicitedEchExtension,
    ]
}

#[allow(deprecated)]
fn paths() -> Vec<PathError> {
    use PathError::*;
    let unsupported = || webpki::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: OBJECT.to_vec(),
        supported_algorithms: vec![],
    };
    let unfit = || webpki::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: OBJECT.to_vec(),
        public_key_algorithm_id: OBJECT.to_vec(),
    };
    vec![
        BadDer,
        BadDerTime,
        CaUsedAsEndEntity,
        CertDistrusted,
        CertExpired {
            time: time(2),
            not_after: time(1),
        },
        CertNotValidForName(InvalidNameContext {
            expected: host("api.test"),
            presented: vec!["DnsName(\"other.test\")".to_owned()],
        }),
        CertNotValidYet {
            time: time(1),
            not_before: time(2),
        },
        CertRevoked,
        CrlExpired {
            time: time(2),
            next_update: time(1),
        },
        EmptyEkuExtension,
        EndEntityUsedAsCa,
        ExtensionValueInvalid,
        InvalidCertValidity,
        InvalidCrlNumber,
        InvalidNetworkMaskConstraint,
        InvalidSerialNumber,
        InvalidCrlSignatureForPublicKey,
        InvalidSignatureForPublicKey,
        IssuerNotCrlSigner,
        MalformedDnsIdentifier,
        MalformedExtensions,
        MalformedNameConstraint,
        MaximumNameConstraintComparisonsExceeded,
        MaximumPathBuildCallsExceeded,
        MaximumPathDepthExceeded,
        MaximumSignatureChecksExceeded,
        NameConstraintViolation,
        PathLenConstraintViolated,
        RequiredEkuNotFound,
        RequiredEkuNotFoundContext(webpki::RequiredEkuNotFoundContext {
            required: KeyUsage::server_auth(),
            present: vec![vec![1, 3, 6, 1, 5, 5, 7, 3, 4]],
        }),
        SignatureAlgorithmMismatch,
        TrailingData(DerTypeId::CertificateTbsCertificate),
        UnknownIssuer,
        UnknownRevocationStatus,
        UnsupportedCertVersion,
        UnsupportedCriticalExtension,
        UnsupportedCrlIssuingDistributionPoint,
        UnsupportedCrlVersion,
        UnsupportedDeltaCrl,
        UnsupportedIndirectCrl,
        UnsupportedNameType,
        UnsupportedRevocationReason,
        UnsupportedRevocationReasonsPartitioning,
        UnsupportedCrlSignatureAlgorithm,
        UnsupportedCrlSignatureAlgorithmContext(unsupported()),
        UnsupportedSignatureAlgorithm,
        UnsupportedSignatureAlgorithmContext(unsupported()),
        UnsupportedCrlSignatureAlgorithmForPublicKey,
        UnsupportedCrlSignatureAlgorithmForPublicKeyContext(unfit()),
        UnsupportedSignatureAlgorithmForPublicKey,
        UnsupportedSignatureAlgorithmForPublicKeyContext(unfit()),
    ]
}

fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::IssuerExpired,
        Refusal::IssuerNotYetValid,
        Refusal::SelfSigned,
        Refusal::IssuerMissing,
        Refusal::WeakKey,
        Refusal::UnusablePlaces {
            cause: Box::new(Refusal::IssuerMissing.into()),
            places: "\"/x\", which SSL_CERT_FILE names, is empty".to_owned(),
        },
    ]
}

#[allow(deprecated)]
fn certificates() -> Vec<CertificateError> {
    use CertificateError::*;
    let named = |expected, presented| NotValidForNameContext {
        expected: host(expected),
        presented,
    };
    let mut all = vec![
        BadEncoding,
        Expired,
        ExpiredContext {
            time: time(2),
            not_after: time(1),
        },
        NotValidYet,
        NotValidYetContext {
            time: time(1),
            not_before: time(2),
        },
        Revoked,
        UnhandledCriticalExtension,
        UnknownIssuer,
        UnknownRevocationStatus,
        ExpiredRevocationList,
        ExpiredRevocationListContext {
            time: time(2),
            next_update: time(1),
        },
        BadSignature,
        UnsupportedSignatureAlgorithm,
        UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: OBJECT.to_vec(),
            supported_algorithms: vec![],
        },
        UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: OBJECT.to_vec(),
            public_key_algorithm_id: OBJECT.to_vec(),
        },
        NotValidForName,
        named("api.test", vec!["DnsName(\"other.test\")".to_owned()]),
        named("192.0.2.1", vec!["DnsName(\"other.test\")".to_owned()]),
        named("api.test", vec![]),
        InvalidPurpose,
        InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 4])],
        },
        InvalidOcspResponse,
        ApplicationVerificationFailure,
        other(std::io::Error::other("InnerError { code: 7 }")),
    ];
    all.extend(paths().into_iter().map(other));
    all.extend(refusals().into_iter().map(other));
    all
}

/// Returns every error of webpki, and of the rustls version in use.
fn all() -> Vec<TlsError> {
    use TlsError::*;
    let mut all = vec![
        InappropriateMessage {
            expect_types: vec![ContentType::Handshake],
            got_type: ContentType::ApplicationData,
        },
        InappropriateHandshakeMessage {
            expect_types: vec![HandshakeType::ServerHello],
            got_type: HandshakeType::CertificateStatus,
        },
        InvalidEncryptedClientHello(EncryptedClientHelloError::NoCompatibleConfig),
        NoCertificatesPresented,
        UnsupportedNameType,
        DecryptError,
        EncryptError,
        InvalidCertRevocationList(CertRevocationListError::BadSignature),
        General("InnerError { code: 7 }".to_owned()),
        FailedToGetCurrentTime,
        FailedToGetRandomBytes,
        HandshakeNotComplete,
        PeerSentOversizedRecord,
        NoApplicationProtocol,
        BadMaxFragmentSize,
        InconsistentKeys(rustls::InconsistentKeys::KeyMismatch),
        Other(OtherError(Arc::new(std::io::Error::other("InnerError")))),
    ];
    all.extend(alerts().into_iter().map(AlertReceived));
    all.extend(messages().into_iter().map(InvalidMessage));
    all.extend(incompatible().into_iter().map(PeerIncompatible));
    all.extend(misbehaved().into_iter().map(PeerMisbehaved));
    all.extend(certificates().into_iter().map(InvalidCertificate));
    all
}

/// Returns the identifiers in the debug output of an error: words with several capitals.
fn debug_names(error: &TlsError) -> Vec<String> {
    let text = format!("{error:?}");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_name = |word: &&str| {
        let capitals = word.bytes().filter(u8::is_ascii_uppercase).count();
        capitals > 1 && word.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    words.filter(is_name).map(str::to_owned).collect()
}

fn has_object_identifier(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .any(|number| number.matches('.').count() > 1)
}

fn check_words(text: &str, error: &TlsError) {
    assert!(!has_object_identifier(text), "{text}");
    for name in debug_names(error) {
        assert!(!text.contains(&name), "{text}");
    }
    for sign in ["{", "[", "::", "Error", "None", "invalid peer", "Some("] {
        assert!(!text.contains(sign), "{text}");
    }
}

#[test]
fn every_error_has_one_sentence_without_names_of_the_program() {
    let all = all();
    assert!(all.len() > 450, "only {}", all.len());
    for error in &all {
        let text = sentence(error, "the proxy p.test:3128");
        check_words(&text, error);
        assert!(text.contains(" the proxy p.test:3128 "), "{text}");
        assert!(!text.contains(". "), "two sentences: {text}");
        let (what, advice) = text.split_once("; ").expect(&text);
        assert!(!advice.is_empty() && !advice.contains("; "), "{text}");
        assert!(what.len() > 40 && text.len() < 240, "{text}");
        assert!(!text.ends_with(['.', ' ', ';']), "{text}");
    }
}

#[test]
fn every_error_has_a_reason_that_fits_into_brackets() {
    for error in &all() {
        let text = reason(error);
        check_words(text, error);
        assert!((8..90).contains(&text.len()), "{text}");
        assert!(!text.contains([';', '(']), "{text}");
    }
}

#[test]
fn only_what_nobody_has_a_name_for_has_a_general_sentence() {
    let general = |error: &TlsError| {
        let text = sentence(error, "api.test:443");
        text.contains("unknown alert") || text.contains("not acceptable")
    };
    let known: Vec<_> = all().into_iter().filter(|error| !general(error)).collect();
    let unknown = all().len() - known.len();
    // Alerts without a name, and the error of another verifier.
    let alerts = alerts().into_iter();
    let nameless = alerts.filter(|alert| matches!(alert, AlertDescription::Unknown(_)));
    assert_eq!(unknown, nameless.count() + 1);
}

fn says(error: impl Into<TlsError>, expected: &str) {
    let text = sentence(&error.into(), "api.test:443");
    assert!(text.contains(expected), "{text}");
}

#[test]
fn an_alert_is_told_by_what_it_means() {
    use AlertDescription as Alert;
    let means = |alert, expected: &str| says(TlsError::AlertReceived(alert), expected);
    for alert in [
        Alert::CertificateRequired,
        Alert::BadCertificate,
        Alert::UnknownCA,
        Alert::CertificateUnknown,
    ] {
        means(alert, "requires a client certificate");
    }
    means(Alert::HandshakeFailure, "none of the ciphers");
    means(Alert::HandshakeFailure, "client certificate");
    means(Alert::ProtocolVersion, "TLS versions before 1.2");
    means(Alert::UnrecognisedName, "does not know this host name");
    means(Alert::NoApplicationProtocol, "only HTTP/2");
    means(Alert::InternalError, "an internal error");
    means(Alert::DecodeError, "could not decode");
    means(Alert::AccessDenied, "denies access");
    means(Alert::Unknown(200), "unknown alert");
}

#[test]
fn a_peer_that_does_not_speak_tls_is_told_apart_from_an_old_one() {
    says(InvalidMessage::InvalidContentType, "does not speak TLS");
    says(InvalidMessage::UnknownProtocolVersion, "does not speak TLS");
    let old = "TLS versions before 1.2";
    says(PeerIncompatible::ServerDoesNotSupportTls12Or13, old);
    says(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig, old);
    let ems = PeerIncompatible::ExtendedMasterSecretExtensionRequired;
    says(ems, "extended master secret");
}

#[test]
fn a_certificate_is_told_by_what_is_wrong_with_it() {
    let is = |error: CertificateError, expected: &str| says(error, expected);
    is(other(PathError::UnsupportedCriticalExtension), "critical");
    is(other(PathError::NameConstraintViolation), "must not sign");
    is(other(PathError::PathLenConstraintViolated), "path length");
    is(other(PathError::MaximumPathDepthExceeded), "too long");
    is(other(PathError::CaUsedAsEndEntity), "CA:TRUE");
    is(other(PathError::UnsupportedCertVersion), "version before 3");
    is(other(PathError::EmptyEkuExtension), "extended key usage");
    is(other(Refusal::WeakKey), "RSA key that is too short");
    is(
        other(Refusal::IssuerExpired),
        "intermediate certificate above it",
    );
    is(other(Refusal::IssuerMissing), "sent by the server");
    let places = refusals().pop().unwrap();
    is(other(places), "\"/x\", which SSL_CERT_FILE names, is empty");
}

#[test]
fn a_sentence_names_the_peer_and_what_to_do() {
    assert_eq!(
        sentence(&CertificateError::Expired.into(), "api.test:443"),
        "the certificate of api.test:443 has expired; check this device's date first"
    );
    let alert = TlsError::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(
        sentence(&alert, "the proxy p.test:3128"),
        "cannot open a secure connection to the proxy p.test:3128 (it requires a client \
         certificate, which this library does not support); use a host that requires none"
    );
}

#[test]
fn a_key_that_is_not_pinned_is_no_other_refusal() {
    let mismatch = TlsError::InvalidCertificate(other(pins::Mismatch));
    assert!(is_pin_mismatch(&mismatch));
    assert!(all().iter().all(|error| !is_pin_mismatch(error)));
}
