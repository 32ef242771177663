//! The certificates: a new CA at each start, a good leaf, and bad ones.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use serde::{Deserialize, Serialize};

/// The fault of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongCertificate {
    /// It expired yesterday.
    Expired,
    /// It becomes valid tomorrow.
    NotYetValid,
    /// It is for `other.test`.
    OtherHost,
    /// Its CA is not in the CA file, but has the same name.
    UnknownCa,
}

/// The server's TLS configurations.
pub struct Tls {
    pub ca_pem: String,
    /// The base64 of the SHA-256 of the good leaf's SubjectPublicKeyInfo.
    pub spki_sha256: String,
    pub good: Arc<ServerConfig>,
    wrong: HashMap<WrongCertificate, Arc<ServerConfig>>,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Tls {
    pub fn generate(tls12_only: bool) -> io::Result<Self> {
        let versions: &[&'static SupportedProtocolVersion] = if tls12_only {
            &[&rustls::version::TLS12]
        } else {
            rustls::DEFAULT_VERSIONS
        };
        let (ca, ca_pem, _) = authority().map_err(io::Error::other)?;
        let (stranger, _, stranger_der) = authority().map_err(io::Error::other)?;
        let now = SystemTime::now();
        let here = ["localhost", "127.0.0.1", "::1"];

        let key = KeyPair::generate().map_err(io::Error::other)?;
        let spki = ring::digest::digest(&ring::digest::SHA256, &key.subject_public_key_info());
        let good = leaf(&ca, &here, now - DAY, now + 30 * DAY, key).map_err(io::Error::other)?;

        let leaf_of = |issuer: &Issuer<'_, KeyPair>, names: &[&str], from, to| {
            let key = KeyPair::generate()?;
            leaf(issuer, names, from, to, key)
        };
        let mut wrong = HashMap::new();
        for (kind, made) in [
            (
                WrongCertificate::Expired,
                leaf_of(&ca, &here, now - 30 * DAY, now - DAY),
            ),
            (
                WrongCertificate::NotYetValid,
                leaf_of(&ca, &here, now + DAY, now + 30 * DAY),
            ),
            (
                WrongCertificate::OtherHost,
                leaf_of(&ca, &["other.test"], now - DAY, now + 30 * DAY),
            ),
            (
                WrongCertificate::UnknownCa,
                leaf_of(&stranger, &here, now - DAY, now + 30 * DAY),
            ),
        ] {
            let (certificate, key) = made.map_err(io::Error::other)?;
            let mut chain = vec![certificate];
            if kind == WrongCertificate::UnknownCa {
                chain.push(stranger_der.clone());
            }
            wrong.insert(kind, server_config(chain, key, versions)?);
        }
        Ok(Tls {
            ca_pem,
            spki_sha256: STANDARD.encode(spki),
            good: server_config(vec![good.0], good.1, versions)?,
            wrong,
        })
    }

    pub fn wrong(&self, kind: WrongCertificate) -> &Arc<ServerConfig> {
        &self.wrong[&kind]
    }
}

type Leaf = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn authority() -> Result<(Issuer<'static, KeyPair>, String, CertificateDer<'static>), rcgen::Error>
{
    let key = KeyPair::generate()?;
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Zelf sandbox CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now - 40 * DAY).into();
    params.not_after = (now + 40 * DAY).into();
    let certificate = params.self_signed(&key)?;
    let (pem, der) = (certificate.pem(), certificate.der().clone());
    Ok((Issuer::new(params, key), pem, der))
}

fn leaf(
    issuer: &Issuer<'_, KeyPair>,
    names: &[&str],
    not_before: SystemTime,
    not_after: SystemTime,
    key: KeyPair,
) -> Result<Leaf, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Zelf sandbox");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = not_before.into();
    params.not_after = not_after.into();
    let certificate = params.signed_by(&key, issuer)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok((certificate.der().clone(), key))
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
