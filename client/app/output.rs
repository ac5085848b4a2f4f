//! The things that can be shown, before anybody has decided how: a terminal paints them, a pipe gets them as fields.
//!
//! Knows what a line says; never knows colours, columns or where it goes.

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Somebody said something in a room.
    Message {
        /// Its place in the room's log; 0 while it has none.
        seq: u64,
        state: MessageState,
        room: String,
        /// Unix milliseconds, by the server's clock.
        at: u64,
        from: String,
        /// Said by the person who sits here.
        own: bool,
        /// Done (`/eu`) instead of said.
        action: bool,
        /// Speaks to the person who sits here.
        mention: bool,
        text: String,
    },
    /// Somebody changed what was said before; only plain lines tell it by itself.
    Amended {
        room: String,
        at: u64,
        from: String,
        change: MessageChange,
    },
    /// Somebody said something to one person alone; one of the two is `você`, the one who sent it if it is `own`.
    Whisper {
        at: u64,
        own: bool,
        from: String,
        to: String,
        text: String,
    },
    /// People came to a room, left it, or took another name there.
    Presence {
        room: String,
        joined: Vec<String>,
        left: Vec<String>,
        renamed: Vec<(String, String)>,
    },
    /// A page of what was said before; whether there is nothing before it any more.
    EarlierPage {
        room: String,
        messages: Vec<Output>,
        reached_start: bool,
    },
    /// What was found for a search in a room, oldest first; each a message.
    Found {
        room: String,
        query: String,
        messages: Vec<Output>,
        more: bool,
    },
    /// What follows was said in this room while there was no connection.
    MissedMarker { room: String },
    /// A room was joined; its messages follow.
    RoomOpened { room: String },
    /// A room was left.
    RoomClosed { room: String },
    /// From now on the person looks at this room.
    RoomSwitched { room: String },
    /// Words of the client itself.
    Notice(Severity, String),
    /// Words of the client about one room.
    RoomNotice { room: String, text: String },
    /// Who is here, in a sentence; a screen has its list.
    People(String),
    /// The commands; a screen has keys besides.
    Help(String),
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageState {
    #[default]
    Unchanged,
    /// It has another text than at first.
    Edited,
    /// Its text was taken back.
    Erased,
}

/// What happens to earlier messages of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageChange {
    /// This one has another text.
    Edited { seq: u64, text: String },
    /// These, in rising order, have none any more.
    Erased(Vec<u64>),
    /// It was overtaken by another change.
    Superseded,
}

/// Why the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It happened by itself: somebody came, the connection is back.
    Info,
    /// It was asked for with a command.
    Answer,
    /// Something was not done.
    Problem,
}

impl MessageChange {
    /// Brings a line to what it is now. Doing so twice changes nothing.
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
                (*state, *text) = (MessageState::Edited, new.clone());
            }
            Self::Erased(seqs) if seqs.binary_search(seq).is_ok() => {
                (*state, *mention) = (MessageState::Erased, false);
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
