//! The head of a room's log and its latest entries: they answer a join without asking the history.
//!
//! Knows entries and seqs; never knows who is in the room.

use crate::chat::completion::WaitingRequest;
use crate::history::{PAGE_BYTES, RECENT, RoomHead, fit_page};
use crate::protocol::{Entry, MAX_PAGE, ResumePoint};
use std::collections::VecDeque;
use std::sync::Arc;

/// Entries that a join without a resume point is answered with.
const JOIN_PAGE: usize = 50;

/// Most bytes of text that a room caches beside its last entry: several pages. There may be ten thousand rooms, and
/// three hundred of the longest messages are five megabytes.
const MAX_RECENT_BYTES: usize = 4 * PAGE_BYTES;

/// The log of a room.
pub(super) enum RoomLog {
    /// The history was asked for the log's head; these requests wait for the reply.
    Opening(Vec<WaitingRequest>),
    Open(OpenLog),
}

/// The numbers and the latest entries of a log, up to the last broadcast entry.
pub(super) struct OpenLog {
    seq: u64,
    oldest: u64,
    /// The latest entries up to `seq`, without gaps.
    recent: VecDeque<Arc<Entry>>,
    /// The bytes of their texts.
    recent_bytes: usize,
}

/// The part of a log that a join is answered with.
#[derive(Debug, PartialEq)]
pub(super) struct Backfill {
    pub seq: u64,
    pub oldest: u64,
    pub entries: Vec<Arc<Entry>>,
    pub more: bool,
    pub reset: bool,
}

impl RoomLog {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// The log of a room that has members.
    ///
    /// # Panics
    /// If it is not open.
    pub(super) fn opened(&self) -> &OpenLog {
        match self {
            Self::Open(log) => log,
            Self::Opening(_) => panic!("the log is not open"),
        }
    }

    /// Like [`RoomLog::opened`].
    pub(super) fn opened_mut(&mut self) -> &mut OpenLog {
        match self {
            Self::Open(log) => log,
            Self::Opening(_) => panic!("the log is not open"),
        }
    }

    /// Adds a request to those that wait for the log.
    ///
    /// # Panics
    /// If it is open.
    pub(super) fn await_open(&mut self, request: WaitingRequest) {
        match self {
            Self::Opening(waiting) => waiting.push(request),
            Self::Open(_) => panic!("the log is open"),
        }
    }

    /// Drops the entries before this seq, which the history deleted. A log that is still opening gets this number with
    /// its head.
    pub(super) fn trim(&mut self, oldest: u64) {
        if let Self::Open(log) = self {
            log.trim(oldest);
        }
    }

    /// The requests that wait for the log; none of an open one.
    pub(super) fn take_waiting(&mut self) -> Vec<WaitingRequest> {
        match self {
            Self::Opening(waiting) => std::mem::take(waiting),
            Self::Open(_) => Vec::new(),
        }
    }
}

impl OpenLog {
    pub(super) fn new(head: RoomHead) -> Self {
        let recent_bytes = head.entries.iter().map(|entry| entry.text.len()).sum();
        let mut log = Self {
            seq: head.seq,
            oldest: head.oldest,
            recent: head.entries.into(),
            recent_bytes,
        };
        log.drop_oldest_recent();
        log
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Adds a stored entry that is about to be broadcast, and applies an amendment to the cached entries.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        if entry.is_amendment() {
            for cached in &mut self.recent {
                if let Some(changed) = cached.amended_by(&entry) {
                    self.recent_bytes += changed.text.len();
                    self.recent_bytes -= cached.text.len();
                    *cached = Arc::new(changed);
                }
            }
        }
        self.seq = entry.seq;
        self.recent_bytes += entry.text.len();
        self.recent.push_back(entry);
        self.drop_oldest_recent();
    }

