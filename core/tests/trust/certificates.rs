//! Certificates and their keys.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SigningKey};
use rustls::pki_types::CertificateDer;
use zelf_core::connect::trust::{pem, x509};

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// A certificate with its key.
pub struct Identity {
    pub der: CertificateDer<'static>,
    pub key: KeyPair,
    params: CertificateParams,
}

impl Identity {
    pub fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            der: certificate.der().clone(),
            key,
            params,
        }
    }

    pub fn issues(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self {
            der: certificate.der().clone(),
            key,
            params,
        }
    }

    pub fn pem(&self) -> String {
        pem_of(&self.der)
    }

    /// Returns the same key with a certificate of X.509 version 1, which has no extensions.
    pub fn in_version_1(mut self) -> Self {
        let whole = elements(&self.der)[0];
        let parts = elements(contents(whole));
        let fields = elements(contents(parts[0]));
        let kept: Vec<u8> = fields
            .into_iter()
            .filter(|field| !matches!(field[0], 0xa0 | 0xa3))
            .flatten()
            .copied()
            .collect();
        let signed = element(SEQUENCE, &kept);
        let signature = [&[0], &self.key.sign(&signed).unwrap()[..]].concat();
        let signature = element(BIT_STRING, &signature);
        let all = [&signed[..], parts[1], &signature].concat();
        self.der = element(SEQUENCE, &all).into();
        self
    }
}

pub fn pem_of(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let body = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = match contents.len() {
        length @ ..=0x7f => vec![length as u8],
        length @ ..=0xff => vec![0x81, length as u8],
        length => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag], &length[..], contents].concat()
}

fn contents(element: &[u8]) -> &[u8] {
    &element[x509::contents(element, 0).unwrap()]
}

fn elements(mut der: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (element, rest) = der.split_at(x509::contents(der, 0).unwrap().end);
        found.push(element);
        der = rest;
    }
    found
}

/// Returns the parameters of a certificate for `localhost`.
pub fn server() -> CertificateParams {
    CertificateParams::new(vec!["localhost".into()]).unwrap()
}

/// Limits the validity to the time between the beginnings of two years.
pub fn dated(mut params: CertificateParams, from: i32, to: i32) -> CertificateParams {
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    params
}

/// Returns the parameters of a certificate with only a common name.
pub fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// Reads a certificate of rare.pem. `name`: the line before it.
pub fn rare(name: &str) -> CertificateDer<'static> {
    let text = include_str!("rare.pem");
    let (_, text) = text.split_once(&format!("\n{name}\n")).unwrap();
    let block = pem::blocks(text.as_bytes()).next().unwrap();
    block.decode().unwrap().into()
}

/// Reads the RSA key of rare.pem that belongs to the certificate `rsa`.
pub fn rsa_key() -> KeyPair {
    let text = include_str!("rare.pem");
    let (_, key) = text.split_once("\nrsa key\n").unwrap();
    KeyPair::from_pem(key).unwrap()
}
