//! The token that reserves this user's name, kept in the user's state folder.
//!
//! Knows one file; never knows names or servers, and never prints the token.

use papo::auth::random_hex;
use papo::platform;
use papo::protocol::Token;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Random bytes in a token: 256 bits, twice of what is needed.
const TOKEN_BYTES: usize = 32;

/// The token of this user. If it can't be stored, the one returned is for this run only.
///
/// # Errors
/// Only when the system gives no random numbers.
pub fn load_or_create() -> Result<Token, getrandom::Error> {
    let fresh = random_hex::<TOKEN_BYTES>()?;
    let stored = state_folder().and_then(|folder| load_or_store(&folder, &fresh).ok());
    Ok(stored
        .or_else(|| Token::new(&fresh))
        .expect("hexadecimal digits are a well-formed token"))
}

/// `$XDG_STATE_HOME/papo`, or its default. A relative path there is invalid and ignored, as the XDG specification asks.
fn state_folder() -> Option<PathBuf> {
    let state = absolute_path("XDG_STATE_HOME")
        .or_else(|| Some(absolute_path("HOME")?.join(".local/state")))?;
    Some(state.join("papo"))
}

fn absolute_path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Reads the token in this folder, or writes `fresh` there.
fn load_or_store(folder: &Path, fresh: &str) -> io::Result<Token> {
    let path = folder.join("token");
    if let Some(token) = read(&path) {
        return Ok(token);
    }
    platform::owner_only_dir(DirBuilder::new().recursive(true)).create(folder)?;
    // Written to another file and then linked: of two clients started at once one wins, and neither reads half a token.
    let temporary = folder.join(format!("token.{}", &fresh[..8]));
    let written = write(&temporary, fresh).and_then(|()| match fs::hard_link(&temporary, &path) {
        // The file holds no token: replace it.
        Err(_) if read(&path).is_none() => fs::rename(&temporary, &path),
        other => other,
    });
    // Also removes what a full disk left incomplete.
    let _ = fs::remove_file(&temporary);
    read(&path).ok_or_else(|| {
        written
            .err()
            .unwrap_or_else(|| io::ErrorKind::InvalidData.into())
    })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    platform::owner_only(OpenOptions::new().write(true).create_new(true))
        .open(path)?
        .write_all(text.as_bytes())
}

fn read(path: &Path) -> Option<Token> {
    let mut text = String::new();
    let file = File::open(path).ok()?;
    platform::restrict_to_owner(&file);
    file.take(2 * Token::MAX as u64)
        .read_to_string(&mut text)
        .ok()?;
    Token::new(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    fn stored_token(folder: &TempDir, fresh: &str) -> String {
        load_or_store(&folder.path().join("papo"), fresh)
            .unwrap()
            .expose_secret()
            .to_owned()
    }

    fn mode(folder: &TempDir, path: &str) -> u32 {
        let metadata = fs::metadata(folder.path().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    }

    #[test]
    fn token_is_kept_and_readable_only_by_its_owner() {
        let folder = TempDir::new().unwrap();
        let first = stored_token(&folder, &"a".repeat(64));
        assert_eq!(first, "a".repeat(64));
        assert_eq!(stored_token(&folder, &"b".repeat(64)), first);
        assert_eq!(
            (mode(&folder, "papo"), mode(&folder, "papo/token")),
            (0o700, 0o600)
        );
        assert_eq!(
            fs::read_dir(folder.path().join("papo")).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn file_without_a_token_is_replaced() {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("papo")).unwrap();
        fs::write(folder.path().join("papo/token"), "curto").unwrap();
        assert_eq!(stored_token(&folder, &"c".repeat(64)), "c".repeat(64));
        assert_eq!(mode(&folder, "papo/token"), 0o600);
    }

    #[test]
    fn directory_in_place_of_the_token_is_left_alone() {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("papo/token/algo")).unwrap();
        let before = mode(&folder, "papo/token");
        assert!(load_or_store(&folder.path().join("papo"), &"f".repeat(64)).is_err());
        assert_eq!(mode(&folder, "papo/token"), before);
        assert_eq!(fs::read_dir(folder.path().join("papo")).unwrap().count(), 1);
    }

    #[test]
    fn file_with_invalid_bytes_is_replaced() {
        for noise in [&b""[..], b"\xff\xfe\x00", &[b'a'; 10_000]] {
            let folder = TempDir::new().unwrap();
            fs::create_dir_all(folder.path().join("papo")).unwrap();
            fs::write(folder.path().join("papo/token"), noise).unwrap();
            assert_eq!(stored_token(&folder, &"c".repeat(64)), "c".repeat(64));
        }
    }

    #[test]
    fn loose_permissions_are_corrected() {
        let folder = TempDir::new().unwrap();
        stored_token(&folder, &"d".repeat(64));
        fs::set_permissions(
            folder.path().join("papo/token"),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        stored_token(&folder, &"e".repeat(64));
        assert_eq!(mode(&folder, "papo/token"), 0o600);
    }
}
