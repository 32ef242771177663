//! Whom we trust: the system's roots or the caller's own, and pins.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::{
    CipherSuite, ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::{
    error::{Error, Status},
    transport::{Pin, pin::Pinned},
};

/// Whom a client trusts.
pub(crate) struct Trust {
    roots: Option<Arc<RootCertStore>>,
    pins: Vec<Pin>,
    /// The host that the pins are for.
    host: String,
    /// Made by the first who needs it. No lock guards that: one that is held at
    /// a fork would stay locked in the child. Made twice is as good as once.
    verifier: ArcSwapOption<Arc<dyn ServerCertVerifier>>,
}

impl Trust {
    /// `roots`: the only ones to trust, or those of the system, which are read
    /// when the first connection needs them.
    pub(crate) fn new(roots: Option<RootCertStore>, pins: Vec<Pin>, host: &str) -> Self {
        Self {
            roots: roots.map(Arc::new),
            pins,
            host: host.to_owned(),
            verifier: ArcSwapOption::empty(),
        }
    }

    /// A configuration for connections that may resume each other's TLS
    /// sessions: one a process, as its store of sessions has a lock.
    pub(crate) fn configure(&self) -> Result<ClientConfig, Error> {
        let verifier = self.verifier()?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous();
        if self.pins.is_empty() {
            return Ok(builder
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth());
        }
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let pinned = Pinned {
            usual: verifier,
            pins: self.pins.clone(),
            server: ServerName::try_from(host).map_err(unusable)?.to_owned(),
        };
        let mut config = builder
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_no_client_auth();
        // A resumed session shows no certificate to look at.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        if let Some(verifier) = &*self.verifier.load() {
            return Ok(Arc::clone(verifier));
        }
        let verifier: Arc<dyn ServerCertVerifier> = match &self.roots {
            Some(roots) => {
                WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider())
                    .build()
                    .map_err(unusable)?
            }
            None => Arc::new(Verifier::new(provider()).map_err(unusable)?),
        };
        self.verifier.store(Some(Arc::new(Arc::clone(&verifier))));
        Ok(verifier)
    }
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::new(
        Status::Tls,
        format!(
            "the trusted certificates cannot be used: {error}; install the system's, or set a CA file"
        ),
    )
}

pub(crate) fn roots_from_file(path: &str) -> Result<RootCertStore, Error> {
    let name = format!("the CA file \"{path}\"");
    let pem = std::fs::read(path).map_err(|error| {
        Error::new(
            Status::InvalidConfig,
            format!("{name} cannot be read: {error}"),
        )
    })?;
    roots_from_pem(&pem, &name)
}

/// `name`: what the text is called in messages.
pub(crate) fn roots_from_pem(pem: &[u8], name: &str) -> Result<RootCertStore, Error> {
    let wrong = |what: String| Error::new(Status::InvalidConfig, format!("{name} {what}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| wrong(format!("is not valid PEM: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("holds a certificate that cannot be used: {error}")))?;
    }
    if roots.is_empty() {
        return Err(wrong("holds no certificate in PEM form".to_owned()));
    }
    Ok(roots)
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
