use std::io;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// All authorities of a bundle: the given one, or the system's.
pub fn read(ca_file: Option<&Path>) -> io::Result<RootCertStore> {
    let pem = match ca_file {
        Some(path) => std::fs::read(path)?,
        None => match std::env::var_os("SSL_CERT_FILE") {
            Some(path) => std::fs::read(path)?,
            None => std::fs::read("/etc/ssl/certs/ca-certificates.crt")?,
        },
    };
    let mut roots = RootCertStore::empty();
    let mut der = None;
    for line in pem.split(|&byte| byte == b'\n') {
        match (line, &mut der) {
            (b"-----BEGIN CERTIFICATE-----", _) => der = Some(Vec::with_capacity(2048)),
            (b"-----END CERTIFICATE-----", Some(_)) => {
                // As every client does, go on without what webpki cannot use.
                let _ = roots.add(CertificateDer::from(der.take().unwrap_or_default()));
            }
            (line, Some(der)) => decode(line, der),
            (_, None) => {}
        }
    }
    Ok(roots)
}

/// Decodes one line of base64. Lines have whole groups of four characters.
fn decode(line: &[u8], into: &mut Vec<u8>) {
    for group in line.as_chunks::<4>().0 {
        let [a, b, c, d] = group.map(|byte| u32::from(VALUES[usize::from(byte)]));
        let bytes = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        let padding = usize::from(group[2] == b'=') + usize::from(group[3] == b'=');
        into.extend_from_slice(&bytes[1..4 - padding]);
    }
}

const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [0; 256];
    let mut i = 0;
    while i < 64 {
        values[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    values
};
