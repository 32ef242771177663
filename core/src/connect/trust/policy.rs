//! The trust of a client, as a configuration for TLS.

use std::sync::Arc;

use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, Error as TlsError,
    SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    connect::trust::{
        given_roots::GivenRoots,
        pins::{Pin, Pinned},
        verifier::{Roots, Verifier},
    },
    error::{Error, Status},
};

/// The trusted certificates of a client. They are read when the client is created: a call that
/// reads files could not keep its deadline.
pub struct Trust {
    verifier: Arc<dyn ServerCertVerifier>,
    pins: Vec<Pin>,
    verifier_waits: bool,
}

impl Trust {
    /// Reads the trusted certificates.
    ///
    /// * `roots`: the only certificates to trust, or `None` for the system's.
    /// * `pins`: the pins of the server. They do not apply to a proxy.
    pub fn new(roots: Option<GivenRoots>, pins: Vec<Pin>) -> Result<Self, Error> {
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let roots: Arc<dyn Roots> = match roots {
            Some(roots) => Arc::new(roots),
            None => system(provider)?,
        };
        let verifier_waits = roots.may_wait();
        let verifier = Arc::new(Verifier { roots, algorithms });
        Ok(Self {
            verifier,
            pins,
            verifier_waits,
        })
    }

    /// Returns the trust for a client that only uses plain HTTP. Reads no file.
    pub fn nobody() -> Self {
        Self {
            verifier: Arc::new(NobodyTrusted),
            pins: Vec::new(),
            verifier_waits: false,
        }
    }

    /// Returns whether verification may wait for the network.
    pub fn verifier_waits(&self) -> bool {
        self.verifier_waits
    }

    /// Creates the configuration for connections to the server, which can resume each other's TLS
    /// sessions. Create one in each process: its store of sessions has a lock.
    pub fn for_server(&self) -> Result<ClientConfig, Error> {
        if self.pins.is_empty() {
            return configure(Arc::clone(&self.verifier));
        }
        let mut config = configure(Arc::new(Pinned {
            usual: Arc::clone(&self.verifier),
            pins: self.pins.clone(),
        }))?;
        // A resumed session shows no certificate, so its key could not be compared.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// Creates the configuration for connections to a proxy, which has no pins.
    pub fn for_proxy(&self) -> Result<ClientConfig, Error> {
        configure(Arc::clone(&self.verifier))
    }
}

/// Returns the system's trusted certificates, on systems that store them in files.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn system(_: Arc<CryptoProvider>) -> Result<Arc<dyn Roots>, Error> {
    use crate::{
        connect::trust::{places::Unread, system_roots::SystemRoots},
        host::{descriptors::StandardStreams, refusals},
    };
    const FAILED: &str = "cannot read the system's trusted certificates";
    let occupied = StandardStreams::occupy();
    let _occupied = occupied.map_err(|why| refusals::PLACEHOLDER.refused(FAILED, &why))?;
    match SystemRoots::load() {
        Ok(roots) => Ok(Arc::new(roots)),
        Err(Unread::Unusable(why)) => Err(unusable(&why)),
        Err(Unread::Exhausted(why)) => Err(refusals::FILE.refused(FAILED, &why)),
    }
}

/// Returns the system's trust, on systems with an API for it.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn system(provider: Arc<CryptoProvider>) -> Result<Arc<dyn Roots>, Error> {
    use crate::{connect::trust::platform_roots::PlatformRoots, host::system};
    system::check_verifier().map_err(|why| {
        let words = format!("the system's trusted certificates cannot be used: {why}");
        Error::new(Status::Tls, words)
    })?;
    let roots = PlatformRoots::new(provider);
    Ok(Arc::new(roots.map_err(|why| unusable(&why.to_string()))?))
}

fn configure(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable("no version of TLS is enabled"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn unusable(why: &str) -> Error {
    Error::new(
        Status::Tls,
        format!(
            "the trusted certificates cannot be used: {why}; install the system's, or set a CA file"
        ),
    )
}

/// Returns the provider with AES first if the processor supports AES, which is faster (measured: 2
/// % of a call's time), else with ChaCha20 first. The server may choose another cipher.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    if !has_aes() {
        let suites = provider.cipher_suites.into_iter();
        let (mut ordered, others): (Vec<_>, Vec<_>) = suites.partition(|suite| {
            matches!(
                suite.suite(),
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
            )
        });
        ordered.extend(others);
        provider.cipher_suites = ordered;
    }
    Arc::new(provider)
}

fn has_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// Trusts no certificate.
#[derive(Debug)]
struct NobodyTrusted;

impl ServerCertVerifier for NobodyTrusted {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}
