//! The key that the page sends when it is opened as a file.
//!
//! Browsers give a local file the origin `null`, and sandboxed frames of any web site too. The key is in a script beside
//! the page: any file opened from this disk by its owner can load it, a web site can't.

use papo::auth::{PasswordHash, random_key};
use papo::os_error::describe;
use papo::platform;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The script with the key, beside the page.
const KEY_FILE: &str = "chave.js";
/// Before the key; works whether the page's own scripts are loaded earlier or later.
const PREFIX: &str = "(globalThis.Papo ??= {}).key = \"";
/// After the key.
const SUFFIX: &str = "\";\n";

/// The key of the page in this folder, created if there is none. `None` without a page or with an unusable key file; then
/// no page opened as a file can enter.
pub fn load_or_create(folder: &Path) -> Option<PasswordHash> {
    if !folder.join("main.html").is_file() {
        return None;
    }
    let key = read(folder).or_else(|error| match error.kind() {
        ErrorKind::NotFound => create(folder).and_then(|()| read(folder)),
        _ => Err(error),
    });
    key.inspect_err(|error| {
        let path = folder.join(KEY_FILE);
        log::warn!(
            "A página aberta como arquivo não poderá entrar: {} não serve ({}).",
            path.display(),
            describe(error)
        );
    })
    .ok()
}

fn read(folder: &Path) -> io::Result<PasswordHash> {
    let script = fs::read_to_string(folder.join(KEY_FILE))?;
    let key = script
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    let key = key.filter(|key| key.len() >= 32 && key.bytes().all(|b| b.is_ascii_hexdigit()));
    key.map(PasswordHash::of)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "apague-o, e ele será feito de novo"))
}

/// Writes a temporary file and links it: two servers that start together read the same key.
fn create(folder: &Path) -> io::Result<()> {
    let temporary = folder.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let key = random_key().map_err(io::Error::other)?;
    // Readable only by the account that runs the server, which opens the page too.
    let mut file =
        platform::owner_only(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
    let linked = write!(file, "{PREFIX}{key}{SUFFIX}")
        .and_then(|()| fs::hard_link(&temporary, folder.join(KEY_FILE)));
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    #[test]
    fn no_key_is_created_without_a_page() {
        let folder = TempDir::new().unwrap();
        assert!(load_or_create(folder.path()).is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn key_is_created_once_and_readable_by_the_owner_only() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("main.html"), "").unwrap();
        let first = load_or_create(folder.path()).unwrap();
        let script = fs::read_to_string(folder.path().join(KEY_FILE)).unwrap();
        let key = script.split('"').nth(1).unwrap();
        assert!(first.matches(key), "{script}");
        assert_eq!(
            fs::metadata(folder.path().join(KEY_FILE))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
        assert_eq!(load_or_create(folder.path()), Some(first));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "something is left over"
        );
    }

    #[test]
    fn malformed_key_file_is_rejected_and_left_untouched() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("main.html"), "").unwrap();
        fs::write(folder.path().join(KEY_FILE), "alert(1)").unwrap();
        assert!(load_or_create(folder.path()).is_none());
        assert_eq!(
            fs::read_to_string(folder.path().join(KEY_FILE)).unwrap(),
            "alert(1)"
        );
    }
}
