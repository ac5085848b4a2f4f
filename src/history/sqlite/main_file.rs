//! The database file alone, read as if no journal lay beside it.

use super::file_format::{Header, WAL, has_content};
use super::file_names::with_suffix;
use super::journal_mark::{self, Mark};
use super::wal;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// Whose a write-ahead log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It continues this file, or nothing is committed in it.
    Own,
    /// It continues another database, or another state of this one.
    Other,
    /// It does not say: it was written by a version without marks, or by another program.
    Unknown,
}

/// Opens the file without its journals. Only for files that no server uses.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let path = percent_encoded(path.as_os_str());
    Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)
}

/// Whether every page of the file is as it should be, which takes about a second for each 100 MiB.
pub(super) fn is_sound(path: &Path) -> bool {
    open(path).and_then(|file| quick_check(&file)).is_ok()
}

/// Checks every page.
pub(super) fn quick_check(connection: &Connection) -> rusqlite::Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    log::debug!("quick_check: {verdict}");
    Err(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(verdict),
    ))
}

/// The number of tables in the file; `None` if it can't be read.
pub(super) fn count_tables(path: &Path) -> Option<u32> {
    let file = open(path).ok()?;
    file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .ok()
}

/// Whose the write-ahead log beside a file with pages of this size is.
pub(super) fn judge_wal(path: &Path, page_size: usize) -> io::Result<Origin> {
    let wal_path = with_suffix(path, WAL);
    if !has_content(&wal_path) {
        return Ok(Origin::Own);
    }
    let mark = open(path).ok().and_then(|file| Mark::read(&file));
    let committed = wal::read_committed(&wal_path, mark.as_ref().map_or(0, |mark| mark.page))?;
    if committed.page_size == 0 {
        return Ok(Origin::Own);
    }
    if committed.page_size != page_size {
        return Ok(Origin::Other);
    }
    let Some(mark) = mark else {
        return Ok(Origin::Unknown);
    };
    let mut versions = committed.versions.iter();
    if versions.any(|page| mark.id.is_named_in(page)) {
        return Ok(Origin::Own);
    }
    let other = committed
        .versions
        .iter()
        .any(|page| journal_mark::is_in(page));
    Ok(if other {
        Origin::Other
    } else {
        Origin::Unknown
    })
}

/// Whether the write-ahead log beside a file may be applied to it, also while a server changes both.
pub(super) fn may_apply_wal(path: &Path, header: &Header) -> io::Result<bool> {
    if !header.wal_mode {
        return Ok(!has_content(&with_suffix(path, WAL)));
    }
    let state = || open(path).ok().and_then(|file| Mark::read(&file));
    loop {
        let before = state();
        if judge_wal(path, header.page_size)? != Origin::Other {
            return Ok(true);
        }
        // A checkpoint in between would make a log that is its own look like another's.
        if state() == before {
            return Ok(false);
        }
    }
}

/// A path as the part of a URI: SQLite decodes any byte.
fn percent_encoded(path: &OsStr) -> String {
    let mut encoded = String::new();
    for byte in path.as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                encoded.push(char::from(*byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
