//! The answer of the key route: a valid OpenPGP armor around bytes that are not a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Returns the armor for an identifier, which always has the same bytes.
pub fn public_key(identifier: &str) -> String {
    let mut bytes = Vec::new();
    for block in 0..9_u8 {
        let text = format!("zelf-sandbox {block} {identifier}");
        bytes.extend_from_slice(
            ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref(),
        );
    }
    let encoded = STANDARD.encode(&bytes);
    let mut armor = String::from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n");
    for line in encoded.as_bytes().chunks(60) {
        armor.extend(line.iter().map(|&byte| char::from(byte)));
        armor.push('\n');
    }
    let checksum = crc24(&bytes).to_be_bytes();
    armor.push('=');
    armor.push_str(&STANDARD.encode(&checksum[1..]));
    armor.push_str("\n-----END PGP PUBLIC KEY BLOCK-----\n");
    armor
}

/// Computes the checksum of RFC 4880, section 6.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x00B7_04CE_u32;
    for &byte in bytes {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4CFB;
            }
        }
    }
    crc & 0x00FF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // The check value of CRC-24/OPENPGP.
        assert_eq!(crc24(b"123456789"), 0x0021_CF02);
    }

    #[test]
    fn the_armor_has_its_lines_and_is_the_same_again() {
        let armor = public_key("a");
        let lines: Vec<&str> = armor.lines().collect();
        assert_eq!(lines[0], "-----BEGIN PGP PUBLIC KEY BLOCK-----");
        assert_eq!(lines[1], "");
        assert!(lines[lines.len() - 2].starts_with('='));
        assert_eq!(lines[lines.len() - 1], "-----END PGP PUBLIC KEY BLOCK-----");
        assert_eq!(armor, public_key("a"));
        assert_ne!(armor, public_key("b"));
    }
}
