//! The certificates that the caller trusts.

use ring::digest::{SHA256, digest};
use rustls::{Error as TlsError, RootCertStore, pki_types::CertificateDer};

use crate::connect::trust::verifier::Trusted;

pub struct GivenRoots {
    pub store: RootCertStore,
    pub own: Digests,
}

impl GivenRoots {
    pub fn empty() -> Self {
        Self {
            store: RootCertStore::empty(),
            own: Digests(Vec::new()),
        }
    }

    pub fn add(&mut self, der: Vec<u8>) -> Result<(), TlsError> {
        let digest = sha_256(&der);
        self.store.add(der.into())?;
        self.own.0.push(digest);
        Ok(())
    }
}

/// The SHA-256 of each certificate. The store keeps names and keys alone.
#[derive(Debug)]
pub struct Digests(Vec<[u8; 32]>);

impl Trusted for Digests {
    fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        self.0.contains(&sha_256(certificate))
    }

    fn unusable(&self) -> &[String] {
        &[]
    }
}

fn sha_256(der: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, der).as_ref());
    bytes
}
