//! The histories of the model, and what is left of each after a crash.

use crate::model::reference_history::ReferenceHistory;
use papo::history::History;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::SqliteHistory;
use papo::server::Rules;
use papo::testing::Chat;
use tempfile::TempDir;

/// One history.
pub enum HistoryBackend {
    Reference(ReferenceHistory),
    Memory(MemoryHistory),
    File(Option<SqliteHistory>, TempDir),
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
        Chat::new(
            Rules {
                rate: None,
                ..Rules::default()
            },
            self.history().epoch(),
        )
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
            Self::Reference(_) => {}
            Self::Memory(memory) => *memory = MemoryHistory::new().unwrap(),
            Self::File(file, dir) => {
                // Closed first: it can't be opened twice.
                *file = None;
                let path = dir.path().join("historico.db");
                *file = Some(SqliteHistory::open(&path, None).unwrap());
            }
        }
    }
}
