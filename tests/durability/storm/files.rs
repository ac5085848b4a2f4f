//! The files of a dead server's log: what they hold, and what happens to them.

use crate::consistency::stored_entries;
use crate::log_entry::LogEntry;
use rusqlite::{Connection, OptionalExtension};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a log's file holds.
#[derive(Debug, Clone, Default)]
pub struct StoredLog {
    /// `None` in an empty file.
    pub epoch: Option<String>,
    /// It says of itself that it is a copy.
    pub is_copy: bool,
    pub entries: Vec<LogEntry>,
}

/// The files of one log.
pub struct LogFiles {
    pub log: PathBuf,
}

impl LogFiles {
    /// The file with this ending beside the log.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.log.clone().into_os_string();
        name.push(ending);
        name.into()
    }

    /// What the log holds, read from a copy: nothing is changed.
    pub fn read(&self) -> StoredLog {
        let side = TempDir::new().unwrap();
        let copy = self.save(side.path());
        copy.read_sound().expect("a dead server leaves a sound log")
    }

    /// What the log would hold without its journal; `None` if the server died while it was moving the journal's pages
    /// into the file, which is no log without them.
    pub fn read_without_journal(&self) -> Option<StoredLog> {
        let side = TempDir::new().unwrap();
        let copy = self.save(side.path());
        remove_if_there(&copy.beside("-wal"));
        copy.read_sound()
    }

    /// Copies the file and its journal into a folder, as `cp` does.
    pub fn save(&self, folder: &Path) -> Self {
        let copy = Self {
            log: folder.join("guardado.db"),
        };
        copy_over(&self.log, &copy.log);
        copy_over(&self.beside("-wal"), &copy.beside("-wal"));
        copy
    }

    /// What a file of ours holds that nobody uses; it may be changed.
    pub fn read_sound(&self) -> Option<StoredLog> {
        if !self.log.exists() {
            return Some(StoredLog::default());
        }
        let mut log = read_meta(&self.log).ok().flatten()?;
        if log.epoch.is_some() {
            log.entries = stored_entries(&self.log);
        }
        Some(log)
    }
}

/// What a copy of a log holds.
pub fn read_copy(copy: &Path) -> StoredLog {
    let side = TempDir::new().unwrap();
    let copy = LogFiles { log: copy.into() };
    let copy = copy.save(side.path());
    copy.read_sound().expect("a copy is sound")
}

/// The epoch of a sound file; `None` if it is damaged.
fn read_meta(path: &Path) -> rusqlite::Result<Option<StoredLog>> {
    let connection = Connection::open(path)?;
    let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    if text("PRAGMA integrity_check(1)")? != "ok" {
        return Ok(None);
    }
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Some(StoredLog::default()));
    }
    let counts = "SELECT (SELECT count(*) FROM entries) = (SELECT count(*) FROM ids) AND
                  (SELECT count(*) FROM entries) = (SELECT coalesce(sum(seq), 0) FROM rooms)";
    if !connection.query_row(counts, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let epoch = text("SELECT value FROM meta WHERE name = 'epoch'").optional()?;
    let copy = text("SELECT value FROM meta WHERE name = 'copy'").optional()?;
    Ok(Some(StoredLog {
        epoch,
        is_copy: copy.is_some(),
        entries: Vec::new(),
    }))
}

/// Writes one file over another, as `cp` does; where the first is missing the second is gone.
pub fn copy_over(from: &Path, to: &Path) {
    match fs::copy(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => remove_if_there(to),
        copied => {
            copied.unwrap();
        }
    }
}

pub fn remove_if_there(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        removed => removed.unwrap(),
    }
}
