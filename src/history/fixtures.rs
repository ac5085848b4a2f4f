//! Messages and folders for the tests of both backends.

use super::{Amendment, Append, RequestId};
use crate::auth::TokenHash;
use crate::name::{Name, RoomName};
use crate::protocol::Token;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

/// A folder that is removed with the test.
pub(super) struct TempFolder(pub PathBuf);

impl TempFolder {
    pub(super) fn new() -> Self {
        // Not the process id: another container may have left a folder of the same number.
        let path = std::env::temp_dir().join(format!(
            "papo-test-{:016x}",
            RandomState::new().hash_one("test")
        ));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The path of the history in it.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("historico.db")
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The room of the samples.
pub(super) fn room() -> RoomName {
    RoomName::new("Laboratório").unwrap()
}

/// A message at this time; the same name is the same person.
pub(super) fn append(author: &str, id: &str, text: &str, at: u64) -> Append {
    let name = Name::new(author).unwrap();
    let token_hash = TokenHash::of(&Token::new("0123456789abcdef").unwrap());
    Append {
        request_id: RequestId(1),
        person: token_hash.person_id(&name),
        id: id.into(),
        room: room(),
        from: author.into(),
        tag: token_hash.tag(&name),
        text: text.into(),
        action: false,
        reply_to: None,
        amends: None,
        any_author: false,
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
