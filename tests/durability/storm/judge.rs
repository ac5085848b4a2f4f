//! The judge of the storm. Time is cut into phases: within one the log only grows; between two, while the server is dead
//! and nobody is connected, the log may have gone back or the server's clock may have moved.

use super::board::Report;
use super::files::StoredLog;
use super::plan::Aftermath;
use crate::log_entry::LogEntry;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the epoch of a phase has to be.
#[derive(Debug, Clone)]
enum EpochRule {
    /// Nothing has happened to the log.
    Same(String),
    /// The log has gone back behind what somebody has seen of it, or it is a copy.
    New,
    /// The log has gone back, and nobody can know.
    Any,
}

/// What the log must hold, and under which epochs.
pub struct Judge {
    /// What the log held when the phase began.
    base: Vec<LogEntry>,
    rule: EpochRule,
    /// The epoch that somebody has to end in this phase by being ahead of the log.
    claimed: Option<String>,
    /// What happened before the phase.
    after: Aftermath,
    /// How far people have ever seen the log of each epoch.
    seen: HashMap<String, u64>,
    /// Messages that were stored while others were refused: those are stored later than what was sent after them.
    unordered: HashSet<String>,
}

impl Judge {
    pub fn new() -> Self {
        Self {
            base: Vec::new(),
            rule: EpochRule::Any,
            claimed: None,
            after: Aftermath::Nothing,
            seen: HashMap::new(),
            unordered: HashSet::new(),
        }
    }

    /// How much the log held when the phase began.
    pub fn base_length(&self) -> usize {
        self.base.len()
    }

    /// Judges what the people have seen in a phase by the log that the dead server left. `refused` if anything was refused.
    pub fn end_phase(&mut self, log: &StoredLog, reports: &[Report], refused: bool) {
        let entries = &log.entries;
        assert!(
            entries.starts_with(&self.base),
            "the log lost something that it held: {} of {} entries",
            self.base
                .iter()
                .zip(entries)
                .take_while(|(a, b)| a == b)
                .count(),
            self.base.len()
        );
        if refused {
            let new = entries[self.base.len()..].iter();
            self.unordered.extend(new.map(|entry| entry.text.clone()));
        }
        assert_well_formed(entries, &self.unordered);
        let joined = reports.iter().flat_map(|report| &report.joined_epochs);
        // The epoch that is ended by a claim is seen once more before the new one begins.
        let joined = joined.filter(|epoch| self.claimed.as_ref() != Some(epoch));
        let joined: BTreeSet<String> = joined.cloned().collect();
        assert_eq!(joined.len(), 1, "one log had these epochs: {joined:?}");
        let epoch = joined.first().expect("somebody has joined");
        self.assert_right_epoch(epoch);
        for report in reports {
            let epochs = [Some(epoch), self.claimed.as_ref()];
            assert_seen_is_stored(entries, &epochs, report);
            if report.epoch.as_ref() == Some(epoch) {
                let seen = self.seen.entry(epoch.clone()).or_default();
                *seen = report.highest_known_seq.max(*seen);
            }
        }
    }

    fn assert_right_epoch(&self, epoch: &str) {
        match &self.rule {
            EpochRule::Same(same) => {
                assert_eq!(same, epoch, "a new epoch after {:?}", self.after);
            }
            EpochRule::New => assert!(
                !self.seen.contains_key(epoch),
                "{:?}: the log went back to {} entries, and has the epoch {epoch} again",
                self.after,
                self.base.len()
            ),
            EpochRule::Any => {}
        }
    }

    /// The next phase begins with this log, which is the one of the last phase if nothing happened.
    pub fn begin_phase(&mut self, log: StoredLog, after: Aftermath) {
        self.rule = match &log.epoch {
            _ if log.is_copy => EpochRule::New,
            Some(epoch) if self.is_ahead(epoch, &log) => EpochRule::New,
            Some(epoch) if after == Aftermath::Nothing => EpochRule::Same(epoch.clone()),
            Some(_) => EpochRule::Any,
            None => EpochRule::New,
        };
        self.claimed = None;
        self.after = after;
        self.base = log.entries;
    }

    /// Only somebody who is ahead of this epoch's log can tell that it went back.
    pub fn expect_claim(&mut self, epoch: &str) {
        self.claimed = Some(epoch.to_owned());
    }

    /// Whether the new phase must have a new epoch.
    pub fn expects_new_epoch(&self) -> bool {
        matches!(self.rule, EpochRule::New)
    }

    /// Whether somebody has ever seen more of this epoch's log.
    fn is_ahead(&self, epoch: &str, log: &StoredLog) -> bool {
        self.seen
            .get(epoch)
            .is_some_and(|seen| *seen > log.entries.len() as u64)
    }
}

/// No gap, nothing twice, and each person's messages in the order of sending.
fn assert_well_formed(log: &[LogEntry], unordered: &HashSet<String>) {
    let mut texts = HashSet::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (entry, seq) in log.iter().zip(1..) {
        assert_eq!(entry.seq, seq, "the seqs have a gap");
        assert!(texts.insert(&*entry.text), "stored twice: {entry:?}");
        if unordered.contains(&entry.text) {
            continue;
        }
        let number = entry.text.rsplit(' ').next().unwrap().parse().unwrap();
        let before = last.insert(&entry.from, number).unwrap_or(0);
        assert!(before < number, "out of order: {entry:?} after {before}");
    }
}

/// Everything that a person was shown is in the log, at that seq: acknowledged, held, or seen in passing.
fn assert_seen_is_stored(log: &[LogEntry], epochs: &[Option<&String>; 2], report: &Report) {
    let name = &report.name;
    for (seen_in, entry) in &report.placed {
        let right = epochs.contains(&Some(seen_in));
        assert!(right, "{name}: {entry:?} in {seen_in}, not in {epochs:?}");
        let stored = log.get(entry.seq as usize - 1);
        assert_eq!(stored, Some(entry), "{name} was shown something else");
    }
    if report.epoch.as_ref() != epochs[0] {
        return;
    }
    assert!(
        log.starts_with(&report.entries),
        "{name} holds something else"
    );
    let length = log.len() as u64;
    assert!(
        report.highest_known_seq <= length,
        "{name} knows of {} entries, and {length} are stored",
        report.highest_known_seq
    );
}
