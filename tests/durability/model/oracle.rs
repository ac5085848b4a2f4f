//! What may be shown and refused, judged by everything that was ever stored.

use crate::log_entry::{EditState, EntryChange, LogEntry, change};
use crate::model::simulation::Simulation;
use papo::protocol::{Entry, ErrorCode, Refusal};
use std::sync::Arc;

/// An entry as it was from a moment on.
pub struct EntryVersion {
    pub entry: LogEntry,
    /// The seq of the entry that gave it this form.
    pub since: u64,
}

impl Simulation {
    /// The log has one more entry, and others are changed by it.
    pub fn record_stored(&mut self, entry: &Entry) {
        assert_eq!(
            entry.seq,
            self.expected.len() as u64 + 1,
            "a hole in the log"
        );
        let line = LogEntry::of(entry);
        if let Some(change) = line.apply_change {
            let target = &self.expected[change.target() as usize - 1];
            let theirs = target.from == line.from
                && target.apply_change.is_none()
                && target.edit_state != EditState::Erased;
            assert!(
                theirs && target.seq > self.trimmed,
                "{line:?} may not change {target:?}"
            );
        }
        for place in change(&mut self.expected, &line) {
            self.versions[place].push(EntryVersion {
                entry: self.expected[place].clone(),
                since: entry.seq,
            });
        }
        self.versions.push(vec![EntryVersion {
            entry: line.clone(),
            since: entry.seq,
        }]);
        self.expected.push(line);
    }
}

/// What is read from the log has been through every change up to this seq.
pub fn assert_up_to_date(forms: &[Vec<EntryVersion>], entries: &[Arc<Entry>], seq: u64) {
    for entry in entries {
        let forms = &forms[entry.seq as usize - 1];
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
pub fn assert_refusal_allowed(
    truth: &[LogEntry],
    trimmed: u64,
    me: &str,
    refusal: &Refusal,
    change: EntryChange,
) {
    let target = &truth[change.target() as usize - 1];
    let right = match refusal.code {
        ErrorCode::NoSuchEntry => target.seq <= trimmed,
        ErrorCode::Forbidden => {
            target.from != me
                || target.edit_state == EditState::Erased
                || target.apply_change.is_some()
        }
        _ => false,
    };
    assert!(right, "{refusal:?} of {change:?} to {target:?}");
}
