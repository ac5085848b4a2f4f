//! The shape of the code, read from its own tokens: imports point one way.
//!
//! Read are all paths that begin with `crate`, `super` or `self`, in `use` lines (grouped ones too) and anywhere else;
//! what is compiled only for tests is left out. Methods of a shared type are no imports: files of `chat/` may call each
//! other's methods of `Chat` without naming each other.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The library's modules from the ground up: each may use those before it and none after it.
const LAYERS: [&str; 21] = [
    "os_error",
    "platform",
    "rate",
    "pt",
    "text",
    "ids",
    "stats",
    "name",
    "protocol",
    "auth",
    "ws",
    "admission",
    "fanout",
    "history",
    "password_thread",
    "chat",
    "hub",
    "server",
    "cli",
    "config",
    "testing",
];

/// Folders in which no files import each other in a circle, other than through a `mod.rs`.
const FOLDERS_WITHOUT_CIRCLES: [&str; 4] = ["chat", "fanout", "history", "server"];

/// The client's modules from the ground up; its `main.rs` may use all of them.
const CLIENT_LAYERS: [&str; 5] = ["net", "app", "ui", "options", "run"];

/// What must never be seen in the pure rules of the conversation.
const FORBIDDEN_IN_CHAT: [&str; 7] = [
    "std::net",
    "std::io",
    "std::fs",
    "Instant::now",
    "SystemTime",
    "println!",
    "tungstenite",
];

/// What only Unix has; it stands in `src/platform.rs` alone.
const UNIX_ONLY: [&str; 8] = [
    "std::os::",
    "rustix",
    "nix::",
    "signal_hook",
    "ctrlc",
    "cfg(unix)",
    "\"/proc",
    "\"/sys",
];

type ModulePath = Vec<String>;

/// One source file of a crate.
struct SourceFile {
    path: PathBuf,
    module: ModulePath,
    /// Absolute paths within the crate.
    imports: Vec<ModulePath>,
}

impl SourceFile {
    fn is_mod_rs(&self) -> bool {
        self.path.ends_with("mod.rs")
    }

    /// Its text, inline tests left out.
    fn code(&self) -> String {
        let text = fs::read_to_string(&self.path).unwrap();
        let tests = text.find("#[cfg(test)]\nmod tests {");
        text[..tests.unwrap_or(text.len())].to_owned()
    }

    /// The outermost module that it belongs to; `None` for the crate's root.
    fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }
}

/// What a file's tokens say, tests left out.
#[derive(Default)]
struct Tokens {
    /// Paths as they are written.
    paths: Vec<ModulePath>,
    /// Modules in files of their own.
    modules: Vec<String>,
}

impl Tokens {
    fn read(text: &str) -> Self {
        let mut read = Self::default();
        read.read_stream(text.parse().expect("Rust tokens"));
        read
    }

