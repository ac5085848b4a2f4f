//! One room as the screen keeps it: its entries, the unread mark and the scroll position.
//!
//! Knows the order of entries; never knows rows, columns or colours.

use crate::app::output::{MessageChange, Output};
use std::collections::VecDeque;

/// Most entries kept in a room; older ones can be requested again.
pub const MAX_ENTRIES: usize = 5000;
/// Shown above the first entry once no more can be kept.
const FULL_NOTICE: &str =
    "Aqui cabem 5.000 mensagens. As mais antigas continuam no servidor: procure com /buscar.";
/// Most presence changes in one entry.
const MAX_PRESENCE_CHANGES: usize = 100;

/// One item of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Rises from top to bottom; earlier pages have negative ids.
    pub id: i64,
    /// Unix milliseconds.
    pub at: u64,
    pub content: EntryContent,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryContent {
    /// A message, a whisper or a notice.
    Output(Output),
    /// People who joined (`+João`), left (`−Bruno`) or changed their name (`→`).
    PresenceSummary(Vec<(char, String)>),
}

/// A row of a room: an entry and the index of a row in it.
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
    /// Messages that arrived while the room was not visible.
    pub unread: usize,
    /// Some of them mention the person.
    pub mentioned: bool,
    /// The first unread entry.
    pub unread_mark: Option<i64>,
    /// The uppermost row shown; `None` follows the end.
    pub top: Option<RowPosition>,
    /// Messages that arrived below the visible rows.
    pub new_below: usize,
    full_notice_shown: bool,
    /// The next entry arrived while there was no connection.
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

    /// Adds an output. It counts as read only if the end of the room is `visible`.
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
            // A notice has no time of its own: it takes that of the entry above.
            _ => {
                return self.append(
                    EntryContent::Output(output),
                    self.entries.back().map_or(0, |entry| entry.at),
                );
            }
        };
        let read = own || (visible && self.top.is_none());
        if self.unread_mark.is_none() && (!read || (self.next_is_missed && !own)) {
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

    /// Applies a change to earlier messages.
    pub fn amend(&mut self, change: &MessageChange) {
        for entry in &mut self.entries {
            match &mut entry.content {
                EntryContent::Output(Output::Found { messages, .. }) => {
                    for message in messages {
                        change.apply(message);
                    }
                }
                EntryContent::Output(output) => change.apply(output),
                EntryContent::PresenceSummary(_) => {}
            }
        }
    }

    /// The next entries were missed while there was no connection.
    pub fn mark_missed(&mut self) {
        self.next_is_missed = true;
    }

    /// Prepends an earlier page, as much of it as fits.
    pub fn prepend_page(&mut self, messages: Vec<Output>, reached_start: bool) {
        let free = MAX_ENTRIES.saturating_sub(self.entries.len());
        let too_many = messages.len() > free;
        for message in messages.into_iter().rev().take(free) {
            let at = match &message {
                Output::Message { at, .. } => *at,
                _ => 0,
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

    pub fn clear(&mut self) {
        self.first_id = self.end_id();
        self.entries.clear();
        self.full_notice_shown = false;
        self.unread_mark = None;
        self.follow_end();
    }

    /// Scrolls to the end.
    pub fn follow_end(&mut self) {
        self.top = None;
        self.new_below = 0;
    }

    pub fn mark_read(&mut self) {
        self.unread = 0;
        self.mentioned = false;
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

    /// Presence changes in a row share one entry; joining and leaving within it cancel each other.
    fn add_presence(
        &mut self,
        joined: &[String],
        left: &[String],
        renamed: &[(String, String)],
        now: u64,
    ) {
        let mut changes = self.take_presence_summary(now);
        for name in joined {
            add_or_cancel(&mut changes, '+', '−', name);
        }
        for name in left {
            add_or_cancel(&mut changes, '−', '+', name);
        }
        for (from, to) in renamed {
            changes.push(('→', format!("{from} agora é {to}")));
        }
        if changes.is_empty() {
            self.entries.pop_back();
        } else if let Some(entry) = self.entries.back_mut() {
            entry.content = EntryContent::PresenceSummary(changes);
        }
    }

    /// The changes of the last entry, which is a presence summary afterwards.
    fn take_presence_summary(&mut self, now: u64) -> Vec<(char, String)> {
        if let Some(entry) = self.entries.back_mut()
            && let EntryContent::PresenceSummary(changes) = &mut entry.content
            && changes.len() < MAX_PRESENCE_CHANGES
        {
            return std::mem::take(changes);
        }
        self.append(EntryContent::PresenceSummary(Vec::new()), now);
        Vec::new()
    }
}

/// Adds a presence change, or removes the opposite one of the same person.
fn add_or_cancel(changes: &mut Vec<(char, String)>, sign: char, opposite: char, name: &str) {
    let cancelled = changes
        .iter()
        .position(|(known, changed)| *known == opposite && changed == name);
    match cancelled {
        Some(index) => drop(changes.remove(index)),
        None => changes.push((sign, name.to_owned())),
    }
}
