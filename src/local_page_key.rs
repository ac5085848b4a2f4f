//! The key that the page sends when it is opened as a file.
//!
//! Browsers give a local file the origin `null`, and sandboxed frames of any web site too. The key is in a script beside
//! the page: any file opened from this disk by its owner can load it, a web site can't.

use papo::auth::{PasswordHash, random_key};
use papo::os_error::describe;
use papo::platform;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The script with the key, beside the page.
const KEY_FILE: &str = "chave.js";
/// Before the key; works whether the page's own scripts are loaded earlier or later.
const PREFIX: &str = "(globalThis.Papo ??= {}).key = \"";
/// After the key.
const SUFFIX: &str = "\";\n";

/// More than any script with a key has, in bytes.
const MAX_SCRIPT: u64 = 1024;

/// The key of the page in this folder, created if there is none, or if what is there may be from another account. `None`
/// without a page or with an unusable key file; then no page opened as a file can enter.
pub fn load_or_create(folder: &Path) -> Option<PasswordHash> {
    if !folder.join("main.html").is_file() {
        return None;
    }
    let key = match platform::open_trusted(&folder.join(KEY_FILE)) {
        Ok(Some(file)) => read(file),
        Ok(None) => replace(folder).and_then(|()| read_created(folder)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create(folder).and_then(|()| read_created(folder))
        }
        Err(error) => Err(error),
    };
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

fn read_created(folder: &Path) -> io::Result<PasswordHash> {
    let exposed = "as outras contas podem mudar o que está nessa pasta";
    match platform::open_trusted(&folder.join(KEY_FILE))? {
        Some(file) => read(file),
        None => Err(io::Error::new(ErrorKind::PermissionDenied, exposed)),
    }
}

fn read(file: File) -> io::Result<PasswordHash> {
    let mut script = String::new();
    file.take(MAX_SCRIPT).read_to_string(&mut script)?;
    let key = script
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    let key = key.filter(|key| key.len() >= 32 && key.bytes().all(|b| b.is_ascii_hexdigit()));
    key.map(PasswordHash::of)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "apague-o, e ele será feito de novo"))
}

/// Links a new file: of two servers that start together one wins, and both read its key.
fn create(folder: &Path) -> io::Result<()> {
    let temporary = write_temporary(folder)?;
    let linked = fs::hard_link(&temporary, folder.join(KEY_FILE));
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Puts a new file in place of what is there. A link is replaced, and what it leads to is left alone.
fn replace(folder: &Path) -> io::Result<()> {
    let path = folder.join(KEY_FILE);
    let temporary = write_temporary(folder)?;
    fs::rename(&temporary, &path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    log::warn!(
        "O arquivo {} era um atalho, ou outras contas podiam mudá-lo. Ele foi trocado por um novo.",
        path.display()
    );
    Ok(())
}

fn write_temporary(folder: &Path) -> io::Result<PathBuf> {
    let temporary = folder.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let key = random_key().map_err(io::Error::other)?;
    // Readable only by the account that runs the server, which opens the page too.
    let mut file =
        platform::owner_only(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
    write!(file, "{PREFIX}{key}{SUFFIX}").inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
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

    /// The key that the page and the server share.
    fn key_beside(folder: &Path) -> Option<String> {
        let hash = load_or_create(folder)?;
        let script = fs::read_to_string(folder.join(KEY_FILE)).unwrap();
        let key = script.split('"').nth(1).unwrap();
        assert!(hash.matches(key), "{script}");
        assert!(!folder.join(KEY_FILE).is_symlink());
        Some(key.to_owned())
    }

    #[test]
    fn key_that_others_may_have_written_is_replaced() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(folder.path().join("main.html"), "").unwrap();
        let foreign = format!("{PREFIX}{}{SUFFIX}", "ab".repeat(16));
        for mode in [0o666, 0o620] {
            fs::write(&path, &foreign).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_ne!(key_beside(folder.path()).unwrap(), "ab".repeat(16));
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn link_is_replaced_and_its_target_left_alone() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(folder.path().join("main.html"), "").unwrap();
        let target = folder.path().join("alvo");
        let foreign = format!("{PREFIX}{}{SUFFIX}", "ab".repeat(16));
        fs::write(&target, &foreign).unwrap();
        symlink("alvo", &path).unwrap();
        assert_ne!(key_beside(folder.path()).unwrap(), "ab".repeat(16));
        assert_eq!(fs::read_to_string(&target).unwrap(), foreign);
        fs::remove_file(&path).unwrap();
        symlink("nada", &path).unwrap();
        assert!(key_beside(folder.path()).is_some());
        assert!(!folder.path().join("nada").exists());
    }

    #[test]
    fn folder_in_place_of_the_key_means_no_key() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("main.html"), "").unwrap();
        fs::create_dir(folder.path().join(KEY_FILE)).unwrap();
        assert!(load_or_create(folder.path()).is_none());
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "something is left over");
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
