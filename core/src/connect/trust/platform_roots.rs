//! Trusts what the system trusts, where it has an API for that.

use std::sync::Arc;

use rustls::{
    Error as TlsError,
    client::danger::ServerCertVerifier,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::CertificateDer,
};
use rustls_platform_verifier::Verifier;

use crate::connect::trust::verifier::{Roots, Shown};

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
        outcome.map(drop)
    }

    /// The system has judged it.
    fn holds(&self, _: &CertificateDer<'_>) -> bool {
        false
    }

    fn unusable(&self) -> &[String] {
        &[]
    }
}
