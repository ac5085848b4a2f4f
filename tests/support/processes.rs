//! Where the system tells of the programs that a test started.

use std::path::{Path, PathBuf};

/// The folder in which the system tells of a child of ours. Its numbers may be those of the processes outside of the
/// container that we are in: then the child is found by what it is called there and by us, its parent.
pub fn folder_of(child: u32) -> PathBuf {
    let proc = Path::new("/proc");
    let us = std::fs::read_link(proc.join("self")).unwrap_or_default();
    let own = std::process::id().to_string();
    if us.as_os_str().is_empty() || us.as_os_str() == own.as_str() {
        return proc.join(child.to_string());
    }
    let ours = format!("PPid:\t{}", us.display());
    let name = format!("\t{child}");
    let is_it = |folder: &PathBuf| {
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        let named = |line: &str| line.starts_with("NSpid:") && line.ends_with(&name);
        status.lines().any(|line| line == ours) && status.lines().any(named)
    };
    let mut folders = std::fs::read_dir(proc)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    folders
        .find(is_it)
        .expect("the system tells of every child")
}
