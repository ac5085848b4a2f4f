//! Where a room's log stands, and its last entries: what a room can show to whoever comes without asking the history.
//!
//! Knows entries and seqs; never knows who is in the room.

use crate::history::{PAGE_BYTES, RECENT, RoomHead, fit_page};
use crate::ids::ConnId;
use crate::protocol::{Entry, MAX_PAGE, ResumePoint};
use std::collections::VecDeque;
use std::sync::Arc;

/// Entries that somebody new to a room is shown at once.
const JOIN_PAGE: usize = 50;

/// Most bytes of text that a room keeps at hand beside its last entry: several pages. There may be ten thousand rooms,
/// and three hundred of the longest messages are five megabytes.
const MAX_RECENT_BYTES: usize = 4 * PAGE_BYTES;

/// Where a room's log stands.
pub enum RoomLog {
    /// The history was asked; these wait for its answer.
    Opening(Vec<(ConnId, ResumePoint)>),
    /// Everything up to `seq` was shown.
    Open {
        seq: u64,
        oldest: u64,
        /// The last entries, without gaps, up to `seq`, and the bytes of their texts.
        recent: VecDeque<Arc<Entry>>,
        recent_bytes: usize,
    },
}

/// What somebody who opens a room is given of its log.
#[derive(Debug, PartialEq)]
pub struct Backfill {
    pub seq: u64,
    pub oldest: u64,
    pub entries: Vec<Arc<Entry>>,
    pub more: bool,
    pub reset: bool,
}

impl RoomLog {
    /// The last seq; 0 while the log is not open.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Opening(_) => 0,
            Self::Open { seq, .. } => *seq,
        }
    }

    /// The history told where the log stands; gives back who waited for it.
    pub fn open(&mut self, head: RoomHead) -> Vec<(ConnId, ResumePoint)> {
        if matches!(self, Self::Open { .. }) {
            return Vec::new();
        }
        let recent_bytes = head.entries.iter().map(|entry| entry.text.len()).sum();
        let log = Self::Open {
            seq: head.seq,
            oldest: head.oldest,
            recent: head.entries.into(),
            recent_bytes,
        };
        let waiting = match std::mem::replace(self, log) {
            Self::Opening(waiting) => waiting,
            Self::Open { .. } => Vec::new(),
        };
        self.drop_oldest_recent();
        waiting
    }

    /// A new entry was stored and is about to be shown. Whoever comes from now on sees the others as it leaves them.
    pub fn push(&mut self, entry: Arc<Entry>) {
        let Self::Open {
            seq,
            recent,
            recent_bytes,
            ..
        } = self
        else {
            return;
        };
        if entry.is_amendment() {
            for cached in recent.iter_mut() {
                if let Some(changed) = cached.amended_by(&entry) {
                    *recent_bytes = *recent_bytes + changed.text.len() - cached.text.len();
                    *cached = Arc::new(changed);
                }
            }
        }
        *seq = entry.seq;
        *recent_bytes += entry.text.len();
        recent.push_back(entry);
        self.drop_oldest_recent();
    }

    /// Lets go of the oldest entries at hand beyond the bounds; the history still has them.
    fn drop_oldest_recent(&mut self) {
        let Self::Open {
            recent,
            recent_bytes,
            ..
        } = self
        else {
            return;
        };
        while recent.len() > RECENT || (recent.len() > 1 && *recent_bytes > MAX_RECENT_BYTES) {
            *recent_bytes -= recent.pop_front().map_or(0, |entry| entry.text.len());
        }
    }

    /// The history forgot what is older than this seq.
    pub fn trim(&mut self, first: u64) {
        let Self::Open {
            oldest,
            recent,
            recent_bytes,
            ..
        } = self
        else {
            return;
        };
        *oldest = first;
        while recent.front().is_some_and(|entry| entry.seq < first) {
            *recent_bytes -= recent.pop_front().map_or(0, |entry| entry.text.len());
        }
    }

    /// What somebody who holds `since` of the log `epoch` has missed.
    pub fn backfill(&self, since: &ResumePoint, epoch: &str) -> Backfill {
        let Self::Open {
            seq,
            oldest,
            recent,
            ..
        } = self
        else {
            return Backfill {
                seq: 0,
                oldest: 1,
                entries: Vec::new(),
                more: false,
                reset: false,
            };
        };
        let other_epoch = since.epoch.as_deref().is_some_and(|theirs| theirs != epoch);
        let beyond_head = since.after.is_some_and(|after| after > *seq);
        let reset = other_epoch || beyond_head;
        let backfill = |entries, more| Backfill {
            seq: *seq,
            oldest: *oldest,
            entries,
            more,
            reset,
        };
        let Some(after) = since.after.filter(|_| !reset) else {
            return backfill(newest_page(recent), false);
        };
        let recent_from = seq + 1 - recent.len() as u64;
        // What was trimmed can't be given; `oldest` tells how much that was.
        let after = after.max(oldest - 1);
        if after + 1 < recent_from {
            // Too long ago for what is at hand; the client asks the history, page by page.
            return backfill(Vec::new(), true);
        }
        let skip = (after + 1 - recent_from) as usize;
        let mut entries: Vec<_> = recent.iter().skip(skip).cloned().collect();
        let cut = entries.len() > MAX_PAGE;
        entries.truncate(MAX_PAGE);
        let cut = fit_page(&mut entries) || cut;
        backfill(entries, cut)
    }
}

