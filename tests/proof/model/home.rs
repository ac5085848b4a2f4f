//! The homes of a log in the model, and what is left of each after a crash.

use super::shelf::Shelf;
use crate::stage::Folder;
use papo::history::History;
use papo::history::memory::MemoryHistory;
use papo::history::sqlite::SqliteHistory;
use papo::hub::Chat;
use papo::hub::limits::Rules;

/// Where the log is while the server runs, and what is left of it after a crash.
pub enum Home {
    Shelf(Shelf),
    Memory(MemoryHistory),
    File(Option<SqliteHistory>, Folder),
}

impl Home {
    pub fn shelf() -> Self {
        Self::Shelf(Shelf::new())
    }

    pub fn memory() -> Self {
        Self::Memory(MemoryHistory::new().unwrap())
    }

    pub fn file() -> Self {
        let mut home = Self::File(None, Folder::new());
        home.crash();
        home
    }

    /// A new hub around this log.
    pub fn hub(&mut self) -> Chat {
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
            Self::Shelf(shelf) => shelf,
            Self::Memory(memory) => memory,
            Self::File(file, _) => file.as_mut().expect("it is closed only during a crash"),
        }
    }

    /// The server ended and starts again.
    pub fn crash(&mut self) {
        match self {
            Self::Shelf(_) => {}
            Self::Memory(memory) => *memory = MemoryHistory::new().unwrap(),
            Self::File(file, folder) => {
                // Closed first: nobody may open it twice.
                *file = None;
                *file = Some(SqliteHistory::open(&folder.file("historico.db"), None).unwrap());
            }
        }
    }
}
