//! The structure of the core: which module imports which.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Returns the modules of the core by path (`connect::tls`). Each has its imports, and its text
/// without tests and comments.
fn modules() -> BTreeMap<String, Module> {
    modules_in("src")
}

/// Does the same for another folder, named from that of the core.
fn modules_in(folder: &str) -> BTreeMap<String, Module> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    collect(&source, &mut files);
    let names: BTreeSet<String> = files.iter().map(|file| name_of(&source, file)).collect();
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let code: String = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap_or_default()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            let imports = imports(&code, &names);
            (name_of(&source, file), Module { code, imports })
        })
        .collect()
}

struct Module {
    code: String,
    imports: BTreeSet<String>,
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

fn name_of(source: &Path, file: &Path) -> String {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let parts: Vec<_> = path
        .iter()
        .filter_map(|part| part.to_str())
        .filter(|part| *part != "mod" && *part != "lib")
        .collect();
    parts.join("::")
}

/// Returns the modules that `code` names after `crate::`, in a `use` with braces or inline.
fn imports(code: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        expand("", rest, &mut |path| {
            // Take the longest prefix of the path that is a module.
            let parts: Vec<_> = path.split("::").collect();
            let module = (1..=parts.len())
                .rev()
                .map(|count| parts[..count].join("::"))
                .find(|path| names.contains(path));
            found.extend(module);
        });
    }
    found
}

/// Calls `found` with each path of a tree such as `a::{b::C, d}`. Returns the text after the tree.
fn expand<'a>(before: &str, tree: &'a str, found: &mut dyn FnMut(&str)) -> &'a str {
    let end = tree
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')))
        .unwrap_or(tree.len());
    let path = format!("{before}{}", &tree[..end]);
    let mut rest = &tree[end..];
    let Some(inner) = rest.strip_prefix('{') else {
        found(path.trim_end_matches(':'));
        return rest;
    };
    rest = inner;
    loop {
        rest = rest.trim_start_matches([' ', '\n', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return after;
        }
        let after = expand(&path, rest, found);
        assert_ne!(after.len(), rest.len(), "a tree of imports: {rest:.40}");
        rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || c == ' ');
    }
}

fn top(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// Returns a path from `from` back to itself.
fn cycle<'a>(graph: &'a BTreeMap<String, BTreeSet<String>>, from: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in graph.get(*way.last()?).into_iter().flatten() {
            if next == from {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push([&way[..], &[next]].concat());
            }
        }
    }
    None
}

fn assert_no_cycle(graph: &BTreeMap<String, BTreeSet<String>>) {
    for module in graph.keys() {
        let cycle = cycle(graph, module);
        assert!(cycle.is_none(), "a cycle of imports: {cycle:?}");
    }
}

#[test]
fn no_module_imports_what_imports_it() {
    let graph: BTreeMap<String, BTreeSet<String>> = modules()
        .into_iter()
        .map(|(name, module)| (name, module.imports))
        .collect();
    assert!(graph["client"].contains("context"), "imports are found");
    assert_no_cycle(&graph);
}

#[test]
fn no_folder_imports_a_folder_that_imports_it() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, module) in modules() {
        let here = graph.entry(top(&name).to_owned()).or_default();
        let there = module.imports.iter().map(|import| top(import).to_owned());
        here.extend(there.filter(|import| import != top(&name)));
    }
    assert!(graph["blocking"].contains("connect"), "imports are found");
    assert_no_cycle(&graph);
}

#[test]
fn modules_that_decide_import_no_socket_clock_thread_or_runtime() {
    const FORBIDDEN: [&str; 12] = [
        "std::net",
        "std::thread",
        "std::fs",
        "std::env",
        "std::process",
        "tokio",
        "socket2",
        "libc",
        "rustls",
        "Instant",
        "SystemTime::now",
        "thread_local!",
    ];
    const PURE: [&str; 4] = ["create", "send", "api", "http"];
    const DRIVERS: [&str; 6] = [
        "blocking",
        "background",
        "connect",
        "context",
        "environment",
        "host",
    ];
    let mut checked = 0;
    for (name, module) in modules() {
        if !PURE.contains(&top(&name)) {
            continue;
        }
        checked += 1;
        for word in FORBIDDEN {
            assert!(!module.code.contains(word), "{name} has {word}");
        }
        let drivers = module
            .imports
            .iter()
            .find(|import| DRIVERS.contains(&top(import)));
        assert_eq!(drivers, None, "{name} imports a driver");
    }
    assert!(checked > 12, "only {checked} modules were found");
}

#[test]
fn unsafe_code_stands_in_host_only() {
    for (name, module) in modules() {
        let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
            .iter()
            .any(|word| module.code.contains(word));
        assert!(
            !has_unsafe || top(&name) == "host",
            "{name} has unsafe code"
        );
    }
}

#[test]
fn differences_between_systems_stand_in_host_and_trust() {
    const WORDS: [&str; 8] = [
        "target_os",
        "target_vendor",
        "target_env",
        "(unix",
        "(not(unix",
        "(windows",
        "std::os::",
        "libc::",
    ];
    for (name, module) in modules() {
        if top(&name) == "host" || name.starts_with("connect::trust") || name.ends_with("::tests") {
            continue;
        }
        for word in WORDS {
            assert!(!module.code.contains(word), "{name} has {word}");
        }
    }
    for (name, module) in modules_in("../src") {
        // The functions of one system are in its file. libc has the types of C for all systems.
        if name == "ffi::android" {
            continue;
        }
        for word in &WORDS[..7] {
            assert!(!module.code.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn a_cycle_would_be_found() {
    let names: BTreeSet<String> = ["a", "a::b", "c"].map(str::to_owned).into();
    let found = imports(
        "use crate::{\n    a::{b::Thing, Other},\n    c,\n};",
        &names,
    );
    assert_eq!(found, names);
    let graph = BTreeMap::from([
        ("a".to_owned(), BTreeSet::from(["b".to_owned()])),
        ("b".to_owned(), BTreeSet::from(["c".to_owned()])),
        ("c".to_owned(), BTreeSet::from(["a".to_owned()])),
    ]);
    assert_eq!(cycle(&graph, "a"), Some(vec!["a", "b", "c"]));
}
