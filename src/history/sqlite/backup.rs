//! A consistent copy of the history, also while a server uses it.
//!
//! The copy is one read transaction, so it neither restarts when another process writes nor delays the writer.

use super::copy_error::CopyError;
use super::file_names::folder_of;
use super::indexing::index_all;
use super::meta;
use super::schema::{self, OpenError, connect, open_to_read};
use super::temporary_copy::TemporaryCopy;
use crate::platform::disk_space;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::ops::ControlFlow;
use std::path::Path;

/// Pages copied between two reports: about 2 ms of work.
const PAGES_PER_STEP: i32 = 256;

/// Reports how far a copy is; breaking off cancels it.
pub type OnProgress<'a> = &'a mut dyn FnMut(CopyProgress) -> ControlFlow<()>;

/// What becomes of the entries that the source has not indexed, and of what its index still holds of changed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unindexed {
    /// They are indexed in the copy, and it holds no text that was changed.
    Index,
    /// They stay as they are. The index is not looked at, and may be damaged.
    Keep,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// Pages copied.
    pub done: u32,
    /// Pages in all.
    pub total: u32,
}

impl CopyProgress {
    /// From 0 to 100.
    pub fn percent(self) -> u32 {
        (u64::from(self.done) * 100 / u64::from(self.total.max(1))) as u32
    }
}

/// Copies the history to a new file and returns its number of messages. The copy is marked as one: a server started with
/// it begins a new epoch.
///
/// # Errors
/// When there is no history, the target exists or can't be written, or the callback cancels.
pub fn copy(from: &Path, to: &Path, on_progress: OnProgress) -> Result<u64, CopyError> {
    copy_database(&open_to_read(from)?, to, Unindexed::Index, on_progress)
}

/// Copies what a connection sees to a new file and returns its number of messages.
pub(super) fn copy_database(
    source: &Connection,
    to: &Path,
    unindexed: Unindexed,
    on_progress: OnProgress,
) -> Result<u64, CopyError> {
    let temporary = TemporaryCopy::create(to)?;
    // A snapshot for the whole copy: without it, each commit of another process would begin the copy again.
    let snapshot = source.unchecked_transaction()?;
    check_space(&snapshot, folder_of(to))?;
    let mut target = connect(temporary.path())?;
    // An unfinished copy is worth nothing, and a finished one is synced before it gets its name.
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "journal_mode", "MEMORY")?;
    copy_pages(&snapshot, &mut target, on_progress)?;
    drop(snapshot);
    let count = finish(&target, unindexed)?;
    target.close().map_err(|(_, error)| error)?;
    temporary.publish()?;
    Ok(count)
}

fn check_space(source: &Connection, folder: &Path) -> Result<(), CopyError> {
    let needed = database_size(source)?;
    let free = disk_space(folder)?.free;
    if free < needed {
        return Err(CopyError::NoSpace(needed - free));
    }
    Ok(())
}

/// The size of a database in bytes, what stands in its journal included.
pub(super) fn database_size(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok((number("page_count")? * number("page_size")?) as u64)
}

fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    on_progress: OnProgress,
) -> Result<(), CopyError> {
    let backup = Backup::new(source, target)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let progress = backup.progress();
        let total = u32::try_from(progress.pagecount).unwrap_or_default();
        let remaining = u32::try_from(progress.remaining).unwrap_or_default();
        let done = total.saturating_sub(remaining);
        if on_progress(CopyProgress { done, total }).is_break() {
            return Err(CopyError::Cancelled);
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // The source has a snapshot and the target is ours alone: neither can be taken.
            _ => return Err(OpenError::InUse.into()),
        }
    }
}

/// Makes the pages a single file that knows that it is a copy, and how far the log was; returns its number of messages.
fn finish(target: &Connection, unindexed: Unindexed) -> rusqlite::Result<u64> {
    // A single file, without a journal.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.pragma_update(None, "secure_delete", true)?;
    // Who votes for what leaves with the poll, so it is in no copy.
    if target.table_exists(None, "votes")? {
        target.execute("DELETE FROM votes", [])?;
    }
    // A file of an earlier version has no second one, and a recovered one no first one.
    if unindexed == Unindexed::Index
        && target.table_exists(None, "entries_fts")?
        && target.table_exists(None, "outdated")?
    {
        index_all(target)?;
    }
    meta::set(target, "copy", &schema::seq_sum(target)?.to_string())?;
    schema::count(target)
}