    /// Drops the oldest cached entries beyond the bounds; the history still has them.
    fn drop_oldest_recent(&mut self) {
        while self.recent.len() > RECENT
            || (self.recent.len() > 1 && self.recent_bytes > MAX_RECENT_BYTES)
        {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let dropped = self.recent.pop_front().expect("an entry is cached");
        self.recent_bytes -= dropped.text.len();
    }

    fn trim(&mut self, oldest: u64) {
        self.oldest = oldest;
        while self.recent.front().is_some_and(|entry| entry.seq < oldest) {
            self.drop_first();
        }
    }

    /// What a client that has the log up to `resume` missed; `epoch` is this log's.
    pub(super) fn backfill(&self, resume: &ResumePoint, epoch: &str) -> Backfill {
        let other_epoch = resume
            .epoch
            .as_deref()
            .is_some_and(|theirs| theirs != epoch);
        let beyond_head = resume.after.is_some_and(|after| after > self.seq);
        let reset = other_epoch || beyond_head;
        let backfill = |entries, more| Backfill {
            seq: self.seq,
            oldest: self.oldest,
            entries,
            more,
            reset,
        };
        let Some(after) = resume.after.filter(|_| !reset) else {
            return backfill(self.newest_page(), false);
        };
        let recent_from = self.seq + 1 - self.recent.len() as u64;
        // What was trimmed can't be sent; `oldest` tells the client how much that was.
        let after = after.max(self.oldest - 1);
        if after + 1 < recent_from {
            // Older than the cache; the client asks the history, page by page.
            return backfill(Vec::new(), true);
        }
        let skip = (after + 1 - recent_from) as usize;
        let mut entries: Vec<_> = self.recent.iter().skip(skip).cloned().collect();
        let too_many = entries.len() > MAX_PAGE;
        entries.truncate(MAX_PAGE);
        let too_long = fit_page(&mut entries);
        backfill(entries, too_many || too_long)
    }

    /// The newest entries, oldest first.
    fn newest_page(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.recent.iter().rev().take(JOIN_PAGE).cloned().collect();
        fit_page(&mut entries);
        entries.reverse();
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::RoomName;
    use crate::protocol::Entry;
    use proptest::prelude::*;

    fn log_with(seq: u64) -> OpenLog {
        log_with_texts(seq, |seq| seq.to_string())
    }

    fn log_with_texts(seq: u64, text: impl Fn(u64) -> String) -> OpenLog {
        let mut log = OpenLog::new(RoomHead {
            name: RoomName::lobby(),
            seq: 0,
            oldest: 1,
            entries: Vec::new(),
            owner: None,
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

    fn resume(epoch: Option<&str>, after: Option<u64>) -> ResumePoint {
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
        let backfill = log_with(60).backfill(&resume(None, None), "e1");
        assert_eq!(seqs(&backfill), (11..=60).collect::<Vec<_>>());
        assert!(!backfill.more && !backfill.reset);
    }

    #[test]
    fn resume_returns_exactly_the_later_entries() {
        let backfill = log_with(60).backfill(&resume(Some("e1"), Some(57)), "e1");
        assert_eq!((seqs(&backfill), backfill.more), (vec![58, 59, 60], false));
        assert_eq!(
            seqs(&log_with(60).backfill(&resume(None, Some(60)), "e1")),
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
        let backfill = log.backfill(&resume(None, None), "e1");
        let states: Vec<_> = backfill
            .entries
            .iter()
            .map(|entry| (&*entry.text, entry.edited, entry.erased))
            .collect();
        let gone = ("", false, true);
        assert_eq!(
            states,
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
        let backfill = log_with(3).backfill(&resume(Some("e0"), Some(2)), "e1");
        assert_eq!((seqs(&backfill), backfill.reset), (vec![1, 2, 3], true));
        assert!(log_with(3).backfill(&resume(None, Some(9)), "e1").reset);
    }

    #[test]
    fn trimmed_entries_are_left_out_of_the_backfill() {
        let mut log = log_with(10);
        log.trim(8);
        let backfill = log.backfill(&resume(Some("e1"), Some(2)), "e1");
        assert_eq!(
            (backfill.oldest, seqs(&backfill), backfill.more),
            (8, vec![8, 9, 10], false)
        );
    }

    #[test]
    fn resume_older_than_recent_entries_reports_more() {
        let backfill = log_with(RECENT as u64 + 100).backfill(&resume(None, Some(5)), "e1");
        assert_eq!((seqs(&backfill), backfill.more), (vec![], true));
    }

    /// Ten thousand rooms of the longest messages must not take five megabytes each.
    #[test]
    fn recent_entries_are_bounded_in_bytes() {
        let mut log = log_with_texts(300, |_| "x".repeat(16_000));
        assert_eq!((log.recent.len(), log.recent_bytes), (16, 16 * 16_000));
        assert_eq!(
            (
                seqs(&log.backfill(&resume(None, Some(298)), "e1")),
                seqs(&log.backfill(&resume(None, Some(9)), "e1"))
            ),
            (vec![299, 300], vec![])
        );
        log.trim(300);
        assert_eq!((log.recent.len(), log.recent_bytes), (1, 16_000));
    }

    proptest! {
        #[test]
        fn backfill_continues_right_after_the_resume_point(seq in 0..700_u64, after in 0..700_u64) {
            let missed = log_with(seq).backfill(&resume(None, Some(after)), "e1");
            prop_assert_eq!(missed.reset, after > seq);
            let received = seqs(&missed);
            if !missed.reset && let (Some(first), Some(last)) = (received.first(), received.last()) {
                prop_assert_eq!(*first, after + 1);
                prop_assert_eq!(last - first + 1, received.len() as u64);
                prop_assert_eq!(*last == seq, !missed.more);
            } else if !missed.reset {
                prop_assert_eq!(missed.more, after < seq);
            }
        }
    }
}
