//! Keeps a reserve on the disk and the history within its largest size: what adds text is refused in time, so that there
//! is always space to erase.

use super::checkpointer::Checkpointer;
use super::file_format::WAL;
use super::file_names::with_suffix;
use super::sql_error::describe_sql;
use crate::history::{HistoryFault, SpaceWarning};
use crate::os_error::describe;
use crate::platform::{DiskSpace, disk_space};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes that must stay free on the disk.
const RESERVE: u64 = 64_000_000;
/// On a disk of fewer bytes, one part in [`SMALL_DISK_PARTS`] must stay free instead.
const SMALL_DISK: u64 = 80_000_000;
const SMALL_DISK_PARTS: u64 = 64;
/// How often the space is measured, and after how many bytes of text at the latest.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);
const MEASURE_AFTER: u64 = 256 * 1024;
/// How often a new warning may be found.
const WARN_INTERVAL: Duration = Duration::from_secs(10);

/// The measured space of a history's file.
pub(super) struct SpaceGuard {
    path: PathBuf,
    max_bytes: Option<u64>,
    fault: Option<HistoryFault>,
    warning: Option<SpaceWarning>,
    next_measure: Instant,
    next_warning: Instant,
    bytes_since: u64,
}

/// What was measured: bytes of the history, and the disk if it tells.
struct Measured {
    history: u64,
    disk: Option<DiskSpace>,
}

impl SpaceGuard {
    /// For this file and its journal, which may have this many bytes together.
    pub(super) fn new(path: &Path, max_bytes: Option<u64>) -> Self {
        let now = Instant::now();
        Self {
            path: path.to_owned(),
            max_bytes,
            fault: None,
            warning: None,
            next_measure: now,
            next_warning: now,
            bytes_since: 0,
        }
    }

    /// Why no text may be added now, as of the last measure.
    pub(super) fn fault(&self) -> Option<HistoryFault> {
        self.fault
    }

    /// When the next warning may be found.
    pub(super) fn deadline(&self) -> Instant {
        self.next_warning.max(self.next_measure)
    }

    /// So many bytes of text were added.
    pub(super) fn added(&mut self, bytes: usize) {
        self.bytes_since += bytes as u64;
    }

    /// The warning that holds, as of the last measure.
    pub(super) fn warning(&self) -> Option<SpaceWarning> {
        self.warning
    }

    /// Measures the space when it is due.
    pub(super) fn measure_if_due(&mut self, connection: &Connection, checkpoints: &Checkpointer) {
        let now = Instant::now();
        if now < self.next_measure && self.bytes_since < MEASURE_AFTER {
            return;
        }
        self.next_measure = now + MEASURE_INTERVAL;
        self.bytes_since = 0;
        let mut measured = self.measure(connection);
        self.fault = self.fault_of(&measured);
        // Pages in the journal count twice until they are merged.
        if self.fault == Some(HistoryFault::LimitReached) && self.journal() > 0 {
            if let Err(error) = checkpoints.merge(connection) {
                log::debug!("journal: {}", describe_sql(&error));
            }
            measured = self.measure(connection);
            self.fault = self.fault_of(&measured);
        }
        if now >= self.next_warning {
            self.next_warning = now + WARN_INTERVAL;
            self.warning = self.find_warning(&measured);
        }
    }

    fn find_warning(&self, measured: &Measured) -> Option<SpaceWarning> {
        let disk = measured.disk.map_or(0.0, |disk| disk.used_percent);
        let history = self.max_bytes.map_or(0.0, |max| {
            100.0 * measured.history as f64 / max.max(1) as f64
        });
        SpaceWarning::find(disk, history, self.warning)
    }

    fn fault_of(&self, measured: &Measured) -> Option<HistoryFault> {
        if measured
            .disk
            .is_some_and(|disk| disk.free < reserve_of(disk))
        {
            return Some(HistoryFault::NoSpace);
        }
        let reached = self.max_bytes.is_some_and(|max| measured.history >= max);
        reached.then_some(HistoryFault::LimitReached)
    }

    fn measure(&self, connection: &Connection) -> Measured {
        let disk = disk_space(&self.path)
            .inspect_err(|error| log::debug!("disk space: {}", describe(error)))
            .ok();
        let pages = used_bytes(connection)
            .inspect_err(|error| log::debug!("size: {}", describe_sql(error)))
            .unwrap_or(0);
        Measured {
            history: pages + self.journal(),
            disk,
        }
    }

    /// Bytes of the journal.
    fn journal(&self) -> u64 {
        let journal = with_suffix(&self.path, WAL).metadata();
        journal.map_or(0, |file| file.len())
    }
}

/// Bytes that must stay free on a disk.
fn reserve_of(disk: DiskSpace) -> u64 {
    if disk.size < SMALL_DISK {
        disk.size / SMALL_DISK_PARTS
    } else {
        RESERVE
    }
}

/// Bytes of the pages in use: free ones are filled before the file grows.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    Ok((pages * number("page_size")?).max(0) as u64)
}
