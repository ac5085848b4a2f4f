//! Puts a copy back in the place of a log, which is kept under another name.
//!
//! Interrupted at any instant, either the old log or the new one is there, whole.

use super::backup::{OnProgress, Unindexed, copy_database};
use super::copy_error::CopyError;
use super::file_format::{JOURNAL, SHM, WAL, has_content};
use super::file_names::{folder_of, with_suffix};
use super::leftovers::{first_free, is_foreign, rename_if_present};
use super::main_file::quick_check;
use super::opening::lock;
use super::repair::repair;
use super::schema::{OpenError, connect, count, is_corruption, open_to_read};
use super::witness;
use crate::os_error::describe;
use crate::platform::{FileId, sync_dir};
use rusqlite::Connection;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// What the unfinished new log is called, after the log's name.
const UNFINISHED: &str = ".restaurando";

/// A copy that was put back.
#[derive(Debug)]
pub struct Restored {
    /// Messages in it.
    pub count: u64,
    /// Where the log is that was there before.
    pub kept: Option<PathBuf>,
}

/// Why a copy was not put back. The log is what it was.
#[derive(Debug)]
pub enum RestoreError {
    /// Both are the same file.
    Same,
    /// The copy is damaged.
    Damaged,
    /// The copy can't be read, or there is no space for it.
    Copy(CopyError),
    /// The log's file is in use, belongs to another program, or can't be written.
    Log(OpenError),
}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<OpenError> for RestoreError {
    fn from(error: OpenError) -> Self {
        Self::Log(error)
    }
}

impl From<CopyError> for RestoreError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Source(OpenError::Sql(error)) | CopyError::Sql(error)
                if is_corruption(&error) =>
            {
                Self::Damaged
            }
            error => Self::Copy(error),
        }
    }
}

/// Copies a history, which stays where it is, to the log's place. The next start begins a new epoch.
///
/// # Errors
/// When the copy is no sound history, a server uses the log, the disk is full, or the callback cancels.
pub fn restore(copy: &Path, log: &Path, on_progress: OnProgress) -> Result<Restored, RestoreError> {
    let log_id = FileId::at(log)?;
    if log_id.is_some() && FileId::at(copy)? == log_id {
        return Err(RestoreError::Same);
    }
    let source = open_to_read(copy).map_err(CopyError::Source)?;
    let lock = lock(log)?;
    let path = std::fs::canonicalize(log)?;
    if is_foreign(&path, &lock)? {
        return Err(OpenError::Foreign.into());
    }
    let restored = put_in_place(&source, &path, on_progress);
    if restored.is_err() && log_id.is_none() {
        // The lock has made an empty file.
        let _ = std::fs::remove_file(log);
    }
    restored
}

fn put_in_place(
    source: &Connection,
    log: &Path,
    on_progress: OnProgress,
) -> Result<Restored, RestoreError> {
    let new = UnfinishedLog::create(log)?;
    copy_database(source, &new.0, Unindexed::Keep, on_progress)?;
    let count = repair_file(&new.0).map_err(CopyError::Sql)?;
    File::open(&new.0)?.sync_all()?;
    let kept = replace(log, &new.0)?;
    Ok(Restored { count, kept })
}

/// The path of the new log until it is renamed. What is still there when this is dropped is removed.
struct UnfinishedLog(PathBuf);

impl UnfinishedLog {
    /// Removes what a run that was killed left there.
    fn create(log: &Path) -> io::Result<Self> {
        let new = Self(with_suffix(log, UNFINISHED));
        new.remove()?;
        Ok(new)
    }

    fn remove(&self) -> io::Result<()> {
        for suffix in [WAL, SHM, JOURNAL, ""] {
            remove_if_present(&with_suffix(&self.0, suffix))?;
        }
        Ok(())
    }
}

impl Drop for UnfinishedLog {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            log::debug!("restore: {}", describe(&error));
        }
    }
}

/// Adds what a recovered log lacks, and returns the number of messages.
fn repair_file(new: &Path) -> rusqlite::Result<u64> {
    let connection = connect(new)?;
    // What the search index has of erased text is overwritten when the index is made anew.
    connection.pragma_update(None, "secure_delete", true)?;
    repair(&connection)?;
    // Not before: the search index may have been all that was damaged.
    quick_check(&connection)?;
    let count = count(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(count)
}

/// Puts the new file in the log's place. Returns the name of the old one, unless it was empty.
fn replace(log: &Path, new: &Path) -> io::Result<Option<PathBuf>> {
    let is_kept = ["", WAL, JOURNAL]
        .iter()
        .any(|suffix| has_content(&with_suffix(log, suffix)));
    let today = OffsetDateTime::now_utc().date();
    let kept = first_free(log, &format!("antes-de-restaurar-{today}"));
    if is_kept {
        // A second name, so that the log's own name always leads to a whole file.
        if std::fs::hard_link(log, &kept).is_err() {
            copy_durably(log, &kept).inspect_err(|_| drop(std::fs::remove_file(&kept)))?;
        }
    }
    std::fs::rename(new, log)?;
    // From here on a start would find that these do not belong to the new file.
    for suffix in [WAL, SHM, JOURNAL, witness::SUFFIX] {
        rename_if_present(&with_suffix(log, suffix), &with_suffix(&kept, suffix))?;
    }
    sync_dir(folder_of(log))?;
    Ok(is_kept.then_some(kept))
}

/// For file systems without links.
fn copy_durably(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
