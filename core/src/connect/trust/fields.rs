//! The fields of a certificate, in any version of X.509: webpki only reads version 3. They explain
//! why a certificate was refused, and are used to check a certificate that the caller has set.

use std::ops::Range;

use rustls::{CertificateError, pki_types::UnixTime};

use crate::connect::trust::x509::{contents, name_servers};

const BOOLEAN: u8 = 0x01;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

pub struct Fields<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    not_before: i64,
    not_after: i64,
    /// The SubjectPublicKeyInfo, with its header.
    pub public_key: &'a [u8],
    extensions: &'a [u8],
    pub is_version_3: bool,
}

impl<'a> Fields<'a> {
    pub fn of(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Elements(Elements(der).next()?.contents);
        let mut signed = Elements(certificate.next()?.contents);
        let first = signed.next()?;
        if first.tag == VERSION {
            let _serial_number = signed.next()?;
        }
        let _signature = signed.next()?;
        let issuer = signed.next()?.contents;
        let mut validity = Elements(signed.next()?.contents);
        let subject = signed.next()?.contents;
        let public_key = signed.next()?.whole;
        let extensions = signed.find(|field| field.tag == EXTENSIONS);
        Some(Self {
            issuer,
            subject,
            not_before: time(&validity.next()?)?,
            not_after: time(&validity.next()?)?,
            public_key,
            extensions: extensions
                .and_then(|field| Elements(field.contents).next())
                .map_or(&[], |list| list.contents),
            is_version_3: first.tag == VERSION && first.contents == b"\x02\x01\x02",
        })
    }

    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    pub fn is_issuer_of(&self, other: &Fields<'_>) -> bool {
        self.subject == other.issuer
    }

    pub fn check_time(&self, now: UnixTime) -> Result<(), CertificateError> {
        let time = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if time < self.not_before {
            return Err(CertificateError::NotValidYet);
        }
        if time > self.not_after {
            return Err(CertificateError::Expired);
        }
        Ok(())
    }

    /// Returns whether the extended key usage allows the use for servers. Without one it does.
    pub fn is_for_servers(&self) -> bool {
        let Some(value) = self.extension(EXTENDED_KEY_USAGE) else {
            return true;
        };
        let uses = Elements(value).next();
        uses.and_then(|uses| name_servers(uses.contents)) == Some(true)
    }

    /// Returns whether the subjectAltName contains a host or an address.
    pub fn has_alternative_host(&self) -> bool {
        let value = self.extension(SUBJECT_ALT_NAME);
        value
            .and_then(|value| Elements(value).next())
            .is_some_and(|names| {
                Elements(names.contents).any(|name| matches!(name.tag, DNS_NAME | IP_ADDRESS))
            })
    }

    /// Returns the last common name of the subject.
    pub fn common_name(&self) -> Option<&'a str> {
        let attributes = Elements(self.subject).flat_map(|set| Elements(set.contents));
        let values = attributes.filter_map(|attribute| {
            let mut parts = Elements(attribute.contents);
            let is_common_name = parts.next()?.contents == COMMON_NAME;
            is_common_name.then(|| parts.next())?
        });
        str::from_utf8(values.last()?.contents).ok()
    }

    /// Returns the number of bits of an RSA key.
    pub fn rsa_bits(&self) -> Option<usize> {
        let mut key = Elements(Elements(self.public_key).next()?.contents);
        let algorithm = Elements(key.next()?.contents).next()?;
        let bits = key.next()?;
        if algorithm.contents != RSA || bits.tag != BIT_STRING {
            return None;
        }
        let key = Elements(bits.contents.get(1..)?).next()?;
        let modulus = Elements(key.contents).next()?.contents;
        let zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
        let first = modulus.get(zeros)?;
        Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
    }

    fn extension(&self, id: &[u8]) -> Option<&'a [u8]> {
        Elements(self.extensions).find_map(|extension| {
            let mut parts = Elements(extension.contents);
            let is_it = parts.next()?.contents == id;
            let value = parts.find(|part| part.tag != BOOLEAN)?;
            is_it.then_some(value.contents)
        })
    }
}

/// The elements of DER, in order, up to the first incomplete one.
struct Elements<'a>(&'a [u8]);

struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    contents: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    /// Is not inlined: it is called in many places, and its speed does not matter.
    #[inline(never)]
    fn next(&mut self) -> Option<Element<'a>> {
        let &tag = self.0.first()?;
        let Range { start, end } = contents(self.0, 0).ok()?;
        let (whole, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(Element {
            tag,
            whole,
            contents: &whole[start..],
        })
    }
}

/// Returns a time in seconds since 1970.
fn time(element: &Element<'_>) -> Option<i64> {
    let text = element.contents;
    let (year, rest) = match element.tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let digits = rest.strip_suffix(b"Z")?;
    let mut parts = digits.chunks(2).map(number);
    let mut part = || parts.next().flatten();
    let (month, day) = (part()?, part()?);
    let (hour, minute, second) = (part()?, part()?, part()?);
    let is_whole = digits.len() == 10 && (1..=12).contains(&month);
    is_whole.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })
}

/// Returns the number of days since 1970 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // In a year that begins in March, the leap day is the last day.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests;
