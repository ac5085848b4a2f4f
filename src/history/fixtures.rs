//! Messages and folders for the tests of both backends.

use super::{Amendment, Append, RequestId};
use crate::auth::TokenHash;
use crate::name::{Name, RoomName};
use crate::protocol::Token;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder for a history; removed with the test.
pub(super) struct HistoryFolder(TempDir);

impl HistoryFolder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// The path of the history in it.
    pub(super) fn log(&self) -> PathBuf {
        self.join("historico.db")
    }

    /// The path of another file in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The room of the samples.
pub(super) fn room() -> RoomName {
    RoomName::new("Laboratório").unwrap()
}

/// A message at this time; the same name is the same person.
pub(crate) fn append(author: &str, id: &str, text: &str, at: u64) -> Append {
    let name = Name::new(author).unwrap();
    let token_hash = TokenHash::of(&Token::new("0123456789abcdef").unwrap());
    Append {
        request_id: RequestId(1),
        person: token_hash.person_id(&name),
        id: id.into(),
        room: room(),
        room_owner: None,
        from: author.into(),
        tag: token_hash.tag(&name),
        text: text.into(),
        action: false,
        reply_to: None,
        amends: None,
        any_author: false,
        refused: None,
        at,
    }
}

/// An edit of an entry.
pub(super) fn edit(author: &str, id: &str, seq: u64, text: &str, at: u64) -> Append {
    Append {
        amends: Some(Amendment::Edit(seq)),
        ..append(author, id, text, at)
    }
}

/// An erasure of an entry.
pub(super) fn erase(author: &str, id: &str, seq: u64, at: u64) -> Append {
    Append {
        amends: Some(Amendment::Erase(seq)),
        ..append(author, id, "", at)
    }
}

/// A moderator's erasure of the latest entries by this name.
pub(super) fn erase_by_author(
    moderator: &str,
    id: &str,
    name: &str,
    since_ms: u64,
    at: u64,
) -> Append {
    let amendment = Amendment::EraseByAuthor {
        name: Name::new(name).unwrap(),
        since_ms,
        limit: 2,
    };
    Append {
        amends: Some(amendment),
        any_author: true,
        ..append(moderator, id, "", at)
    }
}
