//! The HTTP client of a check. It uses reqwest, which shares no HTTP code with the library, so that
//! the same mistake is not in both.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::redirect::Policy;
use reqwest::{Method, Proxy, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::check::exchange::{Answer, NoAnswer, Request};
use crate::check::options::{self, Options};
use crate::log::printable;

/// The most bytes of a body that are read.
const READ_LIMIT: usize = 1024 * 1024;

pub struct Client {
    base_url: String,
    http: reqwest::Client,
}

impl Client {
    pub fn new(base_url: &Url, options: &Options) -> Result<Self, String> {
        let proxy = options.proxy.as_deref().map(options::proxy).transpose()?;
        let needs_tls = [Some(base_url), proxy.as_ref()]
            .into_iter()
            .flatten()
            .any(|url| url.scheme() == "https");
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(needs_tls, options.ca_file.as_deref())?)
            .user_agent(concat!("zelf-sandbox/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(options.timeout)
            .no_proxy();
        if let Some(proxy) = proxy {
            let proxy =
                Proxy::all(proxy).map_err(|_| "the proxy's URL cannot be used; correct it")?;
            builder = builder.proxy(proxy);
        }
        let http = builder
            .build()
            .map_err(|error| format!("cannot create an HTTP client: {}", deepest(&error)))?;
        Ok(Client {
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            http,
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    pub async fn send(&self, request: &Request) -> Result<Answer, NoAnswer> {
        let started = Instant::now();
        self.exchange(request, started).await.map_err(no_answer)
    }

    async fn exchange(
        &self,
        request: &Request,
        started: Instant,
    ) -> Result<Answer, reqwest::Error> {
        let method = match request.method {
            "POST" => Method::POST,
            _ => Method::GET,
        };
        let mut builder = self.http.request(method, self.url(&request.path));
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await?;
        let headers = response.headers().iter();
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.as_str().to_owned(), value.into_owned())
                })
                .collect(),
            local: response
                .extensions()
                .get::<HttpInfo>()
                .map(HttpInfo::local_addr),
            ..Answer::default()
        };
        while let Some(piece) = response.chunk().await? {
            answer.body.extend_from_slice(&piece);
            if answer.body.len() > READ_LIMIT {
                answer.body.truncate(READ_LIMIT);
                answer.is_cut = true;
                break;
            }
        }
        answer.took = started.elapsed();
        Ok(answer)
    }
}

fn tls(is_needed: bool, ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match ca_file {
        Some(file) => builder.with_root_certificates(roots(file)?),
        // Plain HTTP needs no certificates, and the system may have none.
        None if !is_needed => builder.with_root_certificates(RootCertStore::empty()),
        None => builder.with_platform_verifier().map_err(|_| {
            "the system has no trusted certificates; set a file with --cacert".to_owned()
        })?,
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let unusable = |reason: &str| format!("{} {reason}", file.display());
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|_| unusable("cannot be read"))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| unusable("is not a file of certificates in PEM form"))?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(unusable("contains no usable certificate"));
    }
    Ok(roots)
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    // The report already contains the URL of the deployment.
    let error = error.without_url();
    if error.is_timeout() {
        return NoAnswer::Unreachable("the answer was not complete in time".into());
    }
    if is_tls(&error) {
        let hint =
            "its certificate is not trusted, or it does not speak TLS; set a CA with --cacert";
        return NoAnswer::Unreachable(format!("cannot connect: {hint}"));
    }
    if error.is_connect() {
        return NoAnswer::Unreachable(format!("cannot connect: {}", deepest(&error)));
    }
    NoAnswer::Broken(format!("the answer is incomplete: {}", deepest(&error)))
}

fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if wraps_tls(cause) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Looks for errors inside I/O errors too: a wrapped error is not the source.
fn wraps_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    if cause.is::<rustls::Error>() {
        return true;
    }
    let wrapped = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    wrapped.is_some_and(|inner| wraps_tls(inner))
}

/// Returns the text of the innermost error, which the outer ones only repeat.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    printable(&cause.to_string())
}
