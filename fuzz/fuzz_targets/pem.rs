//! A CA file: its blocks and certificates, or an error with a position.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use zelf_core::connect::trust::{ca_file, pem};
use zelf_fuzz::assert_fit;

fuzz_target!(|text: &[u8]| {
    let mut count = 0;
    for block in pem::blocks(text) {
        count += 1;
        assert!(block.name().starts_with(&format!("the {count}")));
        let mut beginning = block.beginning();
        let has_all = beginning.extend_to(90);
        assert!(beginning.der().len() >= if has_all { 90 } else { 0 });
        if let Ok(der) = block.decode() {
            // The first bytes are decoded in the same way as the whole.
            assert!(
                der.starts_with(beginning.der()) || der.len() < beginning.der().len(),
                "block {count}"
            );
        }
    }
    match ca_file::from_text(text, "the CA file") {
        Ok(roots) => assert_eq!(roots.count(), count),
        Err(error) => {
            assert_fit(&error);
            assert!(error.message.len() < 300 && error.message.starts_with("the CA file "));
        }
    }
    // The parser of rustls reads the same certificates. It also accepts incomplete markers.
    let begins = text.windows(5).filter(|word| word == b"BEGIN").count();
    let others: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    if let (1, Ok([other]), Some(block)) = (begins, others.as_deref(), pem::blocks(text).next()) {
        let der = block.decode();
        assert!(der.is_ok_and(|der| der.starts_with(other)));
    }
});
