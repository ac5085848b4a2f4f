//! Little space for the history: moderators are warned, with the name of the person who has written most.

use crate::chat::{Chat, Now, Speaker};
use crate::history::SpaceWarning;
use crate::ids::ConnId;
use crate::protocol::{Entry, ServerMessage};
use crate::pt::megabytes;
use std::collections::HashMap;
use std::sync::Arc;

/// People whose bytes are counted; beyond, a new one takes the place of the one with the fewest.
const MAX_COUNTED: usize = 1_000;

/// What a person has written since the start.
struct Written {
    name: Arc<str>,
    bytes: u64,
}

/// The current warning, and how much each person has written.
#[derive(Default)]
pub(super) struct Space {
    warning: Option<SpaceWarning>,
    /// By the person's tag.
    written: HashMap<Arc<str>, Written>,
}

impl Space {
    /// Counts an entry that was stored.
    pub(super) fn count(&mut self, entry: &Entry) {
        let bytes = entry.text.len() as u64;
        if let Some(written) = self.written.get_mut(&entry.tag) {
            written.bytes += bytes;
            if written.name != entry.from {
                written.name = entry.from.clone();
            }
            return;
        }
        if self.written.len() >= MAX_COUNTED {
            let fewest = self.written.iter().min_by_key(|(_, written)| written.bytes);
            if let Some(tag) = fewest.map(|(tag, _)| tag.clone()) {
                self.written.remove(&tag);
            }
        }
        let name = entry.from.clone();
        self.written
            .insert(entry.tag.clone(), Written { name, bytes });
    }

    /// The warning as a sentence, with who writes most.
    fn sentence(&self) -> Option<String> {
        let warning = self.warning?.describe();
        let most = self.written.values();
        let most = most.max_by_key(|written| written.bytes);
        Some(match most.filter(|most| most.bytes > 0) {
            Some(Written { name, bytes }) => format!(
                "{warning} Quem mais escreveu desde que o servidor foi ligado: {name} ({}).",
                megabytes(*bytes)
            ),
            None => warning,
        })
    }
}

impl Chat {
    /// The history has little space left, or enough again. Only what is worse than before is told.
    pub(super) fn space_changed(&mut self, warning: Option<SpaceWarning>, now: Now) {
        let threshold = |warning: Option<SpaceWarning>| warning.map(|warning| warning.threshold);
        let before = std::mem::replace(&mut self.space.warning, warning);
        if threshold(warning) <= threshold(before) {
            return;
        }
        let Some(text) = self.space.sentence() else {
            return;
        };
        let entered = self.conns.iter().filter(|(_, state)| !state.closing);
        let moderators: Vec<ConnId> = entered
            .filter(|(_, state)| {
                state
                    .person
                    .is_some_and(|person| self.people[person].moderator)
            })
            .map(|(conn, _)| conn)
            .collect();
        self.send_space_warning(moderators, text, now);
    }

    /// Tells a moderator who has just entered.
    pub(super) fn warn_of_space(&mut self, speaker: Speaker, now: Now) {
        if self.people[speaker.person].moderator
            && let Some(text) = self.space.sentence()
        {
            self.send_space_warning(vec![speaker.conn], text, now);
        }
    }

    fn send_space_warning(&mut self, conns: Vec<ConnId>, text: String, now: Now) {
        let notice = ServerMessage::Notice {
            at: now.unix_ms,
            text,
            room: None,
            from: None,
            id: None,
        };
        self.multicast(conns, notice);
    }
}
