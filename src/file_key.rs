//! The key that a page opened as a file shows, so that no other page with the same origin gets in.
//!
//! Browsers give a file the origin `null`, and the same to a sandboxed frame of any web site. What only the former can do
//! is load a script that lies beside it on this disk; that is where the key is.

use papo::identity::{PasswordHash, random_key};
use papo::reasons::reason;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The script beside the page.
const FILE: &str = "chave.js";
/// Around the key in it; the page is made before or after it, whichever is loaded first.
const BEFORE: &str = "(globalThis.Papo ??= {}).key = \"";
const AFTER: &str = "\";\n";
/// Only for the account that runs the server and opens the page.
const MODE: u32 = 0o600;

/// The key of the page in this folder, made now if it has none yet. `None` where no page lies.
pub fn find(folder: &Path) -> Option<PasswordHash> {
    if !folder.join("main.html").is_file() {
        return None;
    }
    let key = read(folder).or_else(|error| match error.kind() {
        ErrorKind::NotFound => make(folder).and_then(|()| read(folder)),
        _ => Err(error),
    });
    key.inspect_err(|error| {
        let path = folder.join(FILE);
        log::warn!(
            "A página aberta como arquivo não poderá entrar: {} não serve ({}).",
            path.display(),
            reason(error)
        );
    })
    .ok()
}

fn read(folder: &Path) -> io::Result<PasswordHash> {
    let script = fs::read_to_string(folder.join(FILE))?;
    let key = script
        .strip_prefix(BEFORE)
        .and_then(|rest| rest.strip_suffix(AFTER));
    let key = key.filter(|key| key.len() >= 32 && key.bytes().all(|b| b.is_ascii_hexdigit()));
    key.map(PasswordHash::of)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "apague-o, e ele será feito de novo"))
}

/// Written aside and put in its place whole: of two servers that start at the same time, both read the same key.
fn make(folder: &Path) -> io::Result<()> {
    let aside = folder.join(format!(".{FILE}.{}", std::process::id()));
    let key = random_key().map_err(io::Error::other)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&aside)?;
    let placed = write!(file, "{BEFORE}{key}{AFTER}")
        .and_then(|()| fs::hard_link(&aside, folder.join(FILE)));
    fs::remove_file(&aside)?;
    match placed {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};
    use std::os::unix::fs::PermissionsExt;

    /// A folder of its own, gone with the test.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            // A number of the process may come again, in another container too, where an earlier one left its folder.
            let folder = std::env::temp_dir().join(format!(
                "papo-key-{:016x}",
                RandomState::new().hash_one(name)
            ));
            fs::create_dir(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn where_no_page_lies_there_is_no_key_and_no_file() {
        let folder = Folder::new("none");
        assert!(find(&folder.0).is_none());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }

    #[test]
    fn the_key_is_made_once_for_the_owner_alone() {
        let folder = Folder::new("once");
        fs::write(folder.0.join("main.html"), "").unwrap();
        let first = find(&folder.0).unwrap();
        let script = fs::read_to_string(folder.0.join(FILE)).unwrap();
        let key = script.split('"').nth(1).unwrap();
        assert!(first.matches(key), "{script}");
        assert_eq!(
            fs::metadata(folder.0.join(FILE))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            MODE
        );
        assert_eq!(find(&folder.0), Some(first));
        assert_eq!(
            fs::read_dir(&folder.0).unwrap().count(),
            2,
            "something is left over"
        );
    }

    #[test]
    fn a_broken_key_file_opens_nothing_and_is_left_alone() {
        let folder = Folder::new("broken");
        fs::write(folder.0.join("main.html"), "").unwrap();
        fs::write(folder.0.join(FILE), "alert(1)").unwrap();
        assert!(find(&folder.0).is_none());
        assert_eq!(fs::read_to_string(folder.0.join(FILE)).unwrap(), "alert(1)");
    }
}
