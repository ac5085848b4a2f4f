//! The shape of the code, kept by reading it: dependencies point one way.

use std::fs;
use std::path::Path;

/// Each module may use those before it and none after it.
const LAYERS: [&str; 18] = [
    "os_error",
    "pt",
    "text",
    "cli",
    "ids",
    "stats",
    "rate",
    "name",
    "protocol",
    "auth",
    "ws",
    "admission",
    "fanout",
    "history",
    "chat",
    "hub",
    "server",
    "config",
];

/// What must never be seen in the part that decides.
const FORBIDDEN_IN_CORE: [&str; 7] = [
    "std::net",
    "std::io",
    "std::fs",
    "Instant::now",
    "SystemTime",
    "println!",
    "tungstenite",
];

/// All sources of a module with their contents, tests left out.
fn sources(module: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.join(module)];
    let single = root.join(format!("{module}.rs"));
    if single.exists() {
        found.push(single);
    }
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    let is_test = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str().to_string_lossy().contains("tests"))
    };
    found.retain(|path| !is_test(path.strip_prefix(&root).unwrap()));
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap()
            .to_owned();
        (path.display().to_string(), code)
    };
    found.into_iter().map(read).collect()
}

#[test]
fn every_module_is_listed_in_layers() {
    let library =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut modules: Vec<_> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let mut order = LAYERS.to_vec();
    modules.sort_unstable();
    order.sort_unstable();
    assert_eq!(modules, order);
}

#[test]
fn dependencies_point_one_way() {
    for (place, module) in LAYERS.iter().enumerate() {
        let files = sources(module);
        assert!(!files.is_empty(), "{module}");
        for (path, code) in files {
            for later in &LAYERS[place + 1..] {
                let used = code.contains(&format!("crate::{later}::"))
                    || code.contains(&format!("crate::{later};"));
                assert!(!used, "{path} uses {later}");
            }
        }
    }
}

#[test]
fn chat_core_uses_no_sockets_files_or_clocks() {
    for (path, code) in sources("chat") {
        for forbidden in FORBIDDEN_IN_CORE {
            assert!(!code.contains(forbidden), "{path} has {forbidden}");
        }
    }
}