    fn read_stream(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is_test_attribute(&tokens[at..]) {
                at = end_of_item(&tokens, at);
                continue;
            }
            match &tokens[at] {
                TokenTree::Group(group) => self.read_stream(group.stream()),
                TokenTree::Ident(word) if word == "mod" => self.read_module(&tokens[at + 1..]),
                TokenTree::Ident(word)
                    if ["crate", "super", "self"].contains(&word.to_string().as_str())
                        && is_separator(&tokens[at + 1..]) =>
                {
                    self.read_path(&tokens[at..], Vec::new());
                    // The words of this path are no beginning of another; its groups were read with it.
                    at = end_of_path(&tokens, at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn read_module(&mut self, rest: &[TokenTree]) {
        match rest {
            [TokenTree::Ident(name), TokenTree::Punct(end), ..] if end.as_char() == ';' => {
                self.modules.push(name.to_string());
            }
            [TokenTree::Ident(name), ..] => panic!("{name}: only tests may be inline modules"),
            _ => {}
        }
    }

    /// Reads a path, or all paths of a group, after what stands before it.
    fn read_path(&mut self, tokens: &[TokenTree], mut before: ModulePath) {
        match tokens.first() {
            Some(TokenTree::Ident(word)) if word == "self" && !before.is_empty() => {
                self.paths.push(before);
            }
            Some(TokenTree::Ident(word)) => {
                before.push(word.to_string());
                if is_separator(&tokens[1..]) {
                    self.read_path(&tokens[3..], before);
                } else {
                    self.paths.push(before);
                }
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inside.split(|token| is_punct(token, ',')) {
                    if !part.is_empty() {
                        self.read_path(part, before.clone());
                    }
                }
            }
            // A glob, or the arguments of a type.
            _ => self.paths.push(before),
        }
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is_punct(first, ':') && is_punct(second, ':'))
}

fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    match tokens {
        [sign, TokenTree::Group(group), ..] if is_punct(sign, '#') => {
            let text = group.stream().to_string().replace(' ', "");
            text == "cfg(test)" || text.starts_with("cfg(all(test,")
        }
        _ => false,
    }
}

/// The place after an item: after its semicolon or its body.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    };
    let length = tokens[start..].iter().position(ends);
    length.map_or(tokens.len(), |length| start + length + 1)
}

/// The place after a path and its group.
fn end_of_path(tokens: &[TokenTree], mut at: usize) -> usize {
    while is_separator(&tokens[at + 1..]) {
        at += 3;
    }
    at + 1
}

/// The absolute path of one that is written in a module.
fn resolve(module: &[String], written: &[String]) -> ModulePath {
    let mut path = match written[0].as_str() {
        "crate" => Vec::new(),
        _ => module.to_vec(),
    };
    for word in written {
        match word.as_str() {
            "crate" | "self" => {}
            "super" => drop(path.pop()),
            word => path.push(word.to_owned()),
        }
    }
    path
}

/// All files of a crate, found as the compiler finds them.
fn read_crate(root: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut files = Vec::new();
    let mut waiting = vec![(root.clone(), Vec::new())];
    while let Some((path, module)) = waiting.pop() {
        let read = Tokens::read(&fs::read_to_string(&path).unwrap());
        let parent = root
            .parent()
            .unwrap()
            .join(module.iter().collect::<PathBuf>());
        for name in &read.modules {
            let file = parent.join(format!("{name}.rs"));
            let in_folder = parent.join(name).join("mod.rs");
            let file = if file.exists() { file } else { in_folder };
            waiting.push((file, [&module[..], std::slice::from_ref(name)].concat()));
        }
        let imports = read.paths.iter().map(|path| resolve(&module, path));
        let imports = imports.collect();
        files.push(SourceFile {
            path,
            module,
            imports,
        });
    }
    files
}

/// The file in which the thing with this path is, or its module at least.
fn file_of<'a>(files: &'a [SourceFile], path: &[String]) -> &'a SourceFile {
    files
        .iter()
        .filter(|file| path.starts_with(&file.module))
        .max_by_key(|file| file.module.len())
        .expect("the crate's root is the beginning of every path")
}

#[track_caller]
fn assert_layers(files: &[SourceFile], layers: &[&str]) {
    let level = |file: &SourceFile| {
        let place = layers.iter().position(|layer| Some(*layer) == file.top());
        // The root is above all of them.
        place.unwrap_or(layers.len())
    };
    for file in files {
        for import in &file.imports {
            let used = file_of(files, import);
            assert!(
                level(used) <= level(file),
                "{} uses {}",
                file.path.display(),
                import.join("::")
            );
        }
    }
}

/// Which file imports which, `mod.rs` and the crate's root left out.
fn import_graph(
    files: &[SourceFile],
    is_in: impl Fn(&SourceFile) -> bool,
) -> BTreeMap<&Path, BTreeSet<&Path>> {
    let counts = |file: &SourceFile| !file.is_mod_rs() && !file.module.is_empty() && is_in(file);
    let mut graph = BTreeMap::new();
    for file in files.iter().filter(|file| counts(file)) {
        let used = file.imports.iter().map(|import| file_of(files, import));
        let others = used.filter(|used| counts(used) && used.path != file.path);
        let others: BTreeSet<&Path> = others.map(|used| used.path.as_path()).collect();
        graph.insert(file.path.as_path(), others);
    }
    graph
}

