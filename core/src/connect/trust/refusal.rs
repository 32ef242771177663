//! Why a certificate is refused, where rustls has no word for it.

use std::{fmt, sync::Arc};

use rustls::{CertificateError, Error as TlsError, OtherError};

#[derive(Clone)]
pub enum Refusal {
    /// An intermediate certificate has expired; the server's own has not.
    IssuerExpired,
    IssuerNotYetValid,
    /// The server signed its certificate itself.
    SelfSigned,
    /// The issuer is neither trusted nor among the certificates that came.
    IssuerMissing,
    /// RSA of fewer bits than are accepted.
    WeakKey,
    /// No trusted authority signed it, and places of the system's trust could not be
    /// read.
    UnusablePlaces {
        cause: Box<CertificateError>,
        places: String,
    },
}

impl Refusal {
    /// Finds the refusal in what a verifier has returned.
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

/// Returns the first of several reasons, and how many more there are: a message stays
/// short.
pub fn first_of(reasons: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = reasons.iter().take(SHOWN).cloned();
    let mut text = shown.collect::<Vec<_>>().join("; ");
    if reasons.len() > SHOWN {
        text.push_str(&format!("; and {} more", reasons.len() - SHOWN));
    }
    text
}
