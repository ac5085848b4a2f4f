//! A consistent copy of the log, also while a server uses it.

use super::schema::{self, OWNER_ONLY, OpenError, open_to_read};
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Pages copied before the writer gets its turn, and how long its turn is.
const PAGES_PER_STEP: i32 = 2_000;
const STEP_PAUSE: Duration = Duration::from_millis(2);

/// Copies the log to a new file and says how many messages it has. The copy knows that it is one: a server that is
/// started with it begins a new epoch.
///
/// # Errors
/// When there is no log, or the target exists or can't be written.
pub fn copy(from: &Path, to: &Path) -> Result<u64, OpenError> {
    let source = open_to_read(from)?;
    // Never over something that somebody wants to keep.
    std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(to)?;
    let copied = copy_into(&source, to);
    if copied.is_err() {
        let _ = std::fs::remove_file(to);
    }
    copied
}

fn copy_into(source: &Connection, to: &Path) -> Result<u64, OpenError> {
    let mut target = Connection::open(to)?;
    Backup::new(source, &mut target)?.run_to_completion(PAGES_PER_STEP, STEP_PAUSE, None)?;
    // A single file that is whole by itself.
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
