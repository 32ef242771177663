//! Finds the certificates in a PEM text and decodes those that are asked for.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::connect::trust::{
    beginning::{Beginning, is_space},
    x509,
};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const TRUSTED: &[u8] = b"TRUSTED CERTIFICATE-----";
const LABELS: [&[u8]; 3] = [b"CERTIFICATE-----", TRUSTED, b"X509 CERTIFICATE-----"];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Accepts what the parsers of rustls accept.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Iterates over the certificates of a text. It skips other blocks and the text
/// around the blocks.
pub fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut at = 0;
    let mut number = 0;
    // A BEGIN is the first of a line, of the text or after an END: a joined file
    // may have had no newline at its end.
    let mut first = match text.starts_with(BYTE_ORDER_MARK) {
        true => BYTE_ORDER_MARK.len(),
        false => 0,
    };
    std::iter::from_fn(move || {
        let (begin, label) = loop {
            let begin = find_dash(text, at)?;
            at = begin + 1;
            let is_first = begin == first || matches!(text[begin - 1], b'\n' | b'\r');
            if is_first && let Some(label) = label_after(BEGIN, &text[begin..]) {
                break (begin, label);
            }
        };
        let body = begin + BEGIN.len() + label.len();
        let end = find_dash(text, body).unwrap_or(text.len());
        let is_closed = label_after(END, &text[end..]) == Some(label);
        at = end;
        if is_closed {
            at += END.len() + label.len();
            first = at;
        }
        number += 1;
        Some(Block {
            number,
            before: &text[..begin],
            body: is_closed.then(|| &text[body..end]),
            is_trusted: label == TRUSTED,
        })
    })
}

fn label_after(marker: &[u8], text: &[u8]) -> Option<&'static [u8]> {
    let text = text.strip_prefix(marker)?;
    LABELS.into_iter().find(|label| text.starts_with(label))
}

/// Finds the next dash. Base64 has none.
fn find_dash(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // A loop over a whole chunk has no early exit, so it vectorises.
    while let Some(chunk) = text.get(at..at + 64)
        && !chunk
            .iter()
            .fold(false, |found, &byte| found | (byte == b'-'))
    {
        at += 64;
    }
    let rest = text.get(at..)?;
    Some(at + rest.iter().position(|&byte| byte == b'-')?)
}

/// A certificate in a PEM text.
pub struct Block<'a> {
    /// Counts the certificates of the text from 1.
    pub number: usize,
    before: &'a [u8],
    body: Option<&'a [u8]>,
    is_trusted: bool,
}

impl<'a> Block<'a> {
    /// Counts the lines up to the BEGIN, from 1.
    pub fn line(&self) -> usize {
        let ends = |(at, &byte): (usize, &u8)| match byte {
            b'\r' => self.before.get(at + 1) != Some(&b'\n'),
            byte => byte == b'\n',
        };
        1 + self
            .before
            .iter()
            .enumerate()
            .filter(|&end| ends(end))
            .count()
    }

