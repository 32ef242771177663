//! Verifies servers by the usual rules. In addition, it trusts a server's certificate that is one
//! of the trusted ones, and explains refusals.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{
        WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
        verify_tls13_signature_with_raw_key,
    },
    pki_types::{
        CertificateDer, ServerName, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
        UnixTime,
    },
    server::ParsedCertificate,
};
use webpki::{Error as PathError, RawPublicKeyEntity};

use crate::connect::trust::{
    fields::Fields,
    own_certificate,
    refusal::{Refusal, first_of},
};

/// The fewest bits that ring accepts.
const MIN_RSA_BITS: usize = 2048;

/// The certificates of a server, its expected name, and the time.
pub struct Shown<'a> {
    pub certificate: &'a CertificateDer<'a>,
    pub intermediates: &'a [CertificateDer<'a>],
    pub ocsp_response: &'a [u8],
    pub host: &'a ServerName<'a>,
    pub now: UnixTime,
}

impl Shown<'_> {
    /// Verifies the chain to one of the authorities of a store, and the host name.
    pub fn verify(
        &self,
        store: &RootCertStore,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), TlsError> {
        let server = ParsedCertificate::try_from(self.certificate)?;
        verify_server_cert_signed_by_trust_anchor(
            &server,
            store,
            self.intermediates,
            self.now,
            algorithms.all,
        )?;
        verify_server_name(&server, self.host)
    }
}

/// Trusted certificates.
pub trait Roots: Send + Sync {
    /// Verifies a server by the usual rules.
    fn verify(
        &self,
        shown: &Shown<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), TlsError>;

    /// Returns whether exactly this certificate is one of them.
    fn holds(&self, certificate: &CertificateDer<'_>) -> bool;

    /// Returns the places that should contain certificates and cannot be used.
    fn unusable(&self) -> &[String];

    /// Returns whether verification may wait for the network.
    fn may_wait(&self) -> bool {
        false
    }
}

pub struct Verifier {
    pub roots: Arc<dyn Roots>,
    pub algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Returns a more specific error, if the certificates show why they were refused.
    #[cold]
    fn explain(&self, error: TlsError, shown: &Shown<'_>) -> TlsError {
        use CertificateError as E;
        let (TlsError::InvalidCertificate(why), Some(server)) =
            (&error, Fields::of(shown.certificate))
        else {
            return error;
        };
        let is_own = server.is_self_issued() && is_about_the_issuer(why);
        let is_in_time = server.check_time(shown.now).is_ok();
        let refusal = match why {
            E::Expired | E::ExpiredContext { .. } if is_in_time => Refusal::IssuerExpired,
            E::NotValidYet | E::NotValidYetContext { .. } if is_in_time => {
                Refusal::IssuerNotYetValid
            }
            E::BadSignature if shown.intermediates.iter().any(has_weak_key) => Refusal::WeakKey,
            _ if is_own => return self.in_doubt(Refusal::SelfSigned.into()),
            E::UnknownIssuer if !is_issuer_in(shown.intermediates, &server) => {
                return self.in_doubt(Refusal::IssuerMissing.into());
            }
            E::UnknownIssuer | E::BadSignature => return self.in_doubt(why.clone()),
            _ => return error,
        };
        refusal.into()
    }

    /// Adds the unreadable places, which may contain the authority.
    fn in_doubt(&self, cause: CertificateError) -> TlsError {
        let refusal = match self.roots.unusable() {
            [] => return cause.into(),
            unusable => Refusal::UnusablePlaces {
                cause: Box::new(cause),
                places: first_of(unusable),
            },
        };
        refusal.into()
    }
}

/// Returns whether a self-signed certificate was refused only because it is self-signed.
fn is_about_the_issuer(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => true,
        CertificateError::Other(other) => matches!(
            other.0.downcast_ref(),
            Some(PathError::CaUsedAsEndEntity | PathError::UnsupportedCertVersion)
        ),
        _ => false,
    }
}

fn is_issuer_in(certificates: &[CertificateDer<'_>], server: &Fields<'_>) -> bool {
    let mut others = certificates.iter().filter_map(|der| Fields::of(der));
    others.any(|other| other.is_issuer_of(server))
}

fn has_weak_key(certificate: &CertificateDer<'_>) -> bool {
    Fields::of(certificate)
        .and_then(|fields| fields.rsa_bits())
        .is_some_and(|bits| bits < MIN_RSA_BITS)
}

/// Distinguishes a signature by a key that is too short from a wrong one.
#[cold]
fn explain_signature(error: TlsError, certificate: &CertificateDer<'_>) -> TlsError {
    match error {
        TlsError::InvalidCertificate(CertificateError::BadSignature)
            if has_weak_key(certificate) =>
        {
            Refusal::WeakKey.into()
        }
        error => error,
    }
}

/// Returns the key of a certificate that webpki cannot read: one of version 1, which
/// [`own_certificate`] has accepted.
#[cold]
fn unread_key(certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'static>> {
    if ParsedCertificate::try_from(certificate).is_ok() {
        return None;
    }
    let fields = Fields::of(certificate)?;
    Some(fields.public_key.to_vec().into())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let shown = Shown {
            certificate,
            intermediates,
            ocsp_response,
            host,
            now,
        };
        let outcome = self.roots.verify(&shown, &self.algorithms);
        outcome.or_else(|error| match self.roots.holds(certificate) {
            true => own_certificate::verify(certificate, host, now),
            false => Err(self.explain(error, &shown)),
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
            .or_else(|error| match unread_key(certificate) {
                Some(key) => verify_tls12_with_key(message, &key, signature, algorithms),
                None => Err(error),
            })
            .map_err(|error| explain_signature(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
            .or_else(|error| match unread_key(certificate) {
                Some(key) => {
                    verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
                }
                None => Err(error),
            })
            .map_err(|error| explain_signature(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Verifies a signature in TLS 1.2. For a key without a certificate, rustls only supports TLS 1.3.
#[cold]
fn verify_tls12_with_key(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, TlsError> {
    let mut schemes = algorithms.mapping.iter();
    let is_valid = RawPublicKeyEntity::try_from(key).is_ok_and(|key| {
        let verifies = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            let outcome = key.verify_signature(*algorithm, message, signature.signature());
            outcome.is_ok()
        };
        schemes.any(|(scheme, algorithms)| {
            *scheme == signature.scheme && algorithms.iter().any(verifies)
        })
    });
    match is_valid {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(CertificateError::BadSignature.into()),
    }
}

impl fmt::Debug for Verifier {
    /// rustls requires `Debug`. There are too many certificates to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
