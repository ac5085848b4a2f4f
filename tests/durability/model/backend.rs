//! The homes of a log in the model, and what is left of each after a crash.

use crate::harness::TempDir;
use crate::model::reference_history::ReferenceHistory;
use papo::chat::Chat;
use papo::chat::limits::Rules;
use papo::history::History;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::SqliteHistory;

/// Where the log is while the server runs, and what is left of it after a crash.
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
        let mut home = Self::File(None, TempDir::new());
        home.reopen();
        home
    }

    /// A new hub around this log.
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
            Self::Reference(shelf) => shelf,
            Self::Memory(memory) => memory,
            Self::File(file, _) => file.as_mut().expect("it is closed only during a crash"),
        }
    }

    /// The server ended and starts again.
    pub fn reopen(&mut self) {
        match self {
            Self::Reference(_) => {}
            Self::Memory(memory) => *memory = MemoryHistory::new().unwrap(),
            Self::File(file, folder) => {
                // Closed first: nobody may open it twice.
                *file = None;
                *file = Some(SqliteHistory::open(&folder.file("historico.db"), None).unwrap());
            }
        }
    }
}
