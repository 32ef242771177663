//! Finds the certificates in a PEM text, and decodes them on request.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::connect::trust::{
    beginning::{Beginning, is_space},
    x509,
};

/// Completes the name of a certificate that webpki cannot read.
pub const NOT_X509: &str = "is damaged, or is not an X.509 certificate";

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const TRUSTED: &[u8] = b"TRUSTED CERTIFICATE-----";
const LABELS: [&[u8]; 3] = [b"CERTIFICATE-----", TRUSTED, b"X509 CERTIFICATE-----"];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Accepts the same texts as the parsers of rustls.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Iterates over the certificates of a text. Skips other blocks, and text outside the blocks.
pub fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut at = 0;
    let mut number = 0;
    // A BEGIN is at the start of a line, possibly after blanks, or behind an END: two files may
    // have been joined without a newline.
    let mut after_end = 0;
    std::iter::from_fn(move || {
        let (begin, label) = loop {
            let dash = find_dash(text, at)?;
            at = dash + 1;
            if let Some(length) = length_of_end(&text[dash..]) {
                at = dash + length;
                after_end = skip_blanks(text, at);
            } else if let Some(label) = label_after(BEGIN, &text[dash..])
                && (dash == after_end || is_line_start(&text[..dash]))
            {
                break (dash, label);
            }
        };
        let body = begin + BEGIN.len() + label.len();
        let end = find_dash(text, body).unwrap_or(text.len());
        let is_closed = label_after(END, &text[end..]) == Some(label);
        at = end;
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

/// Returns the length of the END of any block, such as that of a key.
fn length_of_end(text: &[u8]) -> Option<usize> {
    let label = text.strip_prefix(END)?;
    let length = label.iter().position(|&byte| byte < b' ' || byte == b'-')?;
    label[length..]
        .starts_with(DASHES)
        .then_some(END.len() + length + DASHES.len())
}

fn is_line_start(before: &[u8]) -> bool {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let indent = before.iter().rev().take_while(|byte| is_blank(byte));
    let before = &before[..before.len() - indent.count()];
    let before = before.strip_suffix(BYTE_ORDER_MARK).unwrap_or(before);
    matches!(before.last(), None | Some(b'\n' | b'\r'))
}

fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        at += match rest.first() {
            Some(&byte) if is_space(byte) => 1,
            _ if rest.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len(),
            _ => return at,
        };
    }
}

/// Finds the next dash. Base64 contains none.
fn find_dash(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // The loop over a whole chunk has no early exit, so it is vectorised.
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
    /// The number of the certificate in the text, from 1.
    number: usize,
    before: &'a [u8],
    body: Option<&'a [u8]>,
    is_trusted: bool,
}

impl<'a> Block<'a> {
    /// Returns the number of the line with the BEGIN, from 1.
    fn line(&self) -> usize {
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

    /// Returns the name of the certificate, as in "the 2nd certificate, line 31,".
    pub fn name(&self) -> String {
        let number = self.number;
        let suffix = match (number % 100, number % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            _ => "th",
        };
        let line = self.line();
        format!("the {number}{suffix} certificate, line {line},")
    }

    /// Decodes the certificate's DER. The error completes the certificate's name.
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
mod tests;
