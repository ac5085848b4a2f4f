//! Where a room's log stands, and its last entries: what a room can show to whoever comes without asking the history.
//!
//! Knows entries and seqs; never knows who is in the room.

use crate::history::{PAGE_BYTES, RECENT, RoomHead, fit_page};
use crate::link::ConnId;
use crate::protocol::{Entry, MAX_PAGE, ResumePoint};
use std::collections::VecDeque;
use std::sync::Arc;

/// Entries that somebody new to a room is shown at once.
const FIRST_PAGE: usize = 50;

/// Most bytes of text that a room keeps at hand beside its last entry: several pages. There may be ten thousand rooms,
/// and three hundred of the longest messages are five megabytes.
const TAIL_BYTES: usize = 4 * PAGE_BYTES;

/// Where a room's log stands.
pub enum Log {
    /// The history was asked; these wait for its answer.
    Opening(Vec<(ConnId, ResumePoint)>),
    /// Everything up to `seq` was shown.
    Open {
        seq: u64,
        oldest: u64,
        /// The last entries, without gaps, up to `seq`, and the bytes of their texts.
        tail: VecDeque<Arc<Entry>>,
        bytes: usize,
    },
}

/// What somebody who opens a room is given of its log.
#[derive(Debug, PartialEq)]
pub struct Missed {
    pub seq: u64,
    pub oldest: u64,
    pub entries: Vec<Arc<Entry>>,
    pub more: bool,
    pub reset: bool,
}

impl Log {
    /// The last seq; 0 while the log is not open.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Opening(_) => 0,
            Self::Open { seq, .. } => *seq,
        }
    }

    /// The history told where the log stands; gives back who waited for it.
    pub fn open(&mut self, tail: RoomHead) -> Vec<(ConnId, ResumePoint)> {
        if matches!(self, Self::Open { .. }) {
            return Vec::new();
        }
        let bytes = tail.entries.iter().map(|entry| entry.text.len()).sum();
        let log = Self::Open {
            seq: tail.seq,
            oldest: tail.oldest,
            tail: tail.entries.into(),
            bytes,
        };
        let waiting = match std::mem::replace(self, log) {
            Self::Opening(waiting) => waiting,
            Self::Open { .. } => Vec::new(),
        };
        self.shorten_tail();
        waiting
    }

    /// A new entry was stored and is about to be shown. Whoever comes from now on sees the others as it leaves them.
    pub fn push(&mut self, entry: Arc<Entry>) {
        let Self::Open {
            seq, tail, bytes, ..
        } = self
        else {
            return;
        };
        if entry.is_amendment() {
            for held in tail.iter_mut() {
                if let Some(changed) = held.amended_by(&entry) {
                    *bytes = *bytes + changed.text.len() - held.text.len();
                    *held = Arc::new(changed);
                }
            }
        }
        *seq = entry.seq;
        *bytes += entry.text.len();
        tail.push_back(entry);
        self.shorten_tail();
    }

    /// Lets go of the oldest entries at hand beyond the bounds; the history still has them.
    fn shorten_tail(&mut self) {
        let Self::Open { tail, bytes, .. } = self else {
            return;
        };
        while tail.len() > RECENT || (tail.len() > 1 && *bytes > TAIL_BYTES) {
            *bytes -= tail.pop_front().map_or(0, |entry| entry.text.len());
        }
    }

    /// The history forgot what is older than this seq.
    pub fn trim(&mut self, first: u64) {
        let Self::Open {
            oldest,
            tail,
            bytes,
            ..
        } = self
        else {
            return;
        };
        *oldest = first;
        while tail.front().is_some_and(|entry| entry.seq < first) {
            *bytes -= tail.pop_front().map_or(0, |entry| entry.text.len());
        }
    }

    /// What somebody who holds `since` of the log `epoch` has missed.
    pub fn missed(&self, since: &ResumePoint, epoch: &str) -> Missed {
        let Self::Open {
            seq, oldest, tail, ..
        } = self
        else {
            return Missed {
                seq: 0,
                oldest: 1,
                entries: Vec::new(),
                more: false,
                reset: false,
            };
        };
        let other_log = since.epoch.as_deref().is_some_and(|theirs| theirs != epoch);
        let from_the_future = since.after.is_some_and(|after| after > *seq);
        let reset = other_log || from_the_future;
        let missed = |entries, more| Missed {
            seq: *seq,
            oldest: *oldest,
            entries,
            more,
            reset,
        };
        let Some(after) = since.after.filter(|_| !reset) else {
            return missed(last_page(tail), false);
        };
        let held_from = seq + 1 - tail.len() as u64;
        // What was trimmed can't be given; `oldest` tells how much that was.
        let after = after.max(oldest - 1);
        if after + 1 < held_from {
            // Too long ago for what is at hand; the client asks the history, page by page.
            return missed(Vec::new(), true);
        }
        let skip = (after + 1 - held_from) as usize;
        let mut entries: Vec<_> = tail.iter().skip(skip).cloned().collect();
        let cut = entries.len() > MAX_PAGE;
        entries.truncate(MAX_PAGE);
        let cut = fit_page(&mut entries) || cut;
        missed(entries, cut)
    }
}

