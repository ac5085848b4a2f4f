//! The changes of the dead server's files, one function each. Each gives back what the log is from then on, or `None` if
//! it could not be done and nothing was changed.

use super::files::{LogFiles, StoredLog, copy_over, remove_if_there};
use super::{MAX_STARTUP_LIFE_MS, Storm};
use std::thread;
use tempfile::TempDir;

impl Storm {
    /// The journal is lost: the log goes back to its last checkpoint.
    pub(super) fn lose_journal(&mut self, log: &StoredLog) -> Option<StoredLog> {
        let rest = self.files.read_without_journal();
        let rest = rest.filter(|rest| log.entries.starts_with(&rest.entries));
        if rest.is_none() {
            self.tally.unusable += 1;
        }
        let rest = rest?;
        remove_if_there(&self.files.beside("-wal"));
        remove_if_there(&self.files.beside("-shm"));
        Some(rest)
    }

    /// The last copy over the log, as `cp` does it; the journal stays.
    pub(super) fn copy_over_log(&mut self) -> Option<StoredLog> {
        let copy = self.copy.as_ref()?;
        copy_over(&copy.path, &self.files.log);
        Some(copy.content.clone())
    }

    /// The last copy is put back with the server's own command, now and then at the second try.
    pub(super) fn restore(&mut self) -> Option<StoredLog> {
        let copy = self.copy.as_ref()?;
        let mut program = self.program_on_log("restaurar", &copy.path);
        if self.rng.one_in(2) {
            let mut interrupted = program.spawn().unwrap();
            thread::sleep(self.rng.up_to_ms(MAX_STARTUP_LIFE_MS));
            interrupted.kill();
        }
        let (code, _, stderr) = self.program_on_log("restaurar", &copy.path).run("");
        assert_eq!(code, 0, "{stderr}");
        let restored = self.files.read();
        assert_eq!(
            restored.entries, copy.content.entries,
            "not what was copied"
        );
        Some(copy.content.clone())
    }

    /// The older files over the log.
    pub(super) fn put_old_files(&mut self) -> Option<StoredLog> {
        let old = &self.old_files.as_ref()?.0;
        copy_over(&old.log, &self.files.log);
        copy_over(&old.beside("-wal"), &self.files.beside("-wal"));
        Some(old.read())
    }

    /// The older file over the log, beside the journal of the dead server.
    pub(super) fn put_old_file_alone(&mut self, log: &StoredLog) -> Option<StoredLog> {
        let old = &self.old_files.as_ref()?.0;
        // Unless the file was written to since, the journal belongs to the older one too, and brings everything back.
        let side = TempDir::new().unwrap();
        let both = self.files.save(side.path());
        copy_over(&old.log, &both.log);
        if both
            .read_sound()
            .is_some_and(|found| found.entries == log.entries)
        {
            return None;
        }
        let content = old.read_without_journal()?;
        copy_over(&old.log, &self.files.log);
        Some(content)
    }

    /// Saves the log's files, as `cp` does it.
    pub(super) fn save_old_files(&self) -> (LogFiles, TempDir) {
        let folder = TempDir::new().unwrap();
        (self.files.save(folder.path()), folder)
    }
}
