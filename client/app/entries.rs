//! Entries of a log, made into lines: something said, or a change to what was said before.

use super::App;
use crate::line::{Change, Line, State};
use crate::{mention, visible};
use papo::protocol::Entry;
use papo::text::fold;

impl App {
    /// Whether somebody else said something in it.
    pub(super) fn is_news(&self, entry: &Entry) -> bool {
        !entry.is_amendment() && !self.is_me(&entry.tag)
    }

    /// What an entry comes to: something said, or a change to what was said before.
    pub(super) fn line(&self, place: usize, entry: &Entry) -> Line {
        let change = match entry.edits {
            _ if !entry.is_amendment() => return self.message(place, entry),
            // The text is gone: a later change has taken it back.
            Some(_) if entry.text.is_empty() => Change::Nothing,
            Some(seq) => Change::Edited {
                seq,
                text: visible::text(&entry.text),
            },
            None => Change::Erased(entry.erases.clone()),
        };
        self.amended(place, entry.at, visible::line(&entry.from), change)
    }

    /// A change to what was said before.
    pub(super) fn amended(&self, place: usize, at: u64, from: String, change: Change) -> Line {
        let (room, place) = (self.label(place), self.rooms[place].name.to_string());
        Line::Amended {
            room,
            place,
            at,
            from,
            change,
        }
    }

    pub(super) fn message(&self, place: usize, entry: &Entry) -> Line {
        let (room, own) = (&self.rooms[place], self.is_me(&entry.tag));
        let text = visible::text(&entry.text);
        let state = match (entry.erased, entry.edited) {
            (true, _) => State::Erased,
            (false, true) => State::Edited,
            (false, false) => State::Whole,
        };
        Line::Message {
            seq: entry.seq,
            state,
            room: self.label(place),
            place: room.name.to_string(),
            at: entry.at,
            from: visible::line(&entry.from),
            own,
            action: entry.action,
            mention: !own
                && !self.ignored.contains(&fold(&visible::line(&entry.from)))
                && mention::speaks_to(&text, &self.my_name(), room.people()),
            text,
        }
    }
}
