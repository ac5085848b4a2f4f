//! The beginning of a database file, read without SQLite.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// "PAPO": distinguishes these files from those of other programs.
pub(super) const APPLICATION_ID: u32 = 0x5041_504F;
/// The names of SQLite's own files, after the database's.
pub(super) const WAL: &str = "-wal";
/// The index of the log, which SQLite rebuilds.
pub(super) const SHM: &str = "-shm";
/// The rollback journal.
pub(super) const JOURNAL: &str = "-journal";
/// All of them: the files that SQLite may put beside a database.
pub(super) const COMPANIONS: [&str; 3] = [WAL, SHM, JOURNAL];

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of a database's header.
const HEADER: usize = 100;

/// What a file is, as far as its first bytes tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Nothing is in it.
    Empty,
    /// Something else than a database.
    Other,
    /// A database.
    Database(Header),
}

/// The part of a database's header that matters before SQLite opens it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Written by this program.
    pub ours: bool,
    /// Uses a write-ahead log; a copy does not.
    pub wal_mode: bool,
    /// Bytes of a page.
    pub page_size: usize,
}

impl FileKind {
    /// Reads the first bytes of an open file.
    pub(super) fn read(mut file: &File) -> io::Result<Self> {
        let mut bytes = Vec::with_capacity(HEADER);
        file.seek(SeekFrom::Start(0))?;
        file.take(HEADER as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(Self::Empty);
        }
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return Ok(Self::Other);
        }
        Ok(Self::Database(Header {
            ours: bytes[68..72] == APPLICATION_ID.to_be_bytes(),
            wal_mode: bytes[18] == 2 || bytes[19] == 2,
            // 65,536 does not fit into its two bytes and is written as 1.
            page_size: match usize::from(u16::from_be_bytes([bytes[16], bytes[17]])) {
                1 => 65536,
                size => size,
            },
        }))
    }
}

/// Whether a file is there and not empty.
pub(super) fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.len() > 0)
}
