//! Pins: the public keys that the server is allowed to have.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    connect::trust::fields::Fields,
    error::{Error, Status},
};

/// The SHA-256 of a public key's SubjectPublicKeyInfo (RFC 7469).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    pub fn parse(text: &str) -> Result<Self, Error> {
        STANDARD
            .decode(text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                Error::new(
                    Status::InvalidConfig,
                    "a pin is not the base64 form of a SHA-256 hash (44 characters); correct it",
                )
            })
    }

    fn of(certificate: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let fields = Fields::of(certificate).ok_or(CertificateError::BadEncoding)?;
        let hash = digest::digest(&digest::SHA256, fields.public_key);
        let bytes = hash.as_ref().try_into();
        bytes
            .map(Self)
            .map_err(|_| TlsError::General("SHA-256 has 32 bytes".to_owned()))
    }
}

/// Verifies a certificate, then compares its key with the pins. Only the key of the server counts:
/// its other certificates may not be part of the verified chain.
pub struct Pinned {
    pub usual: Arc<dyn ServerCertVerifier>,
    pub pins: Vec<Pin>,
}

impl std::fmt::Debug for Pinned {
    /// rustls requires `Debug`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pinned")
    }
}

/// The server's certificate is trusted, but its key is not pinned.
#[derive(Debug)]
pub struct Mismatch;

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the key is not pinned")
    }
}

impl std::error::Error for Mismatch {}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        if !self.pins.contains(&Pin::of(end_entity)?) {
            let mismatch = CertificateError::Other(OtherError(Arc::new(Mismatch)));
            return Err(mismatch.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.usual
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.usual
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
