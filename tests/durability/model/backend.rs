//! The histories of the model, what is left of each after a crash, and how each goes back to an earlier state.

use crate::model::reference_history::{ReferenceHistory, ReferenceLog};
use crate::support::Deadline;
use papo::history::History;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::{self, OpenError, SqliteHistory};
use papo::server::Rules;
use papo::testing::Chat;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::{fs, thread};
use tempfile::TempDir;

/// One history.
pub enum HistoryBackend {
    Reference(ReferenceHistory),
    Memory(MemoryHistory),
    File(Option<SqliteHistory>, TempDir),
}

/// A saved state of a history.
pub enum SavedHistory {
    Reference(ReferenceLog),
    /// The file and its journal, and beside them a copy that knows that it is one.
    File(TempDir),
}

impl HistoryBackend {
    pub fn reference() -> Self {
        Self::Reference(ReferenceHistory::new())
    }

    pub fn memory() -> Self {
        Self::Memory(MemoryHistory::new().unwrap())
    }

    pub fn file() -> Self {
        let mut backend = Self::File(None, TempDir::new().unwrap());
        backend.reopen();
        backend
    }

    /// A new core for this history.
    pub fn new_chat(&mut self) -> Chat {
        let rules = Rules {
            rate: None,
            ..Rules::default()
        };
        let history = self.history();
        let mut chat = Chat::new(rules, history.epoch());
        if history.epoch_was_read() {
            chat.allow_epoch_to_end();
        }
        chat
    }

    pub fn history(&mut self) -> &mut dyn History {
        match self {
            Self::Reference(reference) => reference,
            Self::Memory(memory) => memory,
            Self::File(file, _) => file.as_mut().expect("it is closed only during a crash"),
        }
    }

    /// The server ended and starts again.
    pub fn reopen(&mut self) {
        match self {
            Self::Reference(reference) => reference.reopen(),
            Self::Memory(memory) => *memory = MemoryHistory::new().unwrap(),
            Self::File(file, dir) => {
                // Closed first: it can't be opened twice.
                *file = None;
                *file = Some(open_when_free(&log_in(dir)));
            }
        }
    }

    /// Saves the present state; `None` of a history that has no file.
    pub fn save(&self) -> Option<SavedHistory> {
        match self {
            Self::Reference(reference) => Some(SavedHistory::Reference(reference.log().clone())),
            Self::Memory(_) => None,
            Self::File(_, dir) => {
                let saved = TempDir::new().unwrap();
                put_files(&log_in(dir), &log_in(&saved));
                let on_progress = &mut |_| ControlFlow::Continue(());
                sqlite::copy(&log_in(dir), &copy_in(&saved), on_progress).unwrap();
                Some(SavedHistory::File(saved))
            }
        }
    }

    /// The server ended, and the saved state is what it starts with again. The history can tell that it went back: it is a
    /// copy, or something beside it remembers how far it was.
    pub fn go_back(&mut self, saved: &SavedHistory) {
        self.put_back(saved, true);
    }

    /// The same, and only a client can tell.
    pub fn go_back_unnoticed(&mut self, saved: &SavedHistory) {
        self.put_back(saved, false);
    }

    fn put_back(&mut self, saved: &SavedHistory, noticed: bool) {
        match (&mut *self, saved) {
            (Self::Reference(reference), SavedHistory::Reference(log)) => {
                reference.put_back(log.clone(), noticed);
            }
            (Self::File(file, dir), SavedHistory::File(saved)) => {
                *file = None;
                fs::remove_dir_all(dir.path()).unwrap();
                fs::create_dir(dir.path()).unwrap();
                if noticed {
                    fs::copy(copy_in(saved), log_in(dir)).unwrap();
                } else {
                    put_files(&log_in(saved), &log_in(dir));
                }
                self.reopen();
            }
            _ => panic!("a state of another kind of history"),
        }
    }
}

/// Another test may be starting a program at this moment, which has a copy of every open file until it runs, and with it
/// this one's lock.
fn open_when_free(log: &Path) -> SqliteHistory {
    let deadline = Deadline::of_one_event();
    loop {
        match SqliteHistory::open(log, None) {
            Err(OpenError::InUse) => assert!(!deadline.is_over(), "the history stays in use"),
            opened => return opened.unwrap(),
        }
        thread::yield_now();
    }
}

fn log_in(dir: &TempDir) -> PathBuf {
    dir.path().join("historico.db")
}

fn copy_in(dir: &TempDir) -> PathBuf {
    dir.path().join("copia.db")
}

/// Copies a log's file and journal, as `cp` does.
fn put_files(from: &Path, to: &Path) {
    for ending in ["db", "db-wal"] {
        let _ = fs::copy(from.with_extension(ending), to.with_extension(ending));
    }
}
