//! What the documents name exists: paths, links, and the types of the map.

use crate::mirror::read_file;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the repository that documents speak of.
const FOLDERS: [&str; 9] = [
    ".ci", "benches", "client", "docs", "examples", "fuzz", "html", "src", "tests",
];
/// Paths that come into being only when a program runs.
const MADE_AT_RUN_TIME: [&str; 1] = ["html/chave.js"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every document with its text, as paths from the root.
fn documents() -> Vec<(String, String)> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_string_lossy()))
        .collect();
    names.extend(
        [
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "SECURITY.md",
        ]
        .map(Into::into),
    );
    names.retain(|name| name.ends_with(".md"));
    names
        .into_iter()
        .map(|name| {
            let text = read_file(&name);
            (name, text)
        })
        .collect()
}

/// What stands in backticks, blocks of code left out.
fn code_spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(str::lines)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// The targets of Markdown links.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect()
}

fn is_repository_path(span: &str) -> bool {
    let first = span.split('/').next().unwrap_or_default();
    FOLDERS.contains(&first) && !span.contains([' ', '…', '*'])
}

/// All Rust code, as one text.
fn code() -> String {
    let mut folders = vec![root().join("src"), root().join("client")];
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                code += &fs::read_to_string(path).unwrap();
            }
        }
    }
    code
}

#[test]
fn paths_named_in_documents_exist() {
    for (document, text) in documents() {
        let paths = code_spans(&text)
            .into_iter()
            .filter(|span| is_repository_path(span) && !MADE_AT_RUN_TIME.contains(span));
        for path in paths {
            assert!(root().join(path).exists(), "{document} names {path}");
        }
        let folder = root().join(&document);
        for link in links(&text) {
            let target = folder.parent().unwrap().join(link);
            assert!(target.exists(), "{document} links to {link}");
        }
    }
}

#[test]
fn types_named_in_the_map_exist() {
    let code = code();
    let text = read_file("docs/ARCHITECTURE.md");
    let is_word = |segment: &str| {
        segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let names = code_spans(&text)
        .into_iter()
        .filter(|span| span.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter(|span| span.split("::").all(is_word));
    let mut count = 0;
    for name in names {
        for segment in name.split("::") {
            assert!(code.contains(segment), "no {segment} of {name} in the code");
        }
        count += 1;
    }
    assert!(count > 20, "the map names types");
}

#[test]
fn readme_fits_on_one_page() {
    let readme = read_file("README.md");
    assert!(readme.lines().count() <= 100);
    for line in readme.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn usage_page_shows_the_help_of_the_server() {
    let page = read_file("docs/usar.md");
    assert!(
        page.contains(&papo::config::help()),
        "paste the output of `servidor --ajuda`"
    );
}
