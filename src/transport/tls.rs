//! Whom we trust: the system's roots or the caller's own, and pins.

use std::{fs::File, io::Read, sync::Arc};

use rustls::{
    CipherSuite, ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::{
    endpoint::Endpoint,
    error::{Error, Status},
    sys,
    transport::{
        Pin,
        pin::{NobodyTrusted, Pinned},
    },
};

/// Whom a client trusts. Read from files when the client is made: a call could
/// not keep its deadline while it waits for a disk.
pub(crate) struct Trust {
    verifier: Arc<dyn ServerCertVerifier>,
    pinned: bool,
}

/// What the caller set.
pub(crate) struct TrustSettings<'a> {
    /// The only roots to trust, or those of the system.
    pub(crate) roots: Option<RootCertStore>,
    pub(crate) pins: Vec<Pin>,
    /// A proxy that is spoken to in TLS has no pins.
    pub(crate) proxy_host: Option<&'a str>,
}

impl Trust {
    pub(crate) fn new(settings: TrustSettings<'_>, endpoint: &Endpoint) -> Result<Self, Error> {
        let roots = match settings.roots {
            // Nobody is asked, so no file need be read.
            None if !endpoint.is_https() => Some(RootCertStore::empty()),
            roots => roots,
        };
        let usual: Arc<dyn ServerCertVerifier> = match roots {
            // An empty store is an error for the builder and never used.
            Some(roots) if roots.is_empty() => Arc::new(NobodyTrusted),
            Some(roots) => WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(unusable)?,
            None => Arc::new(Verifier::new(provider()).map_err(unusable)?),
        };
        let pinned = !settings.pins.is_empty();
        let verifier: Arc<dyn ServerCertVerifier> = if pinned {
            Arc::new(Pinned {
                usual,
                pins: settings.pins,
                exempt: match settings.proxy_host {
                    Some(proxy) if proxy != endpoint.host() => Some(server_name(proxy)?),
                    _ => None,
                },
            })
        } else {
            usual
        };
        Ok(Self { verifier, pinned })
    }

    /// A configuration for connections that may resume each other's TLS
    /// sessions: one a process, as its store of sessions has a lock.
    pub(crate) fn configure(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if self.pinned {
            // A resumed session shows no certificate to look at.
            config.resumption = Resumption::disabled();
        }
        Ok(config)
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(host)
        .map(|name| name.to_owned())
        .map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::new(
        Status::Tls,
        format!(
            "the trusted certificates cannot be used: {error}; install the system's, or set a CA file"
        ),
    )
}

/// More than any bundle of authorities; a text may come from anywhere.
pub(crate) const MAX_PEM: usize = 16 * 1024 * 1024;

pub(crate) fn roots_from_file(path: &str) -> Result<RootCertStore, Error> {
    let name = format!("the CA file \"{path}\"");
    let wrong = |what: String| Error::new(Status::InvalidConfig, format!("{name} {what}"));
    let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    // A pipe or a device could make this wait, or go on, for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(wrong("is not a regular file".to_owned()));
    }
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PEM as u64 + 1).read_to_end(&mut pem))
        .map_err(unreadable)?;
    if pem.len() > MAX_PEM {
        return Err(wrong(format!("is larger than {MAX_PEM} bytes")));
    }
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

/// AES first where the processor has it, as it is faster then (measured: 2 % of
/// a call's time), and ChaCha20 where it has not. A server may choose otherwise.
///
/// ChaCha20 first under valgrind too: memcheck takes the tags that AES-GCM's
/// assembly computes for uninitialised memory, and would report every call.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    if !has_aes() || sys::is_under_valgrind() {
        provider.cipher_suites.sort_by_key(|suite| {
            !matches!(
                suite.suite(),
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                    | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
            )
        });
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
