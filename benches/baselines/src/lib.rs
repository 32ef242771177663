//! Two programs' worth of "just call the HTTP crate", with no care beyond what
//! a first version would take.

use std::ffi::{CStr, c_char, c_int};

use serde_json::{Value, json};

#[cfg(all(feature = "blocking", not(feature = "agent")))]
use blocking as http;
#[cfg(feature = "agent")]
use agent as http;

pub struct Client {
    http: http::Http,
    url: String,
}

#[cfg(feature = "blocking")]
mod blocking {
    use serde_json::Value;

    pub struct Http(reqwest::blocking::Client);

    pub fn start(ca_pem: Option<Vec<u8>>) -> Option<Http> {
        let mut builder = reqwest::blocking::Client::builder();
        if let Some(pem) = ca_pem {
            let roots = reqwest::Certificate::from_pem_bundle(&pem).ok()?;
            builder = builder.tls_certs_only(roots);
        }
        builder.build().ok().map(Http)
    }

    impl Http {
        pub fn post(&self, url: &str, body: &Value) -> Option<Value> {
            self.0
                .post(url)
                .header("Origin", "https://app.example")
                .json(body)
                .send()
                .ok()?
                .error_for_status()
                .ok()?
                .json()
                .ok()
        }
    }
}

#[cfg(feature = "agent")]
mod agent {
    use serde_json::Value;
    use ureq::tls::{RootCerts, TlsConfig, TlsProvider, parse_pem, PemItem};

    pub struct Http(ureq::Agent);

    pub fn start(ca_pem: Option<Vec<u8>>) -> Option<Http> {
        let mut tls = TlsConfig::builder().provider(TlsProvider::Rustls);
        if let Some(pem) = ca_pem {
            let roots: Vec<_> = parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            tls = tls.root_certs(RootCerts::from(roots));
        } else {
            tls = tls.root_certs(RootCerts::PlatformVerifier);
        }
        let config = ureq::Agent::config_builder().tls_config(tls.build()).build();
        Some(Http(config.into()))
    }

    impl Http {
        pub fn post(&self, url: &str, body: &Value) -> Option<Value> {
            self.0
                .post(url)
                .header("Origin", "https://app.example")
                .send_json(body)
                .ok()?
                .body_mut()
                .read_json()
                .ok()
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn baseline_start(base_url: *const c_char, ca_file: *const c_char) -> *mut Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // SAFETY: the harness passes C strings; the CA file may be NULL.
    let (base_url, ca_file) = unsafe {
        let path = (!ca_file.is_null()).then(|| CStr::from_ptr(ca_file));
        (CStr::from_ptr(base_url), path)
    };
    let pem = ca_file.and_then(|path| std::fs::read(path.to_str().ok()?).ok());
    let Some(http) = http::start(pem) else {
        return std::ptr::null_mut();
    };
    let url = format!("{}/api/sessions", base_url.to_string_lossy());
    Box::into_raw(Box::new(Client { http, url }))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn baseline_create(client: *mut Client, identifier: *const c_char) -> c_int {
    // SAFETY: the harness passes what it got, and a C string.
    let (client, identifier) = unsafe { (&*client, CStr::from_ptr(identifier)) };
    let body = json!({ "identifier": identifier.to_string_lossy() });
    let answer: Option<Value> = client.http.post(&client.url, &body);
    let fine = answer.is_some_and(|answer| {
        let token = answer["data"]["token"].as_str().map(str::to_owned);
        token.is_some_and(|token| !token.is_empty()) && answer["data"]["expiresAt"].is_i64()
    });
    c_int::from(fine)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn baseline_stop(client: *mut Client) {
    // SAFETY: the harness passes what it got, once.
    drop(unsafe { Box::from_raw(client) });
}
