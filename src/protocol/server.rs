//! What the server sends, and the parts of it.

use super::{Refusal, Token};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One entry of a room's log, as everyone sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The room's name as it is shown.
    pub room: Arc<str>,
    /// Its number in the room's log: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// When it was stored, in Unix milliseconds; never less than the entry before it.
    pub at: u64,
    /// The author's name at that time.
    pub from: Arc<str>,
    /// The author's tag: the same person has the same tag tomorrow.
    pub tag: Arc<str>,
    /// The cleaned text.
    pub text: String,
    /// Whether it is an action (`/eu`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub action: bool,
    /// The entry that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The entry that has this one's text from now on. If the text is empty, that entry was erased later, or trimmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<u64>,
    /// The entries that are empty from now on, in rising order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erases: Vec<u64>,
    /// Whether the text was edited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// Whether the text was erased; it is empty then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl Entry {
    /// Whether it changes earlier entries, and is no message of its own.
    pub fn is_amendment(&self) -> bool {
        self.edits.is_some() || !self.erases.is_empty()
    }

    /// This entry with the change of a later one; `None` if that one does not change it.
    ///
    /// An edit that was followed by another gets the text that its entry has now, so that no copy keeps an old text.
    /// Applying the same amendment twice changes nothing.
    pub(crate) fn amended_by(&self, later: &Self) -> Option<Self> {
        let target = self.edits.unwrap_or(self.seq);
        if self.seq >= later.seq || !self.erases.is_empty() {
            return None;
        }
        if later.erases.binary_search(&target).is_ok() {
            let erased = self.edits.is_none();
            return Some(Self {
                text: String::new(),
                edited: false,
                erased,
                ..self.clone()
            });
        }
        let edited = later.edits == Some(target) && !self.erased;
        edited.then(|| Self {
            text: later.text.clone(),
            edited: self.edits.is_none(),
            ..self.clone()
        })
    }
}

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The name to show.
    pub name: Arc<str>,
    /// The same person has the same tag tomorrow.
    pub tag: Arc<str>,
    /// Whether the person is a moderator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moderator: bool,
}

/// A person with a new name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    /// The name until now.
    pub from: Arc<str>,
    /// The name from now on.
    pub to: Arc<str>,
    /// The tag from now on; it depends on the name.
    pub tag: Arc<str>,
}

/// A room in the answer to `rooms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// The room's name as it is shown.
    pub room: Arc<str>,
    /// People in it.
    pub online: usize,
    /// The last seq of its log.
    pub seq: u64,
    /// Whether joining needs a password.
    pub password: bool,
}

/// The restrictions in force in a room, for the person that this is sent to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// Only moderators may speak.
    pub moderators_only: bool,
    /// The interval between two messages of one person, in milliseconds; 0 without slow mode.
    pub slow_ms: u64,
    /// Whether joining needs a password.
    pub password: bool,
    /// Whether the conversation admits no new person; the same in every room.
    pub locked: bool,
    /// When your own mute ends, in Unix milliseconds; `None` if you are not muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<u64>,
}

/// The limits for clients, sent in `welcome`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest text, in characters.
    pub text: usize,
    /// Longest name, in characters.
    pub name: usize,
    /// Longest room name, in characters.
    pub room: usize,
    /// Messages per second and person in the long run; 0 is without limit.
    pub rate: f64,
    /// Messages that one person may send at once.
    pub burst: u32,
}

/// Why the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    /// The server is stopping.
    Shutdown,
    /// Kicked by a moderator.
    Kicked,
    /// Banned by a moderator.
    Banned,
    /// Did not enter in time.
    Idle,
    /// Did not read what it was sent.
    TooSlow,
    /// Broke the rules of WebSocket or of this protocol.
    Protocol,
}

impl ByeCode {
    /// All codes, in the order of the protocol.
    pub const ALL: [Self; 6] = [
        Self::Shutdown,
        Self::Kicked,
        Self::Banned,
        Self::Idle,
        Self::TooSlow,
        Self::Protocol,
    ];
}

