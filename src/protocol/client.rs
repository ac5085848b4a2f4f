//! What a client sends: one type per kind of message, every value of it checked by [`ClientMessage::parse`].

#![allow(
    missing_docs,
    reason = "the fields and kinds are those of the protocol's table"
)]

use crate::name::{Name, RoomName};
use crate::protocol::credentials::{Credentials, Password};
use crate::protocol::moderation::ModerationAction;
use serde::{Deserialize, Serialize};

/// The part of a room's log that a client has: it wants everything after it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ResumePoint {
    /// The log that `after` counts in; without it, the client assumes that it is still the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last seq that the client has.
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

/// Enters the chat under a name; the token proves the person's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enter {
    pub name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    #[serde(flatten)]
    pub resume: ResumePoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_key: Option<String>,
    #[serde(flatten)]
    pub credentials: Credentials,
}

/// Opens a room, or asks again for the entries missed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Join {
    pub room: RoomName,
    #[serde(flatten)]
    pub resume: ResumePoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_password: Option<Password>,
}

/// Leaves a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leave {
    pub room: RoomName,
}

/// Says something in a room. `id` is the sender's own and makes a resend harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Say {
    pub room: RoomName,
    pub id: String,
    pub text: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub action: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
}

/// Replaces the text of an own message. `seq` counts in the log that the client knows: after a `reset` it is another log,
/// and the client must forget an edit that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    pub room: RoomName,
    pub id: String,
    pub seq: u64,
    pub text: String,
}

/// Erases an own message; moderators may erase any. Nothing of its text stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erase {
    pub room: RoomName,
    pub id: String,
    pub seq: u64,
}

/// Says something to one person; delivered live and never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whisper {
    pub to: Name,
    pub id: String,
    pub text: String,
}

/// The person is typing in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Typing {
    pub room: RoomName,
}

/// Asks for a page of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchHistory {
    pub room: RoomName,
    #[serde(flatten, serialize_with = "serialize_page")]
    pub page: PageRequest,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Searches a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Search {
    pub room: RoomName,
    pub query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Changes the person's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rename {
    pub name: Name,
}

/// Gives a room a password, or removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetRoomPassword {
    pub room: RoomName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// A request of a client. Every value in it has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    Enter(Enter),
    Join(Join),
    Leave(Leave),
    Say(Say),
    Edit(Edit),
    Erase(Erase),
    Whisper(Whisper),
    Typing(Typing),
    History(FetchHistory),
    Search(Search),
    Rename(Rename),
    RoomPassword(SetRoomPassword),
    /// An act of moderation; only moderators may.
    Moderate(ModerationAction),
    /// Asks which rooms are open.
    Rooms,
    /// Asks whether the server is there.
    Ping,
}

impl ClientMessage {
    /// Whether the answer may be long: a connection may have one such request outstanding.
    pub fn is_bulk(&self) -> bool {
        matches!(
            self,
            Self::Enter(_) | Self::Join(_) | Self::History(_) | Self::Search(_)
        )
    }

    /// The sender's own id. A message that has one is answered by an `ack` or an `error` with the same id, and counts
    /// in the connection's window until then.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Say(say) => Some(&say.id),
            Self::Edit(edit) => Some(&edit.id),
            Self::Erase(erase) => Some(&erase.id),
            Self::Whisper(whisper) => Some(&whisper.id),
            Self::Moderate(ModerationAction::Erase(erase)) => Some(&erase.id),
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

/// The secret that proves a person's identity. Its `Debug` form never shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Shortest token, in characters: what 96 random bits need in base64url; ours have 128 and more.
    pub const MIN: usize = 16;
    /// Longest token, in characters.
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
