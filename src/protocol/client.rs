//! What a client says. Whoever holds one of these holds a checked one; the checking is in `parse`.

use crate::name::{Name, RoomName};
use crate::protocol::credentials::{Credentials, Password};
use crate::protocol::moderation::ModerationAction;
use serde::{Deserialize, Serialize};

/// What a client already holds of a room's log: it wants everything after it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ResumePoint {
    /// The log that `after` counts in; without it, the client trusts that it is still the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last seq that the client holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Which way a page of the log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRequest {
    /// The newest entries before this seq.
    Before(u64),
    /// The oldest entries after this seq.
    After(u64),
    /// The newest entries of all.
    Latest,
}

/// What a client says. Every value in it has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are those of the protocol's table")]
pub enum ClientMessage {
    /// The first word of a visitor: a name, and the secret that makes the name theirs.
    Enter {
        name: Name,
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        #[serde(flatten)]
        resume: ResumePoint,
        #[serde(skip_serializing_if = "Option::is_none")]
        local_key: Option<String>,
        #[serde(flatten)]
        credentials: Credentials,
    },
    /// Opens a room, or asks again for what was missed in it.
    Join {
        room: RoomName,
        #[serde(flatten)]
        resume: ResumePoint,
        #[serde(skip_serializing_if = "Option::is_none")]
        room_password: Option<Password>,
    },
    /// Leaves a room.
    Leave { room: RoomName },
    /// Says something in a room. `id` is the sender's own and makes a resend harmless.
    Say {
        room: RoomName,
        id: String,
        text: String,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        action: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
    },
    /// Gives an own message another text. `seq` counts in the log that the client knows: after a `reset` it is another
    /// log, and a change that has no answer yet must be forgotten.
    Edit {
        room: RoomName,
        id: String,
        seq: u64,
        text: String,
    },
    /// Takes an own message back: nothing of its text stays.
    Erase {
        room: RoomName,
        id: String,
        seq: u64,
    },
    /// Says something to one person, live only.
    Whisper { to: Name, id: String, text: String },
    /// Somebody is writing.
    Typing { room: RoomName },
    /// Asks for a page of the log.
    History {
        room: RoomName,
        #[serde(flatten, serialize_with = "serialize_page")]
        page: PageRequest,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// Looks for words in a room's log.
    Search {
        room: RoomName,
        query: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// Takes another name.
    Rename { name: Name },
    /// Gives a room a password, or takes it away.
    RoomPassword {
        room: RoomName,
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<Password>,
    },
    /// Keeps the conversation in order; only a host may.
    Moderate(ModerationAction),
    /// Asks which rooms there are.
    Rooms,
    /// Asks whether the server is there.
    Ping,
}

impl ClientMessage {
    /// Whether the answer may be long: a connection asks for one such thing at a time.
    pub fn is_bulk(&self) -> bool {
        matches!(
            self,
            Self::Enter { .. } | Self::Join { .. } | Self::History { .. } | Self::Search { .. }
        )
    }

    /// The sender's own id: what has one is answered by an `ack` or an `error` with the same id, and takes a place in the
    /// connection's window until then.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Say { id, .. }
            | Self::Edit { id, .. }
            | Self::Erase { id, .. }
            | Self::Whisper { id, .. } => Some(id),
            Self::Moderate(ModerationAction::Erase { id, .. }) => Some(id),
            _ => None,
        }
    }

    /// The JSON text of this message.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("client messages hold nothing that JSON can't say")
    }
}

fn serialize_page<S: serde::Serializer>(
    page: &PageRequest,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(None)?;
    match page {
        PageRequest::Before(seq) => map.serialize_entry("before", seq)?,
        PageRequest::After(seq) => map.serialize_entry("after", seq)?,
        PageRequest::Latest => {}
    }
    map.end()
}

/// The secret that proves who somebody is. Its `Debug` form never shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Shortest token taken, in characters: what 96 random bits need in base64url; ours have 128 and more.
    pub const MIN: usize = 16;
    /// Longest token taken, in characters.
    pub const MAX: usize = 128;

    /// Checks the form of a token: visible ASCII, [`Token::MIN`] to [`Token::MAX`] characters.
    pub fn new(raw: &str) -> Option<Self> {
        let well_formed = raw.bytes().all(|b| b.is_ascii_graphic())
            && (Self::MIN..=Self::MAX).contains(&raw.len());
        well_formed.then(|| Self(raw.to_owned()))
    }

    /// The secret itself, to be sent or hashed, never printed.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}
