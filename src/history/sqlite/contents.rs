//! Whether another program has written into the open files: `cp` over a file keeps its name and its identity.
//!
//! Only a checkpoint writes into the database, and SQLite's index of the log tells when one has run. The same index tells
//! how long the log must be, and how it begins.

use super::file_format::{FileKind, WAL};
use super::file_names::with_suffix;
use super::journal_mark::Mark;
use super::opening::Opened;
use super::wal_index::{WalIndex, WalState};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::SystemTime;

/// Bytes of the log's header and of a frame's header, and where the salts are in each.
const WAL_HEADER: u64 = 32;
const WAL_SALTS: u64 = 16;
const FRAME_HEADER: u64 = 24;
const FRAME_SALTS: u64 = 8;

/// The contents of an open database and of its log. Dropped after the connections.
pub(super) struct Contents {
    /// The file that is locked: closing another one would end the locks that SQLite holds on it.
    database: Arc<File>,
    wal: Option<File>,
    /// The log's salts and its number of frames when it was last found whole.
    last_frame: Option<([u8; 8], u32)>,
    /// Without it nothing is noticed.
    index: Option<WalIndex>,
    /// The page of the journal's mark, from 1; 0 if there is none.
    mark_page: u32,
    /// What the index says of attempted frames after a kill, when nothing was attempted yet.
    recovered: u32,
    seen: Option<Snapshot>,
    database_overwritten: bool,
    journal_overwritten: bool,
}

/// The database as it was seen last.
struct Snapshot {
    wal: WalState,
    length: u64,
    modified: SystemTime,
    /// It began as a database of ours with a write-ahead log does.
    is_ours: bool,
    /// The page of the mark.
    page: Vec<u8>,
}

impl Contents {
    /// Of a database that was just opened.
    pub(super) fn new(opened: &Opened) -> Self {
        let index = WalIndex::open(&opened.path).ok();
        let state = index.as_ref().and_then(|index| index.read().ok());
        let mut contents = Self {
            database: opened.lock.clone(),
            wal: File::open(with_suffix(&opened.path, WAL)).ok(),
            last_frame: None,
            index,
            recovered: state.map_or(0, |state| state.attempted),
            mark_page: Mark::read(&opened.connection).map_or(0, |mark| mark.page),
            seen: None,
            database_overwritten: false,
            journal_overwritten: false,
        };
        contents.refresh();
        contents
    }

    /// Whether the database is another than at the last refresh, and no checkpoint explains it.
    pub(super) fn database_overwritten(&self) -> bool {
        self.database_overwritten
    }

    /// Whether the log is shorter than it must be, or another one.
    pub(super) fn journal_overwritten(&self) -> bool {
        self.journal_overwritten
    }

    /// Reads both files again: a few system calls, and one page after a checkpoint.
    pub(super) fn refresh(&mut self) {
        let Some(Ok(wal)) = self.index.as_ref().map(WalIndex::read) else {
            return;
        };
        self.journal_overwritten = !self.is_journal_whole(wal);
        self.database_overwritten = match self.compare(wal) {
            Ok(same) => !same,
            Err(error) => {
                log::debug!("contents: {error}");
                self.database_overwritten
            }
        };
    }

    /// Checks the log's header and the last frame that was found whole: where a log was cut, the next
    /// commit leaves a hole before what it writes.
    fn is_journal_whole(&mut self, wal: WalState) -> bool {
        let Some(file) = self.wal.as_ref().filter(|_| wal.frames > 0) else {
            return true;
        };
        let last = match self.last_frame {
            Some((salts, frame)) if salts == wal.salts && frame <= wal.frames => frame,
            _ => wal.frames,
        };
        let frame_size = FRAME_HEADER + u64::from(wal.page_size);
        let needed = WAL_HEADER + u64::from(wal.frames) * frame_size;
        let frame_salts = WAL_HEADER + u64::from(last - 1) * frame_size + FRAME_SALTS;
        let has_salts = |at| read_salts(file, at).is_ok_and(|salts| salts == wal.salts);
        let is_whole = file
            .metadata()
            .is_ok_and(|metadata| metadata.len() >= needed)
            && has_salts(WAL_SALTS)
            && has_salts(frame_salts);
        if is_whole {
            self.last_frame = Some((wal.salts, wal.frames));
        }
        is_whole
    }

    /// Whether the database is what it was, or what a checkpoint has made of it.
    fn compare(&mut self, wal: WalState) -> io::Result<bool> {
        let metadata = self.database.metadata()?;
        let (length, modified) = (metadata.len(), metadata.modified()?);
        if let Some(seen) = &mut self.seen
            && (seen.length, seen.modified) == (length, modified)
        {
            seen.wal = wal;
            return Ok(true);
        }
        let now = Snapshot {
            wal,
            length,
            modified,
            is_ours: matches!(FileKind::read(&self.database)?, FileKind::Database(header) if header.ours && header.wal_mode),
            page: self.read_mark_page(wal.page_size)?,
        };
        // Until a checkpoint succeeds, each try writes some pages.
        let is_failing = wal.attempted != wal.copied && wal.attempted != self.recovered;
        let seen = self.seen.as_ref();
        let is_expected = seen.is_none_or(|seen| now.follows(seen, is_failing));
        if is_expected {
            self.seen = Some(now);
        }
        Ok(is_expected)
    }

    fn read_mark_page(&self, page_size: u32) -> io::Result<Vec<u8>> {
        let mut file = &*self.database;
        let page_size = u64::from(page_size);
        let before = u64::from(self.mark_page.saturating_sub(1)) * page_size;
        file.seek(SeekFrom::Start(before))?;
        let mut page = Vec::new();
        file.take(page_size).read_to_end(&mut page)?;
        Ok(page)
    }
}

fn read_salts(mut file: &File, at: u64) -> io::Result<[u8; 8]> {
    let mut salts = [0; 8];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut salts)?;
    Ok(salts)
}

impl Snapshot {
    /// Whether this can have become of an earlier one without another program; a failing checkpoint may have written too.
    /// The time alone tells nothing: `touch`.
    fn follows(&self, seen: &Self, is_failing: bool) -> bool {
        if seen.is_ours && !self.is_ours {
            return false;
        }
        let copied = |wal: WalState| (wal.copied, wal.attempted, wal.salts);
        let checkpointed = copied(self.wal) != copied(seen.wal);
        checkpointed || is_failing || (self.length == seen.length && self.page == seen.page)
    }
}