    /// Decodes the certificate's DER. The error continues "certificate 2 ...".
    pub fn decode(&self) -> Result<Vec<u8>, &'static str> {
        let body = self
            .body
            .ok_or("has no END line that matches its BEGIN line")?;
        let mut text = body.to_vec();
        text.retain(|&byte| !is_space(byte));
        let der = BASE64.decode(text).map_err(|_| "is not valid base64")?;
        if !self.is_trusted {
            return Ok(der);
        }
        x509::trusted_for_servers(&der)
            .map(<[u8]>::to_vec)
            .ok_or("is not trusted for servers")
    }

    pub fn beginning(&self) -> Beginning<'a> {
        Beginning::new(self.body.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    use super::*;

    const A: &str = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n";
    const B: &str = "-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----\n";

    /// What each block holds, as text; an error begins with "!".
    fn read(text: impl AsRef<[u8]>) -> Vec<String> {
        let read = |block: Block<'_>| match block.decode() {
            Ok(der) => String::from_utf8(der).unwrap(),
            Err(reason) => format!("!{reason}"),
        };
        blocks(text.as_ref()).map(read).collect()
    }

    const UNCLOSED: &str = "!has no END line that matches its BEGIN line";
    const NOT_BASE64: &str = "!is not valid base64";

    #[test]
    fn reads_what_the_parser_of_rustls_reads_from_the_bundle_of_the_system() {
        let text = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
        let ours: Vec<_> = blocks(&text).map(|block| block.decode().unwrap()).collect();
        let theirs: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .map(|der| der.unwrap().to_vec())
            .collect();
        assert!(ours == theirs, "{} and {}", ours.len(), theirs.len());
    }

    #[test]
    fn reads_several_certificates_with_text_between_them() {
        let text = format!("# A - one\nsubject=CN - x\n{A}\n-- ----- --\n\n{B}the end -----");
        assert_eq!(read(text), ["AAA", "BBB"]);
        assert!(read("no certificate").is_empty());
        assert!(read("").is_empty());
    }

    #[test]
    fn reads_lines_that_end_in_any_way() {
        for end in ["\r\n", "\r", " \n", "\n\n", "\n\t"] {
            let text = format!("{A}{B}").replace("CERTIFICATE-----\n", "CERTIFICATE-----\r");
            assert_eq!(read(text), ["AAA", "BBB"]);
            let text = format!("{A}{B}").replace("QUFB\n", &format!("QU{end}FB{end}"));
            assert_eq!(read(text), ["AAA", "BBB"], "{end:?}");
        }
        assert_eq!(read(A.trim_end()), ["AAA"]);
    }

    #[test]
    fn reads_a_text_with_a_byte_order_mark() {
        assert_eq!(read(format!("\u{feff}{A}")), ["AAA"]);
    }

    #[test]
    fn reads_text_that_is_not_unicode() {
        let text = [b"caf\xe9 \xff\n", A.as_bytes()].concat();
        assert_eq!(read(text), ["AAA"]);
    }

    #[test]
    fn reads_certificates_joined_without_a_newline() {
        let joined = format!("{}{}{A}", A.trim_end(), B.trim_end());
        assert_eq!(read(joined), ["AAA", "BBB", "AAA"]);
    }

    #[test]
    fn reads_the_labels_that_openssl_writes() {
        let old = A.replace("CERTIFICATE", "X509 CERTIFICATE");
        // An element of DER with no contents, and settings that are missing.
        let trusted = A
            .replace("CERTIFICATE", "TRUSTED CERTIFICATE")
            .replace("QUFB", "MAA=");
        assert_eq!(read(old + &trusted), ["AAA", "0\0"]);
    }

    #[test]
    fn leaves_the_trust_settings_out_of_a_trusted_certificate() {
        let trusted = |base64| {
            A.replace("CERTIFICATE", "TRUSTED CERTIFICATE")
                .replace("QUFB", base64)
        };
        // 30 01 41, then settings: an empty sequence; a list of no uses.
        assert_eq!(read(trusted("MAFBMAA=")), ["0\u{1}A"]);
        assert_eq!(
            read(trusted("MAFBMAIwAA==")),
            ["!is not trusted for servers"]
        );
        assert_eq!(read(trusted("QUFB")), ["!is not trusted for servers"]);
    }

    #[test]
    fn skips_blocks_that_are_no_certificates() {
        for label in [
            "PRIVATE KEY",
            "CERTIFICATE REQUEST",
            "X509 CRL",
            "certificate",
        ] {
            let other = A.replace("CERTIFICATE", label);
            assert_eq!(read(format!("{other}{B}")), ["BBB"], "{label}");
        }
    }

    #[test]
    fn takes_a_marker_inside_a_line_for_a_remark() {
        let remark = A.replace("-----BEGIN", "# -----BEGIN");
        assert_eq!(read(format!("{remark}{B}")), ["BBB"]);
        assert!(read(A.replace("-----BEGIN", " -----BEGIN")).is_empty());
        assert!(read(A.replace("-----BEGIN", "------BEGIN")).is_empty());
    }

    #[test]
    fn reads_the_certificate_after_one_that_is_cut() {
        let cut = "-----BEGIN CERTIFICATE-----\nQUFB\n";
        assert_eq!(read(format!("{cut}{B}")), [UNCLOSED, "BBB"]);
        assert_eq!(read(format!("{B}{cut}")), ["BBB", UNCLOSED]);
        let other_end = A.replace("END CERT", "END X509 CERT");
        assert_eq!(read(format!("{other_end}{B}")), [UNCLOSED, "BBB"]);
    }

    #[test]
    fn reads_the_certificate_after_one_that_is_not_base64() {
        for wrong in ["QUF?", "QUFBQ", "Q=FB", "QUFB=QUF", "#QUFB", "Q\u{0}FB"] {
            let text = format!("{}{B}", A.replace("QUFB", wrong));
            assert_eq!(read(text), [NOT_BASE64, "BBB"], "{wrong}");
        }
    }

    #[test]
    fn reads_base64_without_its_padding() {
        assert_eq!(read(A.replace("QUFB", "QUFBQQ")), ["AAAA"]);
        assert_eq!(read(A.replace("QUFB", "QUFBQQ==")), ["AAAA"]);
    }

    #[test]
    fn gives_the_number_and_the_line_of_each_certificate() {
        let text = format!("one\n{A}\r\nsix\rseven\r\n{B}{A}");
        let places: Vec<_> = blocks(text.as_bytes())
            .map(|block| (block.number, block.line()))
            .collect();
        assert_eq!(places, [(1, 2), (2, 8), (3, 11)]);
    }
}
