//! The entries of a log and how one changes others: written here once more, as a reference for the server.

use papo::name::RoomName;
use papo::protocol::{ClientMessage, Edit, Entry, Erase, Say};

/// What a message does to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryChange {
    Edit(u64),
    Erase(u64),
}

impl EntryChange {
    /// The seq of the entry that is changed.
    pub fn target(self) -> u64 {
        match self {
            Self::Edit(seq) | Self::Erase(seq) => seq,
        }
    }
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditState {
    #[default]
    Unchanged,
    Edited,
    Erased,
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub seq: u64,
    pub from: String,
    pub text: String,
    pub apply_change: Option<EntryChange>,
    pub edit_state: EditState,
}

impl LogEntry {
    pub fn of(entry: &Entry) -> Self {
        let erases = entry.erases.first().map(|seq| EntryChange::Erase(*seq));
        let edit_state = match (entry.edited, entry.erased) {
            (false, false) => EditState::Unchanged,
            (true, false) => EditState::Edited,
            (false, true) => EditState::Erased,
            (true, true) => panic!("edited and erased: {entry:?}"),
        };
        let apply_change = entry.edits.map(EntryChange::Edit).or(erases);
        Self {
            seq: entry.seq,
            from: entry.from.to_string(),
            text: entry.text.clone(),
            apply_change,
            edit_state,
        }
    }

    /// An entry as it was sent, before anything changed it.
    pub fn from_sent(seq: u64, from: &str, said: &SentMessage) -> Self {
        let text = said.text.clone();
        Self {
            seq,
            from: from.into(),
            text,
            apply_change: said.change,
            edit_state: EditState::Unchanged,
        }
    }

    /// Whether the text is that of the first moment.
    pub fn is_original(&self) -> bool {
        self.apply_change.is_none() && self.edit_state == EditState::Unchanged
    }
}

/// Applies a later entry to earlier ones; returns the indices of those that it changed.
pub fn change(lines: &mut [LogEntry], later: &LogEntry) -> Vec<usize> {
    let Some(change) = later.apply_change else {
        return Vec::new();
    };
    let target = change.target();
    let concerned = |line: &LogEntry| {
        line.seq == target || line.apply_change == Some(EntryChange::Edit(target))
    };
    let mut changed = Vec::new();
    for (place, line) in lines
        .iter_mut()
        .enumerate()
        .filter(|(_, line)| concerned(line))
    {
        if line.seq == target && line.edit_state != EditState::Erased {
            line.edit_state = if change == EntryChange::Erase(target) {
                EditState::Erased
            } else {
                EditState::Edited
            };
        }
        line.text = if line.edit_state == EditState::Erased {
            String::new()
        } else {
            later.text.clone()
        };
        changed.push(place);
    }
    changed
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    pub id: String,
    pub text: String,
    pub change: Option<EntryChange>,
}

impl SentMessage {
    /// Its place among all that this person sent: the ids are numbered.
    pub fn number(&self) -> usize {
        self.id[1..].parse().expect("the ids are numbered")
    }

    /// The request that sends it to the lobby.
    pub fn to_request(&self) -> ClientMessage {
        let room = RoomName::lobby();
        let id = self.id.clone();
        let text = self.text.clone();
        match self.change {
            None => ClientMessage::Say(Say {
                room,
                id,
                text,
                action: false,
                reply_to: None,
            }),
            Some(EntryChange::Edit(seq)) => ClientMessage::Edit(Edit {
                room,
                id,
                seq,
                text,
            }),
            Some(EntryChange::Erase(seq)) => ClientMessage::Erase(Erase { room, id, seq }),
        }
    }
}
