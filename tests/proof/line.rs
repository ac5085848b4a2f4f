//! The lines of a log, what is said, and what one line does to others: written here once more, as a measure for the server.

use papo::name::RoomName;
use papo::protocol::{ClientMessage, Entry};

/// What a message does to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Edit(u64),
    Erase(u64),
}

impl Change {
    /// The seq of the line that is changed.
    pub fn target(self) -> u64 {
        match self {
            Self::Edit(seq) | Self::Erase(seq) => seq,
        }
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    Unchanged,
    Edited,
    Erased,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub seq: u64,
    pub from: String,
    pub text: String,
    pub change: Option<Change>,
    pub fate: Fate,
}

impl Line {
    pub fn of(entry: &Entry) -> Self {
        let erases = entry.erases.first().map(|seq| Change::Erase(*seq));
        let fate = match (entry.edited, entry.erased) {
            (false, false) => Fate::Unchanged,
            (true, false) => Fate::Edited,
            (false, true) => Fate::Erased,
            (true, true) => panic!("edited and erased: {entry:?}"),
        };
        let change = entry.edits.map(Change::Edit).or(erases);
        Self {
            seq: entry.seq,
            from: entry.from.to_string(),
            text: entry.text.clone(),
            change,
            fate,
        }
    }

    /// A line that somebody said, before anything happened to it.
    pub fn said(seq: u64, from: &str, said: &Said) -> Self {
        let text = said.text.clone();
        Self {
            seq,
            from: from.into(),
            text,
            change: said.change,
            fate: Fate::Unchanged,
        }
    }

    /// Whether the text is that of the first moment.
    pub fn is_as_said(&self) -> bool {
        self.change.is_none() && self.fate == Fate::Unchanged
    }
}

/// Does to earlier lines what a later one says; gives the places of those that it changed.
pub fn change(lines: &mut [Line], later: &Line) -> Vec<usize> {
    let Some(change) = later.change else {
        return Vec::new();
    };
    let target = change.target();
    let concerned = |line: &Line| line.seq == target || line.change == Some(Change::Edit(target));
    let mut changed = Vec::new();
    for (place, line) in lines
        .iter_mut()
        .enumerate()
        .filter(|(_, line)| concerned(line))
    {
        if line.seq == target && line.fate != Fate::Erased {
            line.fate = if change == Change::Erase(target) {
                Fate::Erased
            } else {
                Fate::Edited
            };
        }
        line.text = if line.fate == Fate::Erased {
            String::new()
        } else {
            later.text.clone()
        };
        changed.push(place);
    }
    changed
}

/// A message that somebody wants to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub id: String,
    pub text: String,
    pub change: Option<Change>,
}

impl Said {
    /// The message that says it in the lobby.
    pub fn message(&self) -> ClientMessage {
        let (room, id, text) = (RoomName::lobby(), self.id.clone(), self.text.clone());
        match self.change {
            None => ClientMessage::Say {
                room,
                id,
                text,
                action: false,
                reply_to: None,
            },
            Some(Change::Edit(seq)) => ClientMessage::Edit {
                room,
                id,
                seq,
                text,
            },
            Some(Change::Erase(seq)) => ClientMessage::Erase { room, id, seq },
        }
    }
}
