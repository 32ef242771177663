//! Writes the header from the doc comments of `src/ffi`, and tells the linker
//! what a shared library inside somebody else's process needs.

use std::{env, fs, path::Path};

use cbindgen::{Builder, Config};

/// The header's sections in the order of use, each from one file.
const SECTIONS: [(&str, &str); 15] = [
    ("Version", "version"),
    ("Status", "status"),
    ("Errors", "error"),
    ("Log", "log"),
    ("Configuration", "config"),
    ("Client", "client"),
    ("Identifiers", "identifier"),
    ("Session options", "session_options"),
    ("Sessions", "session"),
    ("Asynchronous calls", "call"),
    ("Provider options", "provider_options"),
    ("Session providers", "provider"),
    ("Requests", "request"),
    ("Responses", "response"),
    ("Sending requests", "send"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=src/ffi");
    link();
    let header = header();
    let committed = Path::new("include/zelf.h");
    if fs::read_to_string(committed).is_ok_and(|text| text == header) {
        return;
    }
    // Only a developer who changed the ABI comes here. A source tree that is
    // read-only builds all the same, with the header it has.
    if let Err(error) = fs::write(committed, header) {
        println!("cargo:warning=include/zelf.h is out of date and cannot be written: {error}");
    }
}

fn link() {
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // Thread-local destructors of a host's threads may run long after
        // dlclose: the code has to stay.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // The number changes when a program linked to an older one would not
        // run any more, and only then: docs/abi.md.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libzelf.so.0");
    }
}

fn header() -> String {
    let mut header = read("src/ffi/header_top.h");
    for (title, file) in SECTIONS {
        header.push_str(&format!(
            "\n/* ---- {title} {} */\n\n",
            "-".repeat(68 - title.len())
        ));
        if file == "version" {
            header.push_str(&version_macros());
        }
        header.push_str(&declarations(file));
    }
    header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* ZELF_H */\n");
    header
}

fn version_macros() -> String {
    let part = |name: &str| env::var(format!("CARGO_PKG_VERSION{name}")).unwrap_or_default();
    format!(
        "/* The version of this header. */\n\
         #define ZELF_VERSION \"{}\"\n\
         #define ZELF_VERSION_MAJOR {}\n\
         #define ZELF_VERSION_MINOR {}\n\
         #define ZELF_VERSION_PATCH {}\n\n",
        part(""),
        part("_MAJOR"),
        part("_MINOR"),
        part("_PATCH"),
    )
}

fn declarations(file: &str) -> String {
    let config = Config::from_file("cbindgen.toml").expect("cbindgen.toml is valid");
    let bindings = Builder::new()
        .with_config(config)
        .with_src(format!("src/ffi/{file}.rs"))
        .generate()
        .unwrap_or_else(|error| panic!("src/ffi/{file}.rs: {error}"));
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).expect("cbindgen writes UTF-8");
    one_line_comments(text.trim()) + "\n"
}

/// A comment of one sentence takes one line.
fn one_line_comments(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.as_slice() {
            [.., open, said] if line == " */" && open == "/**" && said.len() < 85 => {
                let comment = format!("/** {} */", said.trim_start_matches(" * "));
                lines.truncate(lines.len() - 2);
                lines.push(comment);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
