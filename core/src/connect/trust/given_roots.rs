//! The certificates that the caller has set.

use ring::digest::{SHA256, digest};
use rustls::{
    Error as TlsError, RootCertStore, crypto::WebPkiSupportedAlgorithms, pki_types::CertificateDer,
};

use crate::connect::trust::verifier::{Roots, Shown};

pub struct GivenRoots {
    store: RootCertStore,
    /// The SHA-256 of each certificate. The store only has their names and keys.
    digests: Vec<[u8; 32]>,
}

impl GivenRoots {
    pub fn empty() -> Self {
        Self {
            store: RootCertStore::empty(),
            digests: Vec::new(),
        }
    }

    pub fn add(&mut self, der: Vec<u8>) -> Result<(), TlsError> {
        let digest = sha_256(&der);
        self.store.add(der.into())?;
        self.digests.push(digest);
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.digests.len()
    }
}

impl Roots for GivenRoots {
    fn verify(
        &self,
        shown: &Shown<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), TlsError> {
        shown.verify(&self.store, algorithms)
    }

    fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        self.digests.contains(&sha_256(certificate))
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