/// The newest entries, oldest first.
fn last_page(tail: &VecDeque<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let mut entries: Vec<_> = tail.iter().rev().take(FIRST_PAGE).cloned().collect();
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

    fn log_with(seq: u64) -> Log {
        log_saying(seq, |seq| seq.to_string())
    }

    fn log_saying(seq: u64, text: impl Fn(u64) -> String) -> Log {
        let mut log = Log::Opening(Vec::new());
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

    fn seqs(missed: &Missed) -> Vec<u64> {
        missed.entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_newcomer_sees_the_last_page() {
        let missed = log_with(60).missed(&since(None, None), "e1");
        assert_eq!(seqs(&missed), (11..=60).collect::<Vec<_>>());
        assert!(!missed.more && !missed.reset);
    }

    #[test]
    fn who_comes_back_gets_exactly_what_came_after() {
        let missed = log_with(60).missed(&since(Some("e1"), Some(57)), "e1");
        assert_eq!((seqs(&missed), missed.more), (vec![58, 59, 60], false));
        assert_eq!(
            seqs(&log_with(60).missed(&since(None, Some(60)), "e1")),
            Vec::<u64>::new()
        );
    }

    #[test]
    fn who_comes_sees_what_was_said_as_it_is_now() {
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
        let missed = log.missed(&since(None, None), "e1");
        let seen: Vec<_> = missed
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
    fn another_log_starts_afresh() {
        let missed = log_with(3).missed(&since(Some("e0"), Some(2)), "e1");
        assert_eq!((seqs(&missed), missed.reset), (vec![1, 2, 3], true));
        assert!(log_with(3).missed(&since(None, Some(9)), "e1").reset);
    }

    #[test]
    fn what_was_trimmed_is_not_given_and_the_rest_is() {
        let mut log = log_with(10);
        log.trim(8);
        let missed = log.missed(&since(Some("e1"), Some(2)), "e1");
        assert_eq!(
            (missed.oldest, seqs(&missed), missed.more),
            (8, vec![8, 9, 10], false)
        );
    }

    #[test]
    fn who_was_away_for_long_asks_the_history() {
        let missed = log_with(RECENT as u64 + 100).missed(&since(None, Some(5)), "e1");
        assert_eq!((seqs(&missed), missed.more), (vec![], true));
    }

    /// Ten thousand rooms of the longest messages were once as many times five megabytes.
    #[test]
    fn a_room_of_long_messages_keeps_few_of_them_and_still_knows_what_is_missing() {
        let mut log = log_saying(300, |_| "x".repeat(16_000));
        let Log::Open { tail, bytes, .. } = &log else {
            panic!("it is open")
        };
        assert_eq!((tail.len(), *bytes), (16, 16 * 16_000));
        assert_eq!(
            (
                seqs(&log.missed(&since(None, Some(298)), "e1")),
                seqs(&log.missed(&since(None, Some(9)), "e1"))
            ),
            (vec![299, 300], vec![])
        );
        log.trim(300);
        let Log::Open { tail, bytes, .. } = &log else {
            panic!("it is open")
        };
        assert_eq!((tail.len(), *bytes), (1, 16_000));
    }

    proptest! {
        #[test]
        fn what_is_missed_begins_right_after_what_is_held(seq in 0..700_u64, after in 0..700_u64) {
            let missed = log_with(seq).missed(&since(None, Some(after)), "e1");
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
