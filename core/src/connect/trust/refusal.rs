//! Why a certificate is refused, where rustls has no error for it.

use std::{fmt, sync::Arc};

use rustls::{CertificateError, Error as TlsError, OtherError};

#[derive(Clone)]
pub enum Refusal {
    /// An intermediate certificate has expired, but not the server's.
    IssuerExpired,
    IssuerNotYetValid,
    /// The server's certificate is self-signed.
    SelfSigned,
    /// The issuer is neither trusted nor sent by the server.
    IssuerMissing,
    /// An RSA key has too few bits.
    WeakKey,
    /// The system refuses it, with these words.
    BySystem(String),
    /// No trusted authority has signed it, but some places of the system's trust cannot be read.
    UnusablePlaces {
        cause: Box<CertificateError>,
        places: String,
    },
}

impl Refusal {
    /// Returns the refusal in a verifier's error.
    pub fn of(error: &CertificateError) -> Option<&Self> {
        match error {
            CertificateError::Other(other) => other.0.downcast_ref(),
            _ => None,
        }
    }
}

impl From<Refusal> for CertificateError {
    fn from(refusal: Refusal) -> Self {
        CertificateError::Other(OtherError(Arc::new(refusal)))
    }
}

impl From<Refusal> for TlsError {
    fn from(refusal: Refusal) -> Self {
        CertificateError::from(refusal).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is refused")
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refusal {}

/// Returns the first reasons, and the number of the others, to keep a message short.
pub fn first_of(reasons: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = reasons.iter().take(SHOWN).cloned();
    let mut text = shown.collect::<Vec<_>>().join("; ");
    if reasons.len() > SHOWN {
        text.push_str(&format!("; and {} more", reasons.len() - SHOWN));
    }
    text
}
