//! What another database left beside the file: found before SQLite would apply it, and moved aside.

use super::file_format::{COMPANIONS, FileKind, Header, JOURNAL, SHM, WAL, has_content};
use super::file_names::with_suffix;
use super::main_file::{self, Origin};
use super::witness;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a file and the files beside it are, as far as SQLite need not open them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// SQLite may open them.
    Usable,
    /// The file belongs to another program. Nothing was touched.
    Foreign,
    /// Journals of another database were moved aside, to names that begin with this path.
    MovedAside(PathBuf),
}

/// Looks at a file, which is open and locked, and at the files beside it.
pub(super) fn clear(path: &Path, file: &File) -> io::Result<Finding> {
    let header = match FileKind::read(file)? {
        FileKind::Empty => return move_aside(path, &COMPANIONS),
        FileKind::Other => return Ok(Finding::Foreign),
        FileKind::Database(header) => header,
    };
    if !may_be_ours(path, &header) {
        return Ok(Finding::Foreign);
    }
    match foreign_journals(path, &header)? {
        [] => Ok(Finding::Usable),
        foreign => move_aside(path, foreign),
    }
}

/// Whether a file belongs to another program.
pub(super) fn is_foreign(path: &Path, file: &File) -> io::Result<bool> {
    Ok(match FileKind::read(file)? {
        FileKind::Empty => false,
        FileKind::Other => true,
        FileKind::Database(header) => !may_be_ours(path, &header),
    })
}

/// Without tables it may be ours: the first transactions of a new file may be in its log only.
fn may_be_ours(path: &Path, header: &Header) -> bool {
    header.ours || main_file::count_tables(path) == Some(0)
}

/// The suffixes of the journals that do not belong to this database.
fn foreign_journals(path: &Path, header: &Header) -> io::Result<&'static [&'static str]> {
    if !header.wal_mode {
        // Such a file has never had a log. SQLite would apply one all the same.
        if [WAL, SHM]
            .iter()
            .any(|suffix| has_content(&with_suffix(path, suffix)))
        {
            return Ok(&COMPANIONS);
        }
    } else if main_file::judge_wal(path, header.page_size)? == Origin::Other {
        return Ok(&[WAL, SHM]);
    }
    // A rollback journal belongs to a file that is damaged without it.
    if has_content(&with_suffix(path, JOURNAL)) && main_file::is_sound(path) {
        return Ok(&[JOURNAL]);
    }
    Ok(&[])
}

/// Moves the journals aside that lead to a damaged database, if the file is sound without them.
pub(super) fn drop_journals(path: &Path) -> io::Result<Finding> {
    let has_journal = [WAL, JOURNAL]
        .iter()
        .any(|suffix| has_content(&with_suffix(path, suffix)));
    if has_journal && main_file::is_sound(path) {
        return move_aside(path, &COMPANIONS);
    }
    Ok(Finding::Usable)
}

/// Renames what is there of these files. The order to begin a new epoch is written down before, so that it is not
/// forgotten if this process ends in between.
fn move_aside(path: &Path, suffixes: &[&str]) -> io::Result<Finding> {
    let present = |suffix: &&&str| has_content(&with_suffix(path, suffix));
    if suffixes.iter().filter(present).count() == 0 {
        return Ok(Finding::Usable);
    }
    witness::order_new_epoch(path)?;
    let aside = free_name(path, "sobra");
    for suffix in suffixes {
        rename_if_present(&with_suffix(path, suffix), &with_suffix(&aside, suffix))?;
    }
    Ok(Finding::MovedAside(aside))
}

/// Renames a damaged file and its journals, so that nothing is lost. Returns its new path.
pub(super) fn move_database_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = free_name(path, "danificado");
    for suffix in [WAL, SHM, JOURNAL, ""] {
        rename_if_present(&with_suffix(path, suffix), &with_suffix(&aside, suffix))?;
    }
    Ok(aside)
}

/// A path beside the file that nothing has: its name, this word and the time in seconds.
fn free_name(path: &Path, word: &str) -> PathBuf {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    first_free(path, &format!("{word}-{seconds}"))
}

/// A path beside the file that nothing has: its name and this one, with a number where that is taken.
pub(super) fn first_free(path: &Path, name: &str) -> PathBuf {
    let is_free = |candidate: &Path| {
        ["", WAL, SHM, JOURNAL]
            .iter()
            .all(|suffix| with_suffix(candidate, suffix).symlink_metadata().is_err())
    };
    let mut candidate = with_suffix(path, &format!(".{name}"));
    let mut number = 2;
    while !is_free(&candidate) {
        candidate = with_suffix(path, &format!(".{name}-{number}"));
        number += 1;
    }
    candidate
}

/// Renames a file that need not be there.
pub(super) fn rename_if_present(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
