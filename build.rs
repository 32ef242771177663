//! Writes the header from the doc comments of `src/ffi`, and passes linker options for the shared
//! library.

use std::{env, fs, path::Path};

use cbindgen::{Builder, Config};

/// The sections of the header, in the order of use, with their source files.
const SECTIONS: [(&str, &str); 17] = [
    ("Version", "version"),
    ("Status", "status"),
    ("Errors", "error"),
    ("Log", "log"),
    ("Configuration", "config"),
    ("Client", "client"),
    ("Android", "android"),
    ("Identifiers", "identifier"),
    ("Session options", "session_options"),
    ("Sessions", "session"),
    ("Asynchronous calls", "call"),
    ("Creating sessions", "create"),
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
    // The header only changes if a developer has changed the ABI. A read-only source tree can still
    // be built, with its own header.
    if let Err(error) = fs::write(committed, header) {
        println!(
            "cargo:warning=include/zelf.h is out of date and cannot be written: {error}; make it writable"
        );
    }
}

fn link() {
    let option = |option: &str| println!("cargo:rustc-cdylib-link-arg=-Wl,{option}");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => {
            stay_loaded(option);
            // The number only changes if programs that are linked to an older version no longer run
            // with the new one: see docs/abi.md.
            option("-soname,libzelf.so.0");
        }
        Ok("android") => {
            stay_loaded(option);
            // An APK contains files of the form lib*.so only.
            option("-soname,libzelf.so");
            // Devices with pages of 16 KiB exist since Android 15.
            option("-z,max-page-size=16384");
        }
        Ok("macos" | "ios") => {
            // The program's rpath says where the library is. Without this option it is the path on
            // the machine that built the library.
            option("-install_name,@rpath/libzelf.0.dylib");
            option(&format!(
                "-current_version,{}",
                env::var("CARGO_PKG_VERSION").unwrap_or_default()
            ));
            // Any library of this name has all that a program with the same number needs, or the
            // loader names what is missing.
            option("-compatibility_version,0.1.0");
        }
        _ => {}
    }
}

/// Keeps the code loaded after dlclose: thread-local destructors of the host's threads may run long
/// after it.
fn stay_loaded(option: impl Fn(&str)) {
    option("-z,nodelete");
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
        "/** The version of this header. */\n\
         #define ZELF_VERSION \"{}\"\n\n\
         /** Its first number. */\n\
         #define ZELF_VERSION_MAJOR {}\n\n\
         /** Its second number. */\n\
         #define ZELF_VERSION_MINOR {}\n\n\
         /** Its third number. */\n\
         #define ZELF_VERSION_PATCH {}\n\n",
        part(""),
        part("_MAJOR"),
        part("_MINOR"),
        part("_PATCH"),
    )
}

fn declarations(file: &str) -> String {
    let config = Config::from_file("cbindgen.toml").expect("cannot read cbindgen.toml");
    let bindings = Builder::new()
        .with_config(config)
        .with_src(format!("src/ffi/{file}.rs"))
        .generate()
        .unwrap_or_else(|error| panic!("cannot read the exports of src/ffi/{file}.rs: {error}"));
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).expect("cbindgen wrote text that is not UTF-8");
    one_line_comments(text.trim()) + "\n"
}

/// Puts each comment of one sentence on one line.
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
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}
