//! What the disk itself takes, and what SQLite's files tell from outside.

use super::process::new_folder;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A file on the disk of the histories.
pub struct SyncProbe {
    file: File,
    _folder: TempDir,
}

impl SyncProbe {
    /// An empty file.
    pub fn new() -> Self {
        let folder = new_folder();
        Self {
            file: File::create(folder.path().join("sync")).expect("a file"),
            _folder: folder,
        }
    }

    /// Appends so many bytes and waits until the disk has them (`fdatasync`).
    pub fn append(&mut self, bytes: usize) -> Duration {
        let start = Instant::now();
        let written = self.file.write_all(&vec![7; bytes]);
        written
            .and_then(|()| self.file.sync_data())
            .expect("the disk takes it");
        start.elapsed()
    }
}

/// SQLite's index of the write-ahead log of an open database. To be dropped after all of this process's connections to it:
/// closing it ends the locks that they hold on the same file.
pub struct JournalIndex(File);

/// What it says. See <https://sqlite.org/walformat.html>.
#[derive(Debug, Clone, Copy)]
pub struct Journal {
    /// Transactions since the index was made.
    pub transactions: u32,
    /// Frames in the log.
    pub frames: u32,
    /// How many of them are in the database already.
    pub copied: u32,
}

impl JournalIndex {
    /// Opens it beside this database.
    pub fn open(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-shm");
        Self(File::open(name).expect("the index of the journal"))
    }

    /// Reads it as it is now.
    pub fn read(&self) -> Journal {
        let number = |at| {
            let mut bytes = [0; 4];
            let read = self.0.read_exact_at(&mut bytes, at);
            read.expect("the index is readable");
            u32::from_ne_bytes(bytes)
        };
        Journal {
            transactions: number(8),
            frames: number(16),
            copied: number(96),
        }
    }
}

impl Journal {
    /// Bytes of pages that a checkpoint has still to copy, with SQLite's usual page.
    pub fn waiting_bytes(self) -> u64 {
        u64::from(self.frames.saturating_sub(self.copied)) * 4096
    }

    /// Whether everything that was in it at that time has been copied.
    pub fn has_copied(self, earlier: Self) -> bool {
        self.copied >= earlier.frames || self.frames < earlier.frames
    }
}

/// A reader that holds the state of the database at one moment: the journal can't be emptied until it is dropped.
pub struct Snapshot(#[allow(dead_code, reason = "held for its transaction")] Connection);

impl Snapshot {
    /// Begins to read.
    pub fn hold(database: &Path) -> Self {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("the history can be read");
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
            .expect("a read transaction");
        Self(connection)
    }
}
