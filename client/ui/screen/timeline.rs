//! One room as the screen remembers it: what was shown, where reading stopped, and how far back the person has gone.
//!
//! Knows the order of entries; never knows rows, columns or colours.

use crate::app::output::{MessageChange, Output};
use std::collections::VecDeque;

/// Most entries kept in a room; what is older can be asked for again.
pub const MAX_ENTRIES: usize = 5000;
/// Stands above the first of them.
const FULL_NOTICE: &str =
    "Aqui cabem 5.000 mensagens. As mais antigas continuam no servidor: procure com /buscar.";
/// Most comings and goings told in one entry.
const MAX_PRESENCE_CHANGES: usize = 100;

/// One thing that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Rises down the room; earlier pages go below zero.
    pub id: i64,
    /// Unix milliseconds.
    pub at: u64,
    pub content: EntryContent,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryContent {
    /// A message, a whisper or words of the client.
    Output(Output),
    /// Who came (`+João`), left (`−Bruno`) or took another name.
    PresenceSummary(Vec<(char, String)>),
}

/// A row on the way through a room: the entry and the number of the row in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPosition {
    pub id: i64,
    pub row: usize,
}

/// One room.
#[derive(Debug, Default)]
pub struct Timeline {
    entries: VecDeque<TimelineEntry>,
    first_id: i64,
    /// Messages that came while nobody was looking at this room.
    pub unread: usize,
    /// Some of them speak to the person.
    pub mentioned: bool,
    /// The first entry that is new since reading stopped.
    pub unread_mark: Option<i64>,
    /// The uppermost row shown; `None` follows the end.
    pub top: Option<RowPosition>,
    /// Messages that came below what is shown.
    pub new_below: usize,
    /// That there is no room for earlier entries has been said.
    full_notice_shown: bool,
    /// The next entry was said while there was no connection.
    next_is_missed: bool,
}

impl Timeline {
    pub fn first_id(&self) -> i64 {
        self.first_id
    }

    pub fn end_id(&self) -> i64 {
        self.first_id + self.entries.len() as i64
    }

    pub fn get(&self, id: i64) -> Option<&TimelineEntry> {
        usize::try_from(id - self.first_id)
            .ok()
            .and_then(|index| self.entries.get(index))
    }

    /// What comes is read as it comes only if `watched`.
    pub fn push(&mut self, output: Output, now: u64, visible: bool) {
        let (at, own, mention) = match &output {
            Output::Message {
                at, own, mention, ..
            } => (*at, *own, *mention),
            Output::Whisper { at, own, .. } => (*at, *own, true),
            Output::Presence {
                joined,
                left,
                renamed,
                ..
            } => return self.add_presence(joined, left, renamed, now),
            // The client's own words have no time: they belong to what stands above them.
            _ => {
                return self.append(
                    EntryContent::Output(output),
                    self.entries.back().map_or(0, |entry| entry.at),
                );
            }
        };
        let read = own || (visible && self.top.is_none());
        if self.unread_mark.is_none() && ((!read) || (self.next_is_missed && !own)) {
            self.unread_mark = Some(self.end_id());
        }
        self.next_is_missed &= own;
        if !read {
            self.new_below += usize::from(self.top.is_some());
            self.unread += usize::from(!visible);
            self.mentioned |= mention && !visible;
        }
        self.append(EntryContent::Output(output), at);
    }

    /// What was said before is not as it was.
    pub fn amend(&mut self, change: &MessageChange) {
        for entry in &mut self.entries {
            match &mut entry.content {
                EntryContent::Output(Output::Found { messages, .. }) => messages
                    .iter_mut()
                    .for_each(|message| change.apply(message)),
                EntryContent::Output(output) => change.apply(output),
                EntryContent::PresenceSummary(_) => {}
            }
        }
    }

    /// What comes next was missed while there was no connection.
    pub fn mark_missed(&mut self) {
        self.next_is_missed = true;
    }

    /// Puts an earlier page before everything, as much of it as there is room for.
    pub fn prepend_page(&mut self, messages: Vec<Output>, reached_start: bool) {
        let free = MAX_ENTRIES.saturating_sub(self.entries.len());
        let too_many = messages.len() > free;
        for message in messages.into_iter().rev().take(free) {
            let at = if let Output::Message { at, .. } = &message {
                *at
            } else {
                0
            };
            self.prepend(EntryContent::Output(message), at);
        }
        let at = self.entries.front().map_or(0, |entry| entry.at);
        if too_many && !std::mem::replace(&mut self.full_notice_shown, true) {
            self.prepend(EntryContent::Output(Output::info(FULL_NOTICE)), at);
        } else if reached_start && free > 0 {
            self.prepend(EntryContent::Output(Output::info("Início da conversa")), at);
        }
    }

    /// Takes everything from the screen.
    pub fn clear(&mut self) {
        self.first_id = self.end_id();
        self.entries.clear();
        self.full_notice_shown = false;
        (self.unread_mark, self.top, self.new_below) = (None, None, 0);
    }

    /// Back to the end.
    pub fn follow_end(&mut self) {
        (self.top, self.new_below) = (None, 0);
    }

    /// Everything has been read.
    pub fn mark_read(&mut self) {
        (self.unread, self.mentioned) = (0, false);
    }

    fn append(&mut self, content: EntryContent, at: u64) {
        self.entries.push_back(TimelineEntry {
            id: self.end_id(),
            at,
            content,
        });
        if self.entries.len() > MAX_ENTRIES {
            self.entries.pop_front();
            self.first_id += 1;
        }
    }

    fn prepend(&mut self, content: EntryContent, at: u64) {
        self.first_id -= 1;
        self.entries.push_front(TimelineEntry {
            id: self.first_id,
            at,
            content,
        });
    }

    /// Comings and goings stand together as long as nothing else happens; whoever comes and goes at once was not there.
    fn add_presence(
        &mut self,
        joined: &[String],
        left: &[String],
        renamed: &[(String, String)],
        now: u64,
    ) {
        let mut moves = match self.entries.back_mut() {
            Some(TimelineEntry {
                content: EntryContent::PresenceSummary(moves),
                ..
            }) if moves.len() < MAX_PRESENCE_CHANGES => std::mem::take(moves),
            _ => {
                self.append(EntryContent::PresenceSummary(Vec::new()), now);
                Vec::new()
            }
        };
        let signs = joined
            .iter()
            .map(|name| ('+', name))
            .chain(left.iter().map(|name| ('−', name)));
        for (sign, name) in signs {
            let other = if sign == '+' { '−' } else { '+' };
            match moves
                .iter()
                .position(|(known, moved)| *known == other && moved == name)
            {
                Some(index) => drop(moves.remove(index)),
                None => moves.push((sign, name.clone())),
            }
        }
        moves.extend(
            renamed
                .iter()
                .map(|(from, to)| ('→', format!("{from} agora é {to}"))),
        );
        if moves.is_empty() {
            self.entries.pop_back();
        } else if let Some(entry) = self.entries.back_mut() {
            entry.content = EntryContent::PresenceSummary(moves);
        }
    }
}
