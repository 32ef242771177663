//! Describes a text that contains no certificate in PEM form.

const NOTHING: &str = "contains no certificate in PEM form";

/// The content of the object identifier of PKCS #7 signed data.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The markers of other PEM texts. The first one that is found counts.
const MARKERS: [(&[u8], &str); 5] = [
    (
        b"-----BEGIN PKCS7",
        "contains PKCS #7; use openssl pkcs7 -print_certs",
    ),
    (
        b"CERTIFICATE REQUEST-----",
        "contains a certificate request, which is not signed yet; ask an authority for the certificate",
    ),
    (
        b"-----BEGIN CERTIFICATE-----",
        "has text before the BEGIN of a certificate, which must be at the start of a line",
    ),
    (b" KEY-----", "contains a key, but no certificate"),
    (b"-----BEGIN ", "contains PEM, but no certificate"),
];

/// Returns a description that completes "the CA file ...".
#[cold]
pub fn description(text: &[u8]) -> &'static str {
    if text.trim_ascii().is_empty() {
        return "is empty";
    }
    if is_utf_16(text) {
        return "is in UTF-16; save it as UTF-8";
    }
    if text.starts_with(b"\xfe\xed\xfe\xed") {
        return "is a Java key store, not PEM; use keytool -exportcert -rfc";
    }
    if let Some(contents) = der_contents(text) {
        return description_of_der(contents);
    }
    if let Some((_, description)) = MARKERS.iter().find(|(marker, _)| holds(text, marker)) {
        return description;
    }
    if text.trim_ascii().starts_with(b"MII") {
        return "is base64 without the BEGIN and END lines of PEM";
    }
    NOTHING
}

fn description_of_der(contents: &[u8]) -> &'static str {
    if contents.starts_with(SIGNED_DATA) {
        return "is PKCS #7 in DER, not PEM; use openssl pkcs7 -inform der -print_certs";
    }
    if contents.starts_with(b"\x02\x01\x03") {
        return "is PKCS #12, not PEM; use openssl pkcs12 -nokeys";
    }
    "is DER, not PEM; use openssl x509 -inform der"
}

/// Skips the header of a SEQUENCE of more than 127 bytes, which all certificates have. No text
/// begins with these bytes.
fn der_contents(text: &[u8]) -> Option<&[u8]> {
    let length = text.strip_prefix(b"\x30")?;
    let (&form, rest) = length.split_first()?;
    match form {
        0x80..=0x84 => rest.get(usize::from(form - 0x80)..),
        _ => None,
    }
}

fn is_utf_16(text: &[u8]) -> bool {
    let has_mark = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    has_mark || holds(text, b"-\0-\0-\0-")
}

fn holds(text: &[u8], marker: &[u8]) -> bool {
    text.windows(marker.len()).any(|part| part == marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_text_is_told_from_the_others() {
        let utf_16: Vec<u8> = "-----BEGIN CERTIFICATE-----\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let pkcs7 = [b"\x30\x82\x10\x00", SIGNED_DATA].concat();
        let kinds: [(&[u8], &str); 20] = [
            (b"", "is empty"),
            (b" \r\n\t", "is empty"),
            (b"\xff\xfe-\0-\0", "UTF-16"),
            (b"\xfe\xff\0-\0-", "UTF-16"),
            (&utf_16, "UTF-16"),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", "Java key store"),
            (b"\x30\x82\x03\x04\x30\x82\x02\x01", "x509 -inform der"),
            (b"\x30\x81\xf0\x30\x81\xa0", "x509 -inform der"),
            (&pkcs7, "PKCS #7 in DER"),
            (b"\x30\x82\x10\x00\x02\x01\x03\x30", "PKCS #12"),
            (
                b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
                "PKCS #7 in DER",
            ),
            (b"-----BEGIN PKCS7-----\n", "contains PKCS #7"),
            (b"-----BEGIN CERTIFICATE REQUEST-----\n", "request"),
            (b"-----BEGIN NEW CERTIFICATE REQUEST-----\n", "request"),
            (b"ca: -----BEGIN CERTIFICATE-----\n", "start of a line"),
            (b"-----BEGIN EC PRIVATE KEY-----\n", "contains a key"),
            (b"-----BEGIN PUBLIC KEY-----\n", "contains a key"),
            (b"-----BEGIN X509 CRL-----\n", "contains PEM, but"),
            (b"MIIDxTCCAq2gAwIBAgIQ", "without the BEGIN and END"),
            (b"0 <html>", NOTHING),
        ];
        for (text, expected) in kinds {
            let found = description(text);
            assert!(found.contains(expected), "{found}, not {expected}");
        }
    }

    #[test]
    fn no_beginning_of_a_text_is_a_crash() {
        for text in [
            &b"\x30"[..],
            b"\x30\x84",
            b"\x30\x84\0\0",
            b"0",
            b"-",
            b"\xff",
        ] {
            assert!(!description(text).is_empty());
        }
    }
}
