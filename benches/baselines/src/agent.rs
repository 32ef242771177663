use std::path::Path;

use serde_json::json;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

pub struct Client {
    http: ureq::Agent,
    url: String,
}

impl Client {
    pub fn start(base_url: &str, ca_file: Option<&Path>) -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = match ca_file {
            Some(path) => RootCerts::from(certificates(&std::fs::read(path).ok()?)),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(roots)
            .build();
        let config = ureq::Agent::config_builder().tls_config(tls).build();
        let url = format!("{base_url}/api/sessions");
        Some(Self {
            http: config.into(),
            url,
        })
    }

    pub fn token(&self, identifier: &str) -> Option<String> {
        let answer = self
            .http
            .post(&self.url)
            .header("Origin", "https://app.example")
            .send_json(json!({ "identifier": identifier }))
            .ok()?
            .body_mut()
            .read_json()
            .ok()?;
        crate::token_of(&answer)
    }
}

fn certificates(pem: &[u8]) -> Vec<ureq::tls::Certificate<'static>> {
    parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}
