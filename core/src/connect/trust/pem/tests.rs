use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::*;

const A: &str = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n";
const B: &str = "-----BEGIN CERTIFICATE-----\nQkJC\n-----END CERTIFICATE-----\n";

/// Returns the content of each block as text. An error begins with "!".
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
    assert_eq!(read(format!("\u{feff}# ours\n{A}")), ["AAA"]);
}

#[test]
fn reads_joined_files_of_which_each_begins_with_a_byte_order_mark() {
    for end in ["\n", "\r\n", ""] {
        let (a, b) = (A.trim_end(), B.trim_end());
        let text = format!("\u{feff}{a}{end}\u{feff}{b}{end}\u{feff}{a}");
        assert_eq!(read(text), ["AAA", "BBB", "AAA"], "{end:?}");
    }
}

#[test]
fn reads_certificates_that_are_indented() {
    let indented = |text: &str| text.replace("-----BEGIN", "\t  -----BEGIN");
    assert_eq!(read(indented(&format!("ca: |\n{A}{B}"))), ["AAA", "BBB"]);
    assert_eq!(read(format!("{A}text\n{}", indented(B))), ["AAA", "BBB"]);
    let every_line = format!("\u{feff}{A}{B}").replace('\n', "\n    ");
    assert_eq!(read(every_line), ["AAA", "BBB"]);
}

#[test]
fn a_begin_behind_other_text_is_text() {
    for before in ["#", "# ", "ca: ", "----"] {
        assert_eq!(read(format!("{A}{before}{B}{A}")), ["AAA", "AAA"]);
    }
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
fn reads_certificates_joined_to_a_key_without_a_newline() {
    for label in ["PRIVATE KEY", "EC PARAMETERS", "X509 CRL", "DH PARAMETERS"] {
        for body in ["\nQUFB\n", "QUFB", "\nProc-Type: 4,ENCRYPTED\n\nQUFB\n"] {
            let key = format!("-----BEGIN {label}-----{body}-----END {label}-----");
            let text = format!("{}{key}{}{key}\n{A}", A.trim_end(), B.trim_end());
            assert_eq!(read(text), ["AAA", "BBB", "AAA"], "{label} {body:?}");
        }
    }
}

#[test]
fn reads_certificates_whose_newlines_became_spaces() {
    let text = format!("{A}{B}").replace('\n', " ");
    assert_eq!(read(&text), ["AAA", "BBB"]);
}

#[test]
fn reads_the_labels_that_openssl_writes() {
    let old = A.replace("CERTIFICATE", "X509 CERTIFICATE");
    // A DER element without contents, and no settings.
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
    // 30 01 41, then settings: an empty sequence, then a list without uses.
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
fn names_each_certificate_by_its_number_and_line() {
    let text = format!("one\n{A}\r\nsix\rseven\r\n{B}{A}");
    let names: Vec<_> = blocks(text.as_bytes()).map(|block| block.name()).collect();
    let expected = [
        "the 1st certificate, line 2,",
        "the 2nd certificate, line 8,",
        "the 3rd certificate, line 11,",
    ];
    assert_eq!(names, expected);
    let text = A.repeat(123);
    let names: Vec<_> = blocks(text.as_bytes()).map(|block| block.name()).collect();
    for (number, ordinal) in [
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (101, "101st"),
        (111, "111th"),
        (123, "123rd"),
    ] {
        let expected = format!("the {ordinal} certificate, line {},", number * 3 - 2);
        assert_eq!(names[number - 1], expected);
    }
}
