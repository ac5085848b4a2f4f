//! Opening the file to write: whose it is, whether it is sound, and which epoch it begins with.
//!
//! SQLite sees the files only after [`leftovers`] has looked at them, and writes to them only after the check.

use super::file_format::FileKind;
use super::journal_mark::{self, Mark};
use super::leftovers::{self, Finding};
use super::main_file::quick_check;
use super::migrate::migrate;
use super::schema::{
    OpenError, check_version, checkpoint, configure, connect, count, is_corruption, load_epoch,
    seq_sum, start_epoch,
};
use super::witness::{self, Claim};
use crate::platform::{self, FileId};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files up to this size, in bytes, are checked page by page at each start, which takes less than half a second. Of larger
/// files, a start checks only the pages that it reads.
const FULL_CHECK_LIMIT: u64 = 64 * 1024 * 1024;

/// What was wrong with a history when it was opened, and was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incident {
    /// Journals of another database lay beside the file. They were moved to names that begin with this path.
    Leftovers(PathBuf),
    /// With its journal the file was damaged, without it is sound. The journal was moved to names that begin with this
    /// path, and what it held is missing.
    JournalDropped(PathBuf),
    /// The file was damaged and has this path now; the history is empty.
    Damaged(PathBuf),
    /// The log had more messages before: an older file was put in its place, or its journal was lost.
    WentBack,
    /// It is not the log that was served last under this name.
    Another,
}

/// An open file, ready to write.
pub(super) struct Opened {
    pub connection: Connection,
    /// The file's own path, without symbolic links.
    pub path: PathBuf,
    /// The path that leads to it, perhaps by symbolic links: a restart would follow it.
    pub given: PathBuf,
    pub epoch: Arc<str>,
    /// The epoch was in the file already.
    pub epoch_was_read: bool,
    /// Messages in it.
    pub count: u64,
    pub incidents: Vec<Incident>,
    /// The copy of the earlier version, if the file was migrated.
    pub kept_copy: Option<PathBuf>,
    pub lock: Arc<File>,
}

/// Opens or creates a file to write, exclusively.
pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    let mut lock = lock(path)?;
    let given = std::path::absolute(path)?;
    // SQLite puts its journals beside the file that a link leads to.
    let path = std::fs::canonicalize(path)?;
    let mut incidents = Vec::new();
    match leftovers::clear(&path, &lock)? {
        Finding::Usable => {}
        Finding::Foreign => return Err(OpenError::Foreign),
        Finding::MovedAside(aside) => incidents.push(Incident::Leftovers(aside)),
    }
    let mut connection = match open_and_check(&path) {
        Err(error) if is_damage(&error, &lock) => {
            let (incident, connection) = salvage(&path, &mut lock)?;
            incidents.push(incident);
            connection
        }
        other => other?,
    };
    configure(&connection)?;
    let kept_copy = migrate(&mut connection, &path)?;
    let (epoch, epoch_was_read) = find_epoch(&connection, &path, &mut incidents)?;
    let count = count(&connection)?;
    Ok(Opened {
        connection,
        path,
        given,
        epoch,
        epoch_was_read,
        count,
        incidents,
        kept_copy,
        lock: Arc::new(lock),
    })
}

/// Locks the file for this process. SQLite's own locks are held only during transactions.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    loop {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        // Conversations are private to the account; SQLite gives its journal files the same mode.
        let file = platform::owner_only(&mut options).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(OpenError::Foreign);
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Another process may have replaced the file meanwhile.
        if FileId::at(path)? == Some(FileId::of(&file)?) {
            return Ok(file);
        }
    }
}

/// Opens the file and checks that it is ours and undamaged, without changing it.
fn open_and_check(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path)?;
    // A journal is merged into the file only after the check.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    check_version(&connection)?;
    if path.metadata()?.len() <= FULL_CHECK_LIMIT {
        quick_check(&connection)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(connection)
}

/// Whether an error means that a file of ours, or its journal, is broken. A journal of another program makes the file look
/// like that program's.
fn is_damage(error: &OpenError, file: &File) -> bool {
    match error {
        OpenError::Sql(error) => is_corruption(error),
        OpenError::Foreign => {
            matches!(FileKind::read(file), Ok(FileKind::Database(header)) if header.ours)
        }
        _ => false,
    }
}

/// Opens what can be had of a damaged database: the file without its journals, or an empty one in its place.
fn salvage(path: &Path, lock: &mut File) -> Result<(Incident, Connection), OpenError> {
    if let Finding::MovedAside(aside) = leftovers::drop_journals(path)? {
        return Ok((Incident::JournalDropped(aside), open_and_check(path)?));
    }
    let aside = leftovers::move_database_aside(path)?;
    *lock = self::lock(path)?;
    Ok((Incident::Damaged(aside), connect(path)?))
}

/// The log's epoch, and whether it was read from the file. A new one begins when clients may hold entries that the log
/// lacks: in a new file and in a copy, when journals were moved aside, and when the witness is ahead of the log.
fn find_epoch(
    connection: &Connection,
    path: &Path,
    incidents: &mut Vec<Incident>,
) -> Result<(Arc<str>, bool), OpenError> {
    if let Some(epoch) = load_epoch(connection)? {
        match witness::claim(path, &epoch, seq_sum(connection)?) {
            Claim::Nothing => {
                if Mark::read(connection).is_none() {
                    mark_file(connection);
                }
                return Ok((epoch, true));
            }
            Claim::NewEpoch => {}
            Claim::WentBack => incidents.push(Incident::WentBack),
            Claim::Another => incidents.push(Incident::Another),
        }
    }
    let epoch = start_epoch(connection)?;
    mark_file(connection);
    Ok((epoch, false))
}

/// Gives the file itself a mark, so that from now on its journal can be told from any other. Without one it is opened as
/// SQLite does, so that a full disk, say, is no reason not to start.
fn mark_file(connection: &Connection) {
    if let Err(error) =
        journal_mark::renew(connection).and_then(|_| checkpoint(connection).map(drop))
    {
        log::debug!("mark: {error}");
    }
}
