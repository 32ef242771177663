//! The system's trusted certificates, on systems that store them in PEM files. An authority is
//! decoded when a server's chain names it: a chain needs one of more than a hundred.

use rustls::{
    Error as TlsError, RootCertStore, crypto::WebPkiSupportedAlgorithms, pki_types::CertificateDer,
};

use crate::connect::trust::{
    not_pem,
    pem::{self, Block},
    places::{TrustPlaces, TrustTexts, Unread},
    verifier::{Roots, Shown},
    x509,
};

/// Verifies a server with the same results as a store of all the system's authorities: the same
/// chains, the same errors.
pub struct SystemRoots {
    trust: TrustTexts,
}

impl SystemRoots {
    pub fn load() -> Result<Self, Unread> {
        let trust = TrustPlaces::of_this_process().read(check)?;
        Ok(Self { trust })
    }

    /// Returns the certificates with one of these subjects, in the order of the files.
    fn named(&self, names: &[&[u8]]) -> impl Iterator<Item = Block<'_>> {
        let blocks = self.trust.texts.iter().flat_map(|text| pem::blocks(text));
        blocks.filter(|block| may_have_name(block, names))
    }

    /// Returns the authorities with one of these subjects. webpki ignores all others.
    fn authorities(&self, names: &[&[u8]]) -> RootCertStore {
        let mut store = RootCertStore::empty();
        for block in self.named(names) {
            // Unusable certificates are skipped: every system's bundle has some.
            let _ = add(&block, &mut store);
        }
        store
    }
}

/// Checks a text. Stops at the first usable certificate.
fn check(text: &[u8], must_be_usable: bool) -> Result<(), String> {
    let mut first = None;
    for block in pem::blocks(text) {
        let outcome = match must_be_usable {
            true => add(&block, &mut RootCertStore::empty()),
            false => Ok(()),
        };
        let Err(reason) = outcome else {
            return Ok(());
        };
        first.get_or_insert_with(|| format!("{} {reason}", block.name()));
    }
    Err(match first {
        Some(first) => format!("contains no usable certificate ({first})"),
        None => not_pem::description(text).to_owned(),
    })
}

fn add(block: &Block<'_>, store: &mut RootCertStore) -> Result<(), &'static str> {
    let der = block.decode()?;
    store.add(der.into()).map_err(|_| pem::NOT_X509)
}

/// Returns whether the certificate may have one of these subjects. If its first bytes do not
/// contain the subject, it may.
fn may_have_name(block: &Block<'_>, names: &[&[u8]]) -> bool {
    let mut beginning = block.beginning();
    // Most subjects end within these bytes.
    beginning.extend_to(192);
    let subject = loop {
        match x509::names(beginning.der()) {
            Ok(found) => break found.subject,
            Err(length) if beginning.extend_to(length) => {}
            Err(_) => return true,
        }
    };
    let is_of_length = |name: &&[u8]| name.len() == subject.len();
    names.iter().any(is_of_length)
        && (!beginning.extend_to(subject.end) || names.contains(&&beginning.der()[subject]))
}

impl Roots for SystemRoots {
    fn verify(
        &self,
        shown: &Shown<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), TlsError> {
        let chain = std::iter::once(shown.certificate).chain(shown.intermediates);
        let issuers: Vec<&[u8]> = chain.filter_map(issuer).collect();
        // An empty store returns the same errors as a store without the issuer.
        shown.verify(&self.authorities(&issuers), algorithms)
    }

    fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        let subject = x509::names(certificate).map(|names| names.subject);
        let subject = subject.ok().and_then(|subject| certificate.get(subject));
        subject.is_some_and(|subject| {
            self.named(&[subject])
                .any(|block| block.decode().is_ok_and(|der| der == **certificate))
        })
    }

    fn unusable(&self) -> &[String] {
        &self.trust.unusable
    }
}

/// Returns the issuer of a certificate. webpki cannot read a certificate without one.
fn issuer<'a>(certificate: &'a CertificateDer<'_>) -> Option<&'a [u8]> {
    certificate.get(x509::names(certificate).ok()?.issuer)
}

#[cfg(test)]
mod tests;
