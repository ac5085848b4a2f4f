//! What a client sends: one type per kind of message, every value of it checked by [`ClientMessage::parse`].

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
    /// The name to enter under.
    pub name: Name,
    /// The person's secret; without it, the server makes one and sends it in `welcome`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The first room; without it, the lobby.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The part of the room's log that the client has.
    #[serde(flatten)]
    pub resume: ResumePoint,
    /// The key of a page opened as a file, at most 128 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_key: Option<String>,
    /// Passwords and keys.
    #[serde(flatten)]
    pub credentials: Credentials,
}

/// Opens a room, or asks again for the entries missed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Join {
    /// The room to open.
    pub room: RoomName,
    /// The part of its log that the client has.
    #[serde(flatten)]
    pub resume: ResumePoint,
    /// The room's password, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_password: Option<Password>,
}

/// Leaves a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leave {
    /// The room to leave.
    pub room: RoomName,
}

/// Says something in a room. `id` is the sender's own and makes a resend harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Say {
    /// The room, which the connection must have joined.
    pub room: RoomName,
    /// 1 to 64 characters, unique per person.
    pub id: String,
    /// At most [`MAX_TEXT`](super::MAX_TEXT) characters, and at least a visible one.
    pub text: String,
    /// An action (`/eu`) instead of speech.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub action: bool,
    /// The seq of the entry that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
}

/// Replaces the text of an own message. `seq` counts in the log that the client knows: after a `reset` it is another log,
/// and the client must forget an edit that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The room of the message.
    pub room: RoomName,
    /// 1 to 64 characters, unique per person.
    pub id: String,
    /// The seq of the message.
    pub seq: u64,
    /// The new text, with the bounds of a message.
    pub text: String,
}

/// Erases an own message; moderators may erase any. Nothing of its text stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erase {
    /// The room of the message.
    pub room: RoomName,
    /// 1 to 64 characters, unique per person.
    pub id: String,
    /// The seq of the message.
    pub seq: u64,
}

/// Says something to one person; delivered live and never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whisper {
    /// The name of a person present.
    pub to: Name,
    /// 1 to 64 characters, unique per person.
    pub id: String,
    /// The text, with the bounds of a message.
    pub text: String,
}

/// The person is typing in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Typing {
    /// The room in which the person types.
    pub room: RoomName,
}

/// Asks for a page of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchHistory {
    /// The room, which the connection must have joined.
    pub room: RoomName,
    /// Which entries.
    #[serde(flatten, serialize_with = "serialize_page")]
    pub page: PageRequest,
    /// Most entries, from 1; larger numbers count as [`MAX_PAGE`](super::MAX_PAGE).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Searches a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Search {
    /// The room, which the connection must have joined.
    pub room: RoomName,
    /// Words, of which the last may be a prefix; at most 200 characters.
    pub query: String,
    /// Most entries, from 1; larger numbers count as [`MAX_PAGE`](super::MAX_PAGE).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Changes the person's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rename {
    /// The new name.
    pub name: Name,
}

/// Gives a room a password, or removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetRoomPassword {
    /// The room, which the connection must have joined.
    pub room: RoomName,
    /// The new password; `None` removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
}

/// A request of a client. Every value in it has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Enters the chat; the first request of a connection.
    Enter(Enter),
    /// Opens a room.
    Join(Join),
    /// Leaves a room.
    Leave(Leave),
    /// Says something in a room.
    Say(Say),
    /// Edits an own message.
    Edit(Edit),
    /// Erases a message.
    Erase(Erase),
    /// Says something to one person.
    Whisper(Whisper),
    /// Reports typing.
    Typing(Typing),
    /// Asks for a page of a room's log.
    History(FetchHistory),
    /// Searches a room's log.
    Search(Search),
    /// Changes the person's name.
    Rename(Rename),
    /// Sets or removes a room's password.
    RoomPassword(SetRoomPassword),
    /// An action of moderation; only moderators may.
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

    /// Whether it opens a room, which the next message may name.
    pub(crate) fn opens_room(&self) -> bool {
        matches!(self, Self::Enter(_) | Self::Join(_))
    }

    /// The id of a message whose kind must have one. It is answered by an `ack` or an `error`, and counts in the
    /// connection's window until then.
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

    /// What is said, if this is answered by an `ack` of it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Say(say) => Some(&say.text),
            Self::Edit(edit) => Some(&edit.text),
            Self::Whisper(whisper) => Some(&whisper.text),
            _ => None,
        }
    }

    /// The JSON text of this message.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("client messages hold nothing that JSON can't say")
    }
}

/// A message with what its answer echoes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientRequest {
    /// What is asked for.
    #[serde(flatten)]
    pub message: ClientMessage,
    /// The id of a message whose kind needs none; the others hold it themselves.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    pub(super) optional_id: Option<String>,
    /// Whether the text is not the one that was sent, because it was cleaned.
    #[serde(skip)]
    pub text_changed: bool,
}

impl ClientRequest {
    /// A request with this id, 1 to 64 characters; ignored if the message has its own.
    pub fn with_id(message: ClientMessage, id: impl Into<String>) -> Self {
        let optional_id = message.id().is_none().then(|| id.into());
        Self {
            optional_id,
            ..Self::from(message)
        }
    }

    /// The sender's own id, if there is one: the answer echoes it.
    pub fn id(&self) -> Option<&str> {
        self.message.id().or(self.optional_id.as_deref())
    }

    /// The JSON text of this request.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("client messages hold nothing that JSON can't say")
    }
}

impl From<ClientMessage> for ClientRequest {
    fn from(message: ClientMessage) -> Self {
        Self {
            message,
            optional_id: None,
            text_changed: false,
        }
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
