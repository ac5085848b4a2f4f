//! Whether another program has written into the open files: `cp` over a file keeps its name and its identity.
//!
//! Only a checkpoint writes into the database. This process counts its own, and SQLite's index of the log tells when
//! another has run. The same index tells how long the log must be, and how it begins.

use super::file_format::{FileKind, WAL};
use super::file_names::with_suffix;
use super::journal_mark::{self, Mark, MarkId};
use super::opening::Opened;
use super::passes::Passes;
use super::wal_index::{WalIndex, WalState};
use crate::platform::read_exact_at;
use std::fs::File;
use std::io;
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
    passes: Arc<Passes>,
    /// The page of the journal's mark, from 1; 0 if there is none.
    mark_page: u32,
    /// The newest mark in the log, if it was made here.
    newest_mark: Option<MarkId>,
    /// What the index says of attempted frames after a kill, when nothing was attempted yet.
    recovered: u32,
    seen: Option<Snapshot>,
    database_overwritten: bool,
    journal_overwritten: bool,
}

/// The database as it was seen last.
struct Snapshot {
    /// The log before the database was looked at.
    wal: WalState,
    /// How many of this process's passes had ended before.
    ended: u64,
    /// None of them was running.
    is_settled: bool,
    length: u64,
    modified: SystemTime,
    /// It began as a database of ours with a write-ahead log does.
    is_ours: bool,
    /// The page of the mark.
    page: Vec<u8>,
}

impl Contents {
    /// Of a database that was just opened, and that this process writes in these passes.
    pub(super) fn new(opened: &Opened, passes: Arc<Passes>) -> Self {
        let index = WalIndex::open(&opened.path).ok();
        let state = index.as_ref().and_then(|index| index.read().ok());
        let mut contents = Self {
            database: opened.lock.clone(),
            wal: File::open(with_suffix(&opened.path, WAL)).ok(),
            last_frame: None,
            index,
            passes,
            recovered: state.map_or(0, |state| state.attempted),
            mark_page: Mark::read(&opened.connection).map_or(0, |mark| mark.page),
            newest_mark: None,
            seen: None,
            database_overwritten: false,
            journal_overwritten: false,
        };
        contents.refresh(state);
        contents
    }

    /// The state of the log now; `None` if it can't be read.
    pub(super) fn read_wal(&self) -> Option<WalState> {
        self.index.as_ref()?.read().ok()
    }

    /// From the next commit on this is the newest mark; `None` if that is not known.
    pub(super) fn set_newest_mark(&mut self, id: Option<MarkId>) {
        self.newest_mark = id;
    }

    /// Whether the database is another than at the last refresh, and no checkpoint explains it.
    pub(super) fn database_overwritten(&self) -> bool {
        self.database_overwritten
    }

    /// Whether the log is shorter than it must be, or another one.
    pub(super) fn journal_overwritten(&self) -> bool {
        self.journal_overwritten
    }

    /// Looks at both files again, after the log was in this state: a few system calls, and one page after a checkpoint.
    pub(super) fn refresh(&mut self, wal: Option<WalState>) {
        let Some(wal) = wal else {
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
        // Before the file: a pass that ends from here on counts as running.
        let is_settled = !self.passes.is_running();
        let ended = self.passes.ended();
        let metadata = self.database.metadata()?;
        let (length, modified) = (metadata.len(), metadata.modified()?);
        if let Some(seen) = &mut self.seen
            && seen.is_settled
            && (seen.length, seen.modified) == (length, modified)
        {
            seen.wal = wal;
            seen.ended = ended;
            return Ok(true);
        }
        let now = Snapshot {
            wal,
            ended,
            is_settled,
            length,
            modified,
            is_ours: matches!(FileKind::read(&self.database)?, FileKind::Database(header) if header.ours && header.wal_mode),
            page: self.read_mark_page(wal.page_size)?,
        };
        let is_expected = self.is_expected(&now);
        if is_expected {
            self.seen = Some(now);
        }
        Ok(is_expected)
    }

    /// Whether the database can have become this without another program.
    fn is_expected(&self, now: &Snapshot) -> bool {
        let Some(seen) = &self.seen else {
            return true;
        };
        if (seen.is_ours && !now.is_ours) || self.has_foreign_mark(now) {
            return false;
        }
        // A pass that had not ended at the last look may have written since then.
        if self.passes.begun() > seen.ended || now.is_same(seen) {
            return true;
        }
        // Another process's checkpoint may have begun after the log was looked at, but not after the database was.
        let states = [Some(now.wal), self.read_wal()];
        states.into_iter().flatten().any(|wal| {
            // Until a checkpoint succeeds, each try writes some pages.
            let is_failing = wal.attempted != wal.copied && wal.attempted != self.recovered;
            is_failing || wal.has_moved_or_tried(seen.wal)
        })
    }

    /// Whether the database has another mark than the newest although it has all of the log: whatever a pass has written,
    /// another program has written since.
    fn has_foreign_mark(&self, now: &Snapshot) -> bool {
        let is_complete = now.is_settled && now.wal.frames > 0 && now.wal.waiting() == 0;
        let newest = self.newest_mark.as_ref().filter(|_| is_complete);
        newest.is_some_and(|id| journal_mark::is_in(&now.page) && !id.is_named_in(&now.page))
    }

    /// The page of the journal's mark; empty where the database is shorter.
    fn read_mark_page(&self, page_size: u32) -> io::Result<Vec<u8>> {
        let before = u64::from(self.mark_page.saturating_sub(1)) * u64::from(page_size);
        let mut page = vec![0; page_size as usize];
        match read_exact_at(&self.database, &mut page, before) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
            other => other.map(|()| page),
        }
    }
}

fn read_salts(file: &File, at: u64) -> io::Result<[u8; 8]> {
    let mut salts = [0; 8];
    read_exact_at(file, &mut salts, at)?;
    Ok(salts)
}

impl Snapshot {
    /// Whether it is the same database as an earlier one. The time alone tells nothing: `touch`.
    fn is_same(&self, seen: &Self) -> bool {
        self.length == seen.length && self.page == seen.page
    }
}
