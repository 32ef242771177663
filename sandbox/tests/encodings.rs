//! Bodies with a Content-Encoding.

mod common;

use std::io::Write as _;

use common::{http, post, sandbox};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Returns a create whose body is sent as these bytes.
fn create_encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /api/sessions HTTP/1.1\r\nHost: x\r\nOrigin: x\r\nContent-Type: application/json\r\n\
         Content-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn a_gzip_body_is_read() {
    let body = gzipped(br#"{"identifier":"a"}"#);
    let answer = http(&sandbox()).exchange(create_encoded("gzip", &body));
    assert_eq!(answer.claims()["identifier"], "a");
}

#[test]
fn a_deflated_body_is_read() {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(br#"{"identifier":"a"}"#).expect("memory");
    let body = encoder.finish().expect("memory");
    let answer = http(&sandbox()).exchange(create_encoded("deflate", &body));
    assert_eq!(answer.claims()["identifier"], "a");
}

#[test]
fn a_gzip_body_that_is_corrupt_or_cut_is_an_error_of_the_server_in_plain_text() {
    let whole = gzipped(br#"{"identifier":"a"}"#);
    for body in [b"no gzip".as_slice(), &whole[..whole.len() / 2], b""] {
        let answer = http(&sandbox()).exchange(create_encoded("gzip", body));
        assert_eq!(answer.status, 500);
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
    }
}

#[test]
fn a_gzip_body_that_is_over_1_mib_when_read_is_refused() {
    let body = gzipped(&vec![b' '; 1024 * 1024 + 1]);
    let answer = http(&sandbox()).exchange(create_encoded("gzip", &body));
    assert_eq!(
        (answer.status, answer.text()),
        (413, "request entity too large")
    );
}

#[test]
fn an_unknown_content_encoding_is_refused() {
    let more = "Content-Encoding: zip\r\n";
    let answer = http(&sandbox()).exchange(post("/api/sessions", "application/json", "{}", more));
    assert_eq!(
        (answer.status, answer.text()),
        (415, "Unsupported Media Type")
    );
}