/// The newest entries, oldest first.
fn newest_page(recent: &VecDeque<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let mut entries: Vec<_> = recent.iter().rev().take(JOIN_PAGE).cloned().collect();
    fit_page(&mut entries);
    entries.reverse();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RoomName;
    use crate::protocol::Entry;
    use proptest::prelude::*;

    fn log_with(seq: u64) -> RoomLog {
        log_with_texts(seq, |seq| seq.to_string())
    }

    fn log_with_texts(seq: u64, text: impl Fn(u64) -> String) -> RoomLog {
        let mut log = RoomLog::Opening(Vec::new());
        log.open(RoomHead {
            name: RoomName::lobby(),
            seq: 0,
            oldest: 1,
            entries: Vec::new(),
        });
        for seq in 1..=seq {
            log.push(Arc::new(Entry {
                seq,
                text: text(seq),
                ..Entry::default()
            }));
        }
        log
    }

    fn since(epoch: Option<&str>, after: Option<u64>) -> ResumePoint {
        ResumePoint {
            epoch: epoch.map(Into::into),
            after,
        }
    }

    fn seqs(backfill: &Backfill) -> Vec<u64> {
        backfill.entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn join_without_resume_point_gets_the_newest_page() {
        let backfill = log_with(60).backfill(&since(None, None), "e1");
        assert_eq!(seqs(&backfill), (11..=60).collect::<Vec<_>>());
        assert!(!backfill.more && !backfill.reset);
    }

    #[test]
    fn resume_returns_exactly_the_later_entries() {
        let backfill = log_with(60).backfill(&since(Some("e1"), Some(57)), "e1");
        assert_eq!((seqs(&backfill), backfill.more), (vec![58, 59, 60], false));
        assert_eq!(
            seqs(&log_with(60).backfill(&since(None, Some(60)), "e1")),
            Vec::<u64>::new()
        );
    }

    #[test]
    fn backfill_shows_entries_as_edited_and_erased() {
        let mut log = log_with(3);
        log.push(Arc::new(Entry {
            seq: 4,
            text: "dois".into(),
            edits: Some(2),
            ..Entry::default()
        }));
        log.push(Arc::new(Entry {
            seq: 5,
            erases: vec![1, 3],
            ..Entry::default()
        }));
        let backfill = log.backfill(&since(None, None), "e1");
        let seen: Vec<_> = backfill
            .entries
            .iter()
            .map(|entry| (&*entry.text, entry.edited, entry.erased))
            .collect();
        let gone = ("", false, true);
        assert_eq!(
            seen,
            [
                gone,
                ("dois", true, false),
                gone,
                ("dois", false, false),
                ("", false, false)
            ]
        );
    }

    #[test]
    fn foreign_epoch_or_future_seq_resets_the_backfill() {
        let backfill = log_with(3).backfill(&since(Some("e0"), Some(2)), "e1");
        assert_eq!((seqs(&backfill), backfill.reset), (vec![1, 2, 3], true));
        assert!(log_with(3).backfill(&since(None, Some(9)), "e1").reset);
    }

    #[test]
    fn trimmed_entries_are_left_out_of_the_backfill() {
        let mut log = log_with(10);
        log.trim(8);
        let backfill = log.backfill(&since(Some("e1"), Some(2)), "e1");
        assert_eq!(
            (backfill.oldest, seqs(&backfill), backfill.more),
            (8, vec![8, 9, 10], false)
        );
    }

    #[test]
    fn resume_older_than_recent_entries_reports_more() {
        let backfill = log_with(RECENT as u64 + 100).backfill(&since(None, Some(5)), "e1");
        assert_eq!((seqs(&backfill), backfill.more), (vec![], true));
    }

    /// Ten thousand rooms of the longest messages were once as many times five megabytes.
    #[test]
    fn recent_entries_are_bounded_in_bytes() {
        let mut log = log_with_texts(300, |_| "x".repeat(16_000));
        let RoomLog::Open {
            recent,
            recent_bytes,
            ..
        } = &log
        else {
            panic!("it is open")
        };
        assert_eq!((recent.len(), *recent_bytes), (16, 16 * 16_000));
        assert_eq!(
            (
                seqs(&log.backfill(&since(None, Some(298)), "e1")),
                seqs(&log.backfill(&since(None, Some(9)), "e1"))
            ),
            (vec![299, 300], vec![])
        );
        log.trim(300);
        let RoomLog::Open {
            recent,
            recent_bytes,
            ..
        } = &log
        else {
            panic!("it is open")
        };
        assert_eq!((recent.len(), *recent_bytes), (1, 16_000));
    }

    proptest! {
        #[test]
        fn what_is_missed_begins_right_after_what_is_held(seq in 0..700_u64, after in 0..700_u64) {
            let missed = log_with(seq).backfill(&since(None, Some(after)), "e1");
            prop_assert_eq!(missed.reset, after > seq);
            let got = seqs(&missed);
            if !missed.reset && let (Some(first), Some(last)) = (got.first(), got.last()) {
                prop_assert_eq!(*first, after + 1);
                prop_assert_eq!(last - first + 1, got.len() as u64);
                prop_assert_eq!(*last == seq, !missed.more);
            } else if !missed.reset {
                prop_assert_eq!(missed.more, after < seq);
            }
        }
    }
}
