//! What can be shown, independent of how: the full screen draws it, plain lines print it as fields.
//!
//! Never knows colours, columns or streams.

use papo::protocol::RoomState;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A message in a room.
    Message {
        /// Its position in the room's log; 0 while it has none.
        seq: u64,
        state: MessageState,
        room: String,
        /// Unix milliseconds, by the server's clock.
        at: u64,
        from: String,
        /// Sent by this person.
        own: bool,
        /// An action (`/eu`).
        action: bool,
        /// Mentions this person.
        mention: bool,
        text: String,
    },
    /// A change to an earlier message; only plain lines print it as a record of its own.
    Amended {
        room: String,
        at: u64,
        from: String,
        change: MessageChange,
    },
    /// A message to one person. One of the two names is `você`: the sender if it is `own`.
    Whisper {
        at: u64,
        own: bool,
        from: String,
        to: String,
        text: String,
    },
    /// People joined a room, left it, or changed their name.
    Presence {
        room: String,
        joined: Vec<String>,
        left: Vec<String>,
        renamed: Vec<(String, String)>,
    },
    /// A page of earlier messages, perhaps the first of the log.
    EarlierPage {
        room: String,
        messages: Vec<Output>,
        reached_start: bool,
    },
    /// The results of a search in a room, oldest first.
    Found {
        room: String,
        query: String,
        messages: Vec<Output>,
        more: bool,
    },
    /// What follows was sent to this room while there was no connection.
    MissedMarker { room: String },
    /// A room was joined; its messages follow.
    RoomOpened { room: String },
    /// A room was left.
    RoomClosed { room: String },
    /// This is the current room from now on.
    RoomSwitched { room: String },
    /// The restrictions in a room that was joined; the screen shows them all the time.
    RoomState { room: String, state: RoomState },
    /// A sentence of the client itself.
    Notice(Severity, String),
    /// A sentence of the client about one room.
    RoomNotice { room: String, text: String },
    /// The people in the room, in a sentence; the screen has its list instead.
    People(String),
    /// The commands; the screen adds its keys.
    Help(String),
}

/// Whether a message is as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageState {
    #[default]
    Unchanged,
    Edited,
    /// It has no text any more.
    Erased,
}

/// A change to earlier messages of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageChange {
    /// This message has a new text.
    Edited { seq: u64, text: String },
    /// These messages, in rising order, have no text any more.
    Erased(Vec<u64>),
    /// A later change has replaced this one.
    Superseded,
}

/// Why a notice is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something happened: a person came, the connection is back.
    Info,
    /// The answer to a command.
    Answer,
    /// Something was not done.
    Problem,
}

impl MessageChange {
    /// Applies the change to a message. Applying it twice changes nothing more.
    pub fn apply(&self, output: &mut Output) {
        let Output::Message {
            seq,
            state,
            mention,
            text,
            ..
        } = output
        else {
            return;
        };
        match self {
            Self::Edited {
                seq: edited,
                text: new,
            } if edited == seq && *state != MessageState::Erased => {
                *state = MessageState::Edited;
                text.clone_from(new);
            }
            Self::Erased(seqs) if seqs.binary_search(seq).is_ok() => {
                *state = MessageState::Erased;
                *mention = false;
                text.clear();
            }
            _ => {}
        }
    }
}

impl Output {
    pub fn info(text: impl Into<String>) -> Self {
        Self::Notice(Severity::Info, text.into())
    }

    pub fn answer(text: impl Into<String>) -> Self {
        Self::Notice(Severity::Answer, text.into())
    }

    pub fn problem(text: impl Into<String>) -> Self {
        Self::Notice(Severity::Problem, text.into())
    }
}
