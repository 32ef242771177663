//! The trust of a system that has an API to verify certificates.

use std::sync::Arc;

use rustls::{
    CertificateError, Error as TlsError,
    client::danger::ServerCertVerifier,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::CertificateDer,
};
use rustls_platform_verifier::Verifier;

use crate::connect::trust::{
    refusal::Refusal,
    verifier::{Roots, Shown},
};

pub struct PlatformRoots(Verifier);

impl PlatformRoots {
    pub fn new(provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        Verifier::new(provider).map(Self)
    }
}

impl Roots for PlatformRoots {
    fn verify(&self, shown: &Shown<'_>, _: &WebPkiSupportedAlgorithms) -> Result<(), TlsError> {
        let outcome = self.0.verify_server_cert(
            shown.certificate,
            shown.intermediates,
            shown.host,
            shown.ocsp_response,
            shown.now,
        );
        outcome.map(drop).map_err(|why| match why {
            TlsError::InvalidCertificate(CertificateError::Other(words)) => {
                Refusal::BySystem(words.0.to_string()).into()
            }
            why => why,
        })
    }

    /// The system has already verified it.
    fn holds(&self, _: &CertificateDer<'_>) -> bool {
        false
    }

    fn unusable(&self) -> &[String] {
        &[]
    }

    /// The system may ask whether a certificate is revoked.
    fn may_wait(&self) -> bool {
        true
    }
}
