//! The things that can be shown, before anybody has decided how: a terminal paints them, a pipe gets them as fields.
//!
//! Knows what a line says; never knows colours, columns or where it goes.

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Somebody said something in a room.
    Message {
        /// Its place in the room's log; 0 while it has none.
        seq: u64,
        state: State,
        /// The room's name with its `#`, when more than one is open.
        room: Option<String>,
        /// The room's name.
        place: String,
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
        /// The room's name with its `#`, when more than one is open.
        room: Option<String>,
        place: String,
        at: u64,
        from: String,
        change: Change,
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
        /// The room's name with its `#`, when more than one is open.
        room: Option<String>,
        place: String,
        came: Vec<String>,
        went: Vec<String>,
        renamed: Vec<(String, String)>,
    },
    /// A page of what was said before; whether there is nothing before it any more.
    Earlier {
        place: String,
        lines: Vec<Line>,
        start: bool,
    },
    /// What was found for a search in a room, oldest first; each a message.
    Found {
        place: String,
        query: String,
        lines: Vec<Line>,
        more: bool,
    },
    /// What follows was said in this room while there was no connection.
    Missed { place: String },
    /// From now on the person looks at this room.
    Here { place: String },
    /// Words of the client itself.
    Notice(Tone, String),
    /// Words of the client about one room.
    About {
        /// The room's name with its `#`, when more than one is open.
        room: Option<String>,
        place: String,
        text: String,
    },
    /// Who is here, in a sentence; a screen has its list.
    People(String),
    /// The commands; a screen has keys besides.
    Help(String),
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Whole,
    /// It has another text than at first.
    Edited,
    /// Its text was taken back.
    Erased,
}

/// What happens to earlier messages of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This one has another text.
    Edited { seq: u64, text: String },
    /// These, in rising order, have none any more.
    Erased(Vec<u64>),
    /// It was overtaken by another change.
    Nothing,
}

/// Why the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It happened by itself: somebody came, the connection is back.
    Info,
    /// It was asked for with a command.
    Answer,
    /// Something was not done.
    Problem,
}

impl Change {
    /// Brings a line to what it is now. Doing so twice changes nothing.
    pub fn apply(&self, line: &mut Line) {
        let Line::Message {
            seq,
            state,
            mention,
            text,
            ..
        } = line
        else {
            return;
        };
        match self {
            Self::Edited {
                seq: edited,
                text: new,
            } if edited == seq && *state != State::Erased => {
                (*state, *text) = (State::Edited, new.clone());
            }
            Self::Erased(seqs) if seqs.binary_search(seq).is_ok() => {
                (*state, *mention) = (State::Erased, false);
                text.clear();
            }
            _ => {}
        }
    }
}

impl Line {
    pub fn info(text: impl Into<String>) -> Self {
        Self::Notice(Tone::Info, text.into())
    }

    pub fn answer(text: impl Into<String>) -> Self {
        Self::Notice(Tone::Answer, text.into())
    }

    pub fn problem(text: impl Into<String>) -> Self {
        Self::Notice(Tone::Problem, text.into())
    }
}