/// What is left of a graph when everything that only uses what is left out was left out: nothing, or a circle and what
/// leads to it.
fn circles<T: Ord + Copy>(mut graph: BTreeMap<T, BTreeSet<T>>) -> BTreeMap<T, BTreeSet<T>> {
    loop {
        let free = |uses: &BTreeSet<T>| !uses.iter().any(|used| graph.contains_key(used));
        let done = graph.iter().filter(|(_, uses)| free(uses));
        let done: Vec<T> = done.map(|(file, _)| *file).collect();
        if done.is_empty() {
            return graph;
        }
        graph.retain(|file, _| !done.contains(file));
    }
}

#[test]
fn every_module_is_listed_in_layers() {
    let files = read_crate("src/lib.rs");
    let modules: BTreeSet<&str> = files.iter().filter_map(SourceFile::top).collect();
    assert_eq!(modules, LAYERS.into_iter().collect());
}

#[test]
fn dependencies_point_one_way() {
    assert_layers(&read_crate("src/lib.rs"), &LAYERS);
}

#[test]
fn files_of_a_folder_import_in_no_circle() {
    let files = read_crate("src/lib.rs");
    for folder in FOLDERS_WITHOUT_CIRCLES {
        let graph = import_graph(&files, |file| file.top() == Some(folder));
        assert!(!graph.is_empty(), "{folder}");
        assert_eq!(circles(graph), BTreeMap::new(), "{folder}");
    }
}

#[test]
fn client_dependencies_point_one_way() {
    let files = read_crate("client/main.rs");
    let modules: BTreeSet<&str> = files.iter().filter_map(SourceFile::top).collect();
    assert_eq!(modules, CLIENT_LAYERS.into_iter().collect());
    assert_layers(&files, &CLIENT_LAYERS);
}

#[test]
fn client_files_import_in_no_circle() {
    let files = read_crate("client/main.rs");
    assert_eq!(circles(import_graph(&files, |_| true)), BTreeMap::new());
}

#[test]
fn chat_uses_no_sockets_files_or_clocks() {
    for file in read_crate("src/lib.rs") {
        if file.top() == Some("chat") {
            for forbidden in FORBIDDEN_IN_CHAT {
                assert!(
                    !file.code().contains(forbidden),
                    "{:?}: {forbidden}",
                    file.path
                );
            }
        }
    }
}

#[test]
fn only_one_file_knows_what_unix_alone_has() {
    let mut found = Vec::new();
    for root in ["src/lib.rs", "src/main.rs", "client/main.rs"] {
        for file in read_crate(root) {
            let code = file.code();
            if UNIX_ONLY.iter().any(|word| code.contains(word)) {
                found.push(file.module.join("::"));
            }
        }
    }
    assert_eq!(found, ["platform"]);
}

#[test]
fn reader_finds_grouped_relative_and_inline_paths() {
    let read = Tokens::read(
        r#"
        use crate::{a::B, c::{self, D as E, f::*}};
        pub(in crate::g) mod h;
        // crate::comment
        fn i() { let text = "crate::text"; self.j(super::k::L::<self::M>::new(), vec![crate::n::O]) }
        #[cfg(test)]
        use crate::tests_only;
        #[cfg(test)]
        mod tests { use crate::tests_only; }
        "#,
    );
    let written: Vec<String> = read.paths.iter().map(|path| path.join("::")).collect();
    let expected = [
        "crate::a::B",
        "crate::c",
        "crate::c::D",
        "crate::c::f",
        "crate::g",
        "super::k::L",
        "self::M",
        "crate::n::O",
    ];
    assert_eq!(written, expected);
    assert_eq!(read.modules, ["h"]);
    let words = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    let module = words("x::y");
    assert_eq!(resolve(&module, &words("super::k::L")), words("x::k::L"));
    assert_eq!(resolve(&module, &words("self::M")), words("x::y::M"));
    assert_eq!(resolve(&module, &words("crate::a::B")), words("a::B"));
}

#[test]
fn circle_is_found_and_a_ladder_is_none() {
    let graph = |edges: &[(u8, u8)]| {
        let mut graph: BTreeMap<u8, BTreeSet<u8>> = BTreeMap::new();
        for (file, used) in edges {
            graph.entry(*file).or_default().insert(*used);
            graph.entry(*used).or_default();
        }
        graph
    };
    assert!(circles(graph(&[(1, 2), (2, 3), (1, 3)])).is_empty());
    assert_eq!(circles(graph(&[(1, 2), (2, 3), (3, 2)])).len(), 3);
}
