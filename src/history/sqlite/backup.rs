//! A consistent copy of the history, also while a server uses it.

use super::schema::{self, OpenError, open_to_read};
use crate::platform;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Pages copied before the writer may go on.
const PAGES_PER_STEP: i32 = 2_000;
/// How long the writer may go on between two steps.
const STEP_PAUSE: Duration = Duration::from_millis(2);

/// Copies the history to a new file and returns its number of messages. The copy is marked as one: a server started with
/// it begins a new epoch.
///
/// # Errors
/// When there is no history, or the target exists or can't be written.
pub fn copy(from: &Path, to: &Path) -> Result<u64, OpenError> {
    let source = open_to_read(from)?;
    // Never overwrites a file.
    platform::owner_only(std::fs::File::options().write(true).create_new(true)).open(to)?;
    let copied = copy_into(&source, to);
    if copied.is_err() {
        let _ = std::fs::remove_file(to);
    }
    copied
}

fn copy_into(source: &Connection, to: &Path) -> Result<u64, OpenError> {
    let mut target = Connection::open(to)?;
    Backup::new(source, &mut target)?.run_to_completion(PAGES_PER_STEP, STEP_PAUSE, None)?;
    // A single file, without a journal.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('copy', '1')",
        [],
    )?;
    let count = schema::count(&target)?;
    target.close().map_err(|(_, error)| OpenError::Sql(error))?;
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error: io::Error| OpenError::Io(error))?;
    Ok(count)
}
