//! Whom we trust: the system's roots, or the caller's own.

use std::sync::{Arc, OnceLock};

use rustls::{
    CipherSuite, ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::error::{Error, Status};

/// The TLS side of a client: one configuration, shared by all its connections
/// so that they resume each other's TLS sessions.
pub(crate) struct Trust {
    roots: Option<RootCertStore>,
    config: OnceLock<Result<ClientConfig, Error>>,
}

impl Trust {
    /// The system's trust, read when the first connection needs it.
    pub(crate) fn system() -> Self {
        Self {
            roots: None,
            config: OnceLock::new(),
        }
    }

    /// Only the certificates in this PEM file.
    pub(crate) fn from_ca_file(path: &str) -> Result<Self, Error> {
        let pem = std::fs::read(path).map_err(|error| {
            Error::new(
                Status::InvalidConfig,
                format!("the CA file \"{path}\" cannot be read: {error}"),
            )
        })?;
        let name = format!("the CA file \"{path}\"");
        Self::from_pem(&pem, &name)
    }

    fn from_pem(pem: &[u8], name: &str) -> Result<Self, Error> {
        let wrong = |what: String| Error::new(Status::InvalidConfig, format!("{name} {what}"));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            certificate
                .map_err(|error| wrong(format!("is not valid PEM: {error}")))
                .and_then(|certificate| {
                    roots.add(certificate).map_err(|error| {
                        wrong(format!("holds a certificate that cannot be used: {error}"))
                    })
                })?;
        }
        if roots.is_empty() {
            return Err(wrong("holds no certificate in PEM form".to_owned()));
        }
        Ok(Self {
            roots: Some(roots),
            config: OnceLock::new(),
        })
    }

    pub(crate) fn config(&self) -> Result<ClientConfig, Error> {
        self.config.get_or_init(|| self.build()).clone()
    }

    fn build(&self) -> Result<ClientConfig, Error> {
        let unusable = |error: &dyn std::fmt::Display| {
            Error::new(
                Status::Tls,
                format!(
                    "the system's trusted certificates cannot be used: {error}; install them, or set a CA file"
                ),
            )
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        Ok(match &self.roots {
            Some(roots) => builder.with_root_certificates(roots.clone()),
            None => builder
                .with_platform_verifier()
                .map_err(|error| unusable(&error))?,
        }
        .with_no_client_auth())
    }
}

/// ChaCha20 first, for whoever looks at a program of theirs under valgrind:
/// memcheck takes the tags that AES-GCM's assembly computes for uninitialised
/// memory, and would report every call. It costs a microsecond where there is
/// AES hardware, and saves more where there is none. Servers that prefer AES
/// still get it.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        )
    });
    Arc::new(provider)
}