/// A message of the server. An answer has the `id` of its request, if that had one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of the protocol's table")]
pub enum ServerMessage {
    /// The client has entered; this is its person.
    Welcome {
        name: Arc<str>,
        tag: Arc<str>,
        token: Token,
        protocol: u32,
        server: String,
        limits: Limits,
        heartbeat_ms: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        moderator: bool,
        /// Whether the conversation is locked: no new person may enter.
        #[serde(default)]
        locked: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// The client has joined a room: where its log stands, its members, and the entries that the client missed.
    Joined {
        room: Arc<str>,
        epoch: Arc<str>,
        seq: u64,
        oldest: u64,
        online: usize,
        members: Vec<Member>,
        entries: Vec<Arc<Entry>>,
        more: bool,
        reset: bool,
        #[serde(default)]
        state: RoomState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// The client has left a room.
    Left {
        room: Arc<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// An entry was stored.
    Message(Arc<Entry>),
    /// The client's own message is stored; sent instead of the message. Without `room` and `seq` for a whisper.
    Ack {
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        at: u64,
        /// The text as it was stored, if it is not the one that was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        duplicate: bool,
    },
    /// People joined, left or were renamed.
    Presence {
        room: Arc<str>,
        online: usize,
        joined: Vec<Member>,
        left: Vec<Member>,
        renamed: Vec<Renamed>,
    },
    /// A message to this person only.
    Whisper {
        from: Arc<str>,
        tag: Arc<str>,
        to: Arc<str>,
        at: u64,
        text: String,
    },
    /// A person is a moderator now, or no longer.
    Role {
        name: Arc<str>,
        tag: Arc<str>,
        moderator: bool,
    },
    /// The restrictions in a room changed; these replace the earlier ones.
    RoomState {
        room: Arc<str>,
        #[serde(flatten)]
        state: RoomState,
    },
    /// An announcement of the server, or of the moderator in `from`. Live only.
    Notice {
        at: u64,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A person is typing.
    Typing { room: Arc<str>, name: Arc<str> },
    /// A page of the log.
    History {
        room: Arc<str>,
        epoch: Arc<str>,
        oldest: u64,
        entries: Vec<Arc<Entry>>,
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// What a search found, newest first.
    Found {
        room: Arc<str>,
        query: String,
        entries: Vec<Arc<Entry>>,
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// The open rooms.
    Rooms {
        rooms: Vec<RoomInfo>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// The server is there.
    Pong {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A request was refused.
    Error(Refusal),
    /// The last message before the server closes the connection.
    Bye {
        code: ByeCode,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

impl ServerMessage {
    /// Appends the JSON text of this message to a buffer.
    pub fn write_json(&self, buffer: &mut Vec<u8>) {
        serde_json::to_writer(buffer, self)
            .expect("server messages hold nothing that JSON can't say");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, text: &str) -> Entry {
        Entry {
            seq,
            text: text.into(),
            ..Entry::default()
        }
    }

    #[test]
    fn edit_amends_its_entry_and_earlier_edits() {
        let first = entry(1, "a");
        let edit = Entry {
            edits: Some(1),
            ..entry(3, "b")
        };
        let again = Entry {
            edits: Some(1),
            ..entry(4, "c")
        };
        let edited = first.amended_by(&edit).unwrap();
        assert_eq!((&*edited.text, edited.edited), ("b", true));
        let overtaken = edit.amended_by(&again).unwrap();
        assert_eq!(
            (&*overtaken.text, overtaken.edits, overtaken.edited),
            ("c", Some(1), false)
        );
        assert_eq!(entry(2, "x").amended_by(&edit), None);
        assert_eq!(
            again.amended_by(&edit),
            None,
            "an earlier entry does not amend a later one"
        );
    }

    #[test]
    fn erased_entry_and_its_edits_stay_empty() {
        let edit = Entry {
            edits: Some(1),
            ..entry(2, "b")
        };
        let erase = Entry {
            erases: vec![1],
            ..entry(3, "")
        };
        let erased = entry(1, "a")
            .amended_by(&edit)
            .unwrap()
            .amended_by(&erase)
            .unwrap();
        assert_eq!(
            (&*erased.text, erased.edited, erased.erased),
            ("", false, true)
        );
        let emptied = edit.amended_by(&erase).unwrap();
        assert_eq!((&*emptied.text, emptied.erased), ("", false));
        assert_eq!(
            erased.amended_by(&Entry {
                edits: Some(1),
                ..entry(4, "c")
            }),
            None
        );
    }

    #[test]
    fn plain_entry_serializes_without_optional_fields() {
        let json = serde_json::to_string(&entry(1, "a")).unwrap();
        assert_eq!(
            json,
            r#"{"room":"","seq":1,"at":0,"from":"","tag":"","text":"a"}"#
        );
    }
}
