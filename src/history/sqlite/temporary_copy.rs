//! A database that is being copied: under a temporary name beside its target, and renamed when it is whole.

use super::copy_error::CopyError;
use super::file_names::{folder_of, with_suffix};
use crate::platform::{owner_only, restrict_to_owner, sync_dir};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What the temporary name ends with.
const SUFFIX: &str = ".copiando";
/// The files that SQLite may put beside a database.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

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
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let lock = owner_only(&mut options).open(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::InProgress),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let copy = Self {
            target: target.to_owned(),
            path,
            lock,
            published: false,
        };
        // Another process may have finished since the first look.
        refuse_existing(target)?;
        restrict_to_owner(&copy.lock);
        copy.lock.set_len(0)?;
        copy.remove_companions();
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

    fn remove_companions(&self) {
        for suffix in COMPANIONS {
            let _ = std::fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

impl Drop for TemporaryCopy {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_file(&self.path);
            self.remove_companions();
        }
    }
}

fn refuse_existing(target: &Path) -> Result<(), CopyError> {
    match target.symlink_metadata() {
        Ok(_) => Err(CopyError::Exists),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io::Error::into(error)),
    }
}
