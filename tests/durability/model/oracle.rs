//! What may be shown and refused, judged by everything that was ever stored.

use crate::log_entry::{EditState, EntryChange, LogEntry, change};
use papo::protocol::{Entry, ErrorCode, Refusal};
use std::sync::Arc;

/// An entry as it was from a moment on.
#[derive(Clone)]
pub struct EntryVersion {
    pub entry: LogEntry,
    /// The seq of the entry that gave it this form.
    pub since: u64,
}

/// What the log must hold, from what was stored.
#[derive(Clone, Default)]
pub struct ExpectedLog {
    pub entries: Vec<LogEntry>,
    /// Up to here it was trimmed.
    pub trimmed: u64,
    /// Each entry in all the forms that it ever had, the first one first.
    pub versions: Vec<Vec<EntryVersion>>,
}

impl ExpectedLog {
    /// The number of entries, those that were trimmed included.
    pub fn length(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The log has one more entry, and others are changed by it.
    pub fn record_stored(&mut self, entry: &Entry) {
        assert_eq!(entry.seq, self.length() + 1, "a hole in the log");
        let line = LogEntry::of(entry);
        if let Some(change) = line.apply_change {
            let target = &self.entries[change.target() as usize - 1];
            let theirs = target.from == line.from
                && target.apply_change.is_none()
                && target.edit_state != EditState::Erased;
            assert!(
                theirs && target.seq > self.trimmed,
                "{line:?} may not change {target:?}"
            );
        }
        for place in change(&mut self.entries, &line) {
            self.versions[place].push(EntryVersion {
                entry: self.entries[place].clone(),
                since: entry.seq,
            });
        }
        self.versions.push(vec![EntryVersion {
            entry: line.clone(),
            since: entry.seq,
        }]);
        self.entries.push(line);
    }
}

/// What is read from the log has been through every change up to this seq.
pub fn assert_up_to_date(log: &ExpectedLog, entries: &[Arc<Entry>], seq: u64) {
    for entry in entries {
        let forms = &log.versions[entry.seq as usize - 1];
        let line = LogEntry::of(entry);
        let latest = forms
            .iter()
            .rposition(|form| form.since <= seq)
            .unwrap_or(0);
        assert!(
            forms[latest..].iter().any(|form| form.entry == line),
            "{line:?} is not what it was at {seq}"
        );
    }
}

/// A change is refused only if its entry is gone, another person's, erased, or a change itself.
pub fn assert_refusal_allowed(log: &ExpectedLog, me: &str, refusal: &Refusal, change: EntryChange) {
    let target = &log.entries[change.target() as usize - 1];
    let right = match refusal.code {
        ErrorCode::NoSuchEntry => target.seq <= log.trimmed,
        ErrorCode::Forbidden => {
            target.from != me
                || target.edit_state == EditState::Erased
                || target.apply_change.is_some()
        }
        _ => false,
    };
    assert!(right, "{refusal:?} of {change:?} to {target:?}");
}
