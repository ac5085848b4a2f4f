//! A database that is being copied: under a temporary name beside its target, and renamed when it is whole.

use super::copy_error::CopyError;
use super::file_format::COMPANIONS;
use super::file_names::{folder_of, with_suffix};
use crate::platform::{FileId, owner_only, sync_dir};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What the temporary name ends with.
const SUFFIX: &str = ".copiando";

/// An unfinished copy; removed when dropped.
pub(super) struct TemporaryCopy {
    target: PathBuf,
    path: PathBuf,
    /// Excludes another copy to the same target. Held until the file is renamed or removed.
    lock: File,
    published: bool,
}

impl TemporaryCopy {
    /// An empty file that belongs to this target. What a killed copy left under its name is removed.
    ///
    /// # Errors
    /// When the target exists, or another process is copying to it.
    pub(super) fn create(target: &Path) -> Result<Self, CopyError> {
        let path = with_suffix(target, SUFFIX);
        refuse_existing(target)?;
        remove_leftovers(&path)?;
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        let lock = match owner_only(&mut options).open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(CopyError::InProgress);
            }
            Err(error) => return Err(error.into()),
        };
        try_lock(&lock)?;
        let copy = Self {
            target: target.to_owned(),
            path,
            lock,
            published: false,
        };
        // Another process may have finished since the first look.
        refuse_existing(target)?;
        Ok(copy)
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the whole copy its name, durably; never replaces a file. The database must be closed.
    pub(super) fn publish(mut self) -> Result<(), CopyError> {
        self.lock.sync_all()?;
        match std::fs::hard_link(&self.path, &self.target) {
            Ok(()) => std::fs::remove_file(&self.path)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(CopyError::Exists);
            }
            // A file system without links, such as a memory stick's.
            Err(_) => {
                refuse_existing(&self.target)?;
                std::fs::rename(&self.path, &self.target)?;
            }
        }
        self.published = true;
        sync_dir(folder_of(&self.target))?;
        Ok(())
    }
}

impl Drop for TemporaryCopy {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_file(&self.path);
            remove_companions(&self.path);
        }
    }
}

/// Removes what a killed copy to this target left under its temporary name.
///
/// # Errors
/// When another process is copying to it.
pub(super) fn remove_leftovers_of(target: &Path) -> Result<(), CopyError> {
    remove_leftovers(&with_suffix(target, SUFFIX))
}

/// Its contents are left alone: killed at the end, the copy has its own name too, and may have been renamed since.
fn remove_leftovers(path: &Path) -> Result<(), CopyError> {
    let leftover = match File::options().read(true).write(true).open(path) {
        Ok(leftover) => leftover,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    try_lock(&leftover)?;
    // Only the process with the lock removes the file, so this still is the one that was locked.
    if FileId::at(path)? != Some(FileId::of(&leftover)?) {
        return Err(CopyError::InProgress);
    }
    std::fs::remove_file(path)?;
    remove_companions(path);
    Ok(())
}

fn remove_companions(path: &Path) {
    for suffix in COMPANIONS {
        let _ = std::fs::remove_file(with_suffix(path, suffix));
    }
}

fn try_lock(file: &File) -> Result<(), CopyError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(CopyError::InProgress),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn refuse_existing(target: &Path) -> Result<(), CopyError> {
    match target.symlink_metadata() {
        Ok(_) => Err(CopyError::Exists),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}
