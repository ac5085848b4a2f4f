//! Migrates a file of an earlier version, after keeping a copy of it.
//!
//! The copy gets its name when it is whole, and the migration is one transaction: interrupted at any instant, the next
//! start goes on rightly.

use super::backup::{Unindexed, copy_database, database_size};
use super::copy_error::CopyError;
use super::file_format::APPLICATION_ID;
use super::file_names::{folder_of, with_suffix};
use super::main_file;
use super::migrations::MIGRATIONS;
use super::schema::OpenError;
use super::temporary_copy::remove_leftovers_of;
use crate::platform::disk_space;
use crate::pt::megabytes;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Files over this size, in bytes, take so long to copy that it is announced.
const LARGE_FILE: u64 = 100_000_000;

/// Migrates the file to the current version. Returns the path of the copy of the earlier version, if there was one.
///
/// # Errors
/// When there is too little space, or the file or the copy can't be written. The file has its earlier version then.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
) -> Result<Option<PathBuf>, OpenError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let version = version as usize;
    if version == MIGRATIONS.len() {
        return Ok(None);
    }
    let kept = match version {
        0 => None,
        _ => Some(keep_copy(connection, path)?),
    };
    let transaction = connection.transaction()?;
    for migration in &MIGRATIONS[version..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()?;
    Ok(kept)
}

/// Keeps a copy of the file beside it, unless an earlier try has kept it.
fn keep_copy(connection: &Connection, path: &Path) -> Result<PathBuf, OpenError> {
    let (copy, is_kept) = find_copy(connection, path)?;
    let size = database_size(connection)?;
    let missing = space_needed(size, is_kept)
        .saturating_sub(disk_space(folder_of(path)).map_or(u64::MAX, |space| space.free));
    if missing > 0 {
        // Leaves the file as it was found, with its journal.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        return Err(OpenError::NoSpace(missing));
    }
    if is_kept {
        remove_leftovers_of(&copy).map_err(open_error)?;
    } else {
        if size > LARGE_FILE {
            log::warn!(
                "O arquivo do histórico tem {} e vai ser atualizado. Uma cópia é guardada antes: pode demorar um pouco.",
                megabytes(size)
            );
        }
        copy_database(connection, &copy, Unindexed::Keep, &mut |_| {
            ControlFlow::Continue(())
        })
        .map_err(open_error)?;
    }
    Ok(copy)
}

/// The path of the copy, and whether it is there. A copy of another state of the log stays: the old program may have been
/// used again after a first migration.
fn find_copy(connection: &Connection, path: &Path) -> rusqlite::Result<(PathBuf, bool)> {
    let state = log_state(connection)?;
    let name = format!(".antes-da-versao-{}", MIGRATIONS.len());
    let mut copy = with_suffix(path, &name);
    let mut number = 2;
    while copy.symlink_metadata().is_ok() {
        let kept = main_file::open(&copy).and_then(|copy| log_state(&copy));
        if kept.is_ok_and(|kept| kept == state) {
            return Ok((copy, true));
        }
        copy = with_suffix(path, &format!("{name}-{number}"));
        number += 1;
    }
    Ok((copy, false))
}

/// The epoch, and the sum of all seqs: the same for two files that hold the same entries.
fn log_state(connection: &Connection) -> rusqlite::Result<(Option<String>, i64)> {
    let select =
        "SELECT (SELECT value FROM meta WHERE name = 'epoch'), coalesce(sum(seq), 0) FROM rooms";
    connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Bytes that a migration needs on the disk: the copy, and what it writes, once in the journal and once in the file.
fn space_needed(size: u64, is_kept: bool) -> u64 {
    let copy = if is_kept { 0 } else { size };
    // The table of ids and the search index are written anew, into pages of their own, and an earlier index is erased.
    copy + 2 * size
}

fn open_error(error: CopyError) -> OpenError {
    match error {
        CopyError::Source(error) => error,
        CopyError::NoSpace(missing) => OpenError::NoSpace(missing),
        CopyError::InProgress => OpenError::InUse,
        CopyError::Io(error) => OpenError::Io(error),
        CopyError::Sql(error) => OpenError::Sql(error),
        CopyError::Exists | CopyError::Cancelled => OpenError::Io(io::Error::other(error)),
    }
}
