//! Log entries turned into outputs: a message, or a change to earlier ones.

use super::App;
use crate::app::output::{MessageChange, MessageState, Output};
use crate::app::{mention, sanitize};
use papo::protocol::Entry;
use papo::text::fold;

impl App {
    /// Whether it is a message of another person.
    pub(super) fn is_from_others(&self, entry: &Entry) -> bool {
        !entry.is_amendment() && !self.is_me(&entry.tag)
    }

    /// A message, or a change to earlier ones.
    pub(super) fn output_for(&self, index: usize, entry: &Entry) -> Output {
        let change = match entry.edits {
            _ if !entry.is_amendment() => return self.message_output(index, entry),
            // An edit without a text was replaced by a later change.
            Some(_) if entry.text.is_empty() => MessageChange::Superseded,
            Some(seq) => MessageChange::Edited {
                seq,
                text: sanitize::text(&entry.text),
            },
            None => MessageChange::Erased(entry.erases.clone()),
        };
        self.amended_output(index, entry.at, sanitize::message(&entry.from), change)
    }

    pub(super) fn amended_output(
        &self,
        index: usize,
        at: u64,
        from: String,
        change: MessageChange,
    ) -> Output {
        Output::Amended {
            room: self.rooms[index].name.to_string(),
            at,
            from,
            change,
        }
    }

    pub(super) fn message_output(&self, index: usize, entry: &Entry) -> Output {
        let room = &self.rooms[index];
        let own = self.is_me(&entry.tag);
        let from = sanitize::message(&entry.from);
        let text = sanitize::text(&entry.text);
        let ignored = self.ignored.contains(&fold(&from));
        let state = match (entry.erased, entry.edited) {
            (true, _) => MessageState::Erased,
            (false, true) => MessageState::Edited,
            (false, false) => MessageState::Unchanged,
        };
        Output::Message {
            seq: entry.seq,
            state,
            room: room.name.to_string(),
            at: entry.at,
            from,
            own,
            action: entry.action,
            mention: !own && !ignored && mention::mentions(&text, &self.my_name(), room.people()),
            text,
        }
    }
}
