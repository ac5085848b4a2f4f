//! One room's log in memory: appending, amending and reading its entries.

use super::entry_size;
use crate::auth::{PersonId, TokenHash};
use crate::history::amend::{
    Amendment, Fingerprint, RecentWindow, SCAN_LIMIT, Target, entry_fingerprint, fingerprint,
};
use crate::history::clock::stamp;
use crate::history::{Append, Outcome, Page, fit_page};
use crate::name::{Name, RoomName};
use crate::protocol::{Entry, PageRequest};
use crate::text::fold;
use std::collections::VecDeque;
use std::sync::Arc;

/// One room's log.
pub(super) struct MemoryLog {
    pub name: RoomName,
    /// The person who opened the room first.
    pub owner: Option<TokenHash>,
    /// The last seq given.
    pub seq: u64,
    pub bytes: usize,
    pub entries: VecDeque<StoredEntry>,
}

/// One entry, with what recognizes a resend of it.
pub(super) struct StoredEntry {
    pub entry: Arc<Entry>,
    pub person: PersonId,
    pub id: Arc<str>,
    /// The fingerprint of the message, once the entry differs from it.
    fingerprint: Option<Fingerprint>,
}

impl StoredEntry {
    /// The outcome of a second message with the same id.
    pub(super) fn classify_resend(&self, again: &Append) -> Outcome {
        let first = &self.entry;
        let same_content = match self.fingerprint {
            Some(stored) => stored == fingerprint(again),
            None => {
                again.amends.is_none()
                    && first.text == again.text
                    && first.action == again.action
                    && first.reply_to == again.reply_to
            }
        };
        let same = same_content && fold(&first.room) == **again.room.key();
        if same {
            Outcome::Duplicate {
                seq: first.seq,
                at: first.at,
            }
        } else {
            Outcome::IdReused
        }
    }
}

impl MemoryLog {
    pub(super) fn new(name: RoomName, owner: Option<TokenHash>) -> Self {
        Self {
            name,
            owner,
            seq: 0,
            bytes: 0,
            entries: VecDeque::new(),
        }
    }

    /// The log's size if it has entries to drop: the latest one stays.
    pub(super) fn shrinkable_bytes(&self) -> Option<usize> {
        (self.entries.len() > 1).then_some(self.bytes)
    }

    pub(super) fn oldest(&self) -> u64 {
        self.seq - self.entries.len() as u64 + 1
    }

    /// The index of a seq among the entries, or of the first one after it.
    pub(super) fn index(&self, seq: u64) -> usize {
        usize::try_from(seq.saturating_sub(self.oldest()))
            .unwrap_or(usize::MAX)
            .min(self.entries.len())
    }

    /// Appends a message and applies it to its targets.
    pub(super) fn append(&mut self, append: Append) -> Result<Arc<Entry>, Outcome> {
        let mut edits = None;
        let mut erases = Vec::new();
        match &append.amends {
            None => {}
            Some(Amendment::Edit(seq)) => edits = Some(self.authorize_target(*seq, &append)?),
            Some(Amendment::Erase(seq)) => erases.push(self.authorize_target(*seq, &append)?),
            Some(Amendment::EraseByAuthor {
                name,
                since_ms,
                limit,
            }) => {
                let window = RecentWindow::new(*since_ms, append.at, *limit);
                erases = self.recent_by(name, window)?;
            }
        }
        let stored_fingerprint = append.amends.is_some().then(|| fingerprint(&append));
        if append.reply_to.is_some_and(|seq| !self.holds(seq)) {
            return Err(Outcome::NoSuchEntry);
        }
        self.seq += 1;
        let last = self.entries.back().map_or(0, |stored| stored.entry.at);
        let entry = Arc::new(Entry {
            room: self.name.as_str().into(),
            seq: self.seq,
            at: stamp(append.at, last),
            from: append.from,
            tag: append.tag,
            text: append.text,
            action: append.action,
            reply_to: append.reply_to,
            edits,
            erases,
            edited: false,
            erased: false,
        });
        if entry.is_amendment() {
            self.amend(&entry);
        }
        self.bytes += entry_size(&entry);
        self.entries.push_back(StoredEntry {
            entry: entry.clone(),
            person: append.person,
            id: append.id.into(),
            fingerprint: stored_fingerprint,
        });
        Ok(entry)
    }

    fn holds(&self, seq: u64) -> bool {
        self.entries
            .get(self.index(seq))
            .is_some_and(|stored| stored.entry.seq == seq)
    }

    /// Returns the seq if this message may change that entry.
    fn authorize_target(&self, seq: u64, append: &Append) -> Result<u64, Outcome> {
        let stored = self
            .entries
            .get(self.index(seq))
            .filter(|stored| stored.entry.seq == seq);
        let StoredEntry { entry, person, .. } = stored.ok_or(Outcome::NoSuchEntry)?;
        let target = Target {
            person: *person,
            is_amendment: entry.is_amendment(),
            erased: entry.erased,
        };
        target.authorize(append).map(|()| seq)
    }

    /// The seqs of the latest entries by this name, ascending.
    fn recent_by(&self, name: &Name, mut window: RecentWindow<u64>) -> Result<Vec<u64>, Outcome> {
        for StoredEntry { entry, .. } in self.entries.iter().rev().take(SCAN_LIMIT) {
            let is_target =
                !entry.is_amendment() && !entry.erased && fold(&entry.from) == **name.key();
            if !window.take(entry.at, is_target.then_some(entry.seq)) {
                break;
            }
        }
        let seqs = window.finish();
        if seqs.is_empty() {
            Err(Outcome::NothingToErase)
        } else {
            Ok(seqs)
        }
    }

    /// Changes the targets of a new entry. Copies of them that were handed out before stay as they were.
    fn amend(&mut self, amendment: &Entry) {
        let first = amendment.edits.or(amendment.erases.first().copied());
        let from = self.index(first.expect("an amendment has a target"));
        for stored in self.entries.range_mut(from..) {
            let Some(changed) = stored.entry.amended_by(amendment) else {
                continue;
            };
            stored
                .fingerprint
                .get_or_insert_with(|| entry_fingerprint(&stored.entry));
            self.bytes = self.bytes - stored.entry.text.len() + changed.text.len();
            stored.entry = Arc::new(changed);
        }
    }

    pub(super) fn page(&self, request: PageRequest, limit: usize) -> Page {
        let end = self.entries.len();
        let range = match request {
            PageRequest::After(seq) => {
                let from = self.index(seq.saturating_add(1));
                from..(from + limit).min(end)
            }
            PageRequest::Before(seq) => {
                let to = self.index(seq);
                to.saturating_sub(limit)..to
            }
            PageRequest::Latest => end.saturating_sub(limit)..end,
        };
        let entries = self.entries.range(range.clone());
        let mut entries: Vec<_> = entries.map(|stored| stored.entry.clone()).collect();
        let forward = matches!(request, PageRequest::After(_));
        let beyond = if forward {
            range.end < end
        } else {
            range.start > 0
        };
        if !forward {
            entries.reverse();
        }
        let cut = fit_page(&mut entries);
        if !forward {
            entries.reverse();
        }
        Page {
            oldest: self.oldest(),
            entries,
            more: cut || beyond,
        }
    }
}
