//! When the writer indexes, and how much at once: so little that no message waits for it long.

use std::time::{Duration, Instant};

/// A batch of so many messages means that more are on their way, for so long.
const FLOOD_BATCH: usize = 32;
const FLOOD_FOR: Duration = Duration::from_millis(50);
/// After a message the next is expected for so long.
const TALKING_FOR: Duration = Duration::from_secs(1);
/// The pause after a step that failed.
const RETRY: Duration = Duration::from_secs(1);

/// How messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Some wait now.
    Busy,
    /// As fast as they are answered. None waits while the last are being delivered.
    Flood,
    /// Now and then.
    Talking,
    /// Not at all.
    Quiet,
}

impl Pace {
    /// Entries to index in one transaction, at about 8 µs each.
    pub(super) fn entries(self) -> u64 {
        match self {
            Self::Busy => 2048,
            Self::Talking => 256,
            // As many as are stored at once, so that no more and more wait.
            Self::Flood | Self::Quiet => 1024,
        }
    }

    /// Pages of the search index to merge beside so many entries: each is merged a few times as the index grows. While
    /// messages never pause, it stays in many parts until SQLite merges them all at once, which costs the least.
    pub(super) fn merged_pages(self) -> u64 {
        match self {
            Self::Busy | Self::Flood => 0,
            Self::Talking | Self::Quiet => self.entries() / 8,
        }
    }
}

/// Follows the pace of the messages.
pub(super) struct PaceKeeper {
    last_batch: Option<Instant>,
    flood_until: Option<Instant>,
    retry_at: Option<Instant>,
}

impl PaceKeeper {
    pub(super) fn new() -> Self {
        Self {
            last_batch: None,
            flood_until: None,
            retry_at: None,
        }
    }

    /// So many messages were taken at once.
    pub(super) fn taken(&mut self, messages: usize, now: Instant) {
        self.last_batch = Some(now);
        if messages >= FLOOD_BATCH {
            self.flood_until = Some(now + FLOOD_FOR);
        }
    }

    /// A step failed.
    pub(super) fn failed(&mut self, now: Instant) {
        self.retry_at = Some(now + RETRY);
    }

    /// A step succeeded.
    pub(super) fn succeeded(&mut self) {
        self.retry_at = None;
    }

    /// Whether the last step failed.
    pub(super) fn has_failed(&self) -> bool {
        self.retry_at.is_some()
    }

    /// The pace now; `is_idle` while no message waits.
    pub(super) fn pace(&self, is_idle: bool, now: Instant) -> Pace {
        if !is_idle {
            Pace::Busy
        } else if self.flood_until.is_some_and(|until| now < until) {
            Pace::Flood
        } else if self.last_batch.is_some_and(|at| now < at + TALKING_FOR) {
            Pace::Talking
        } else {
            Pace::Quiet
        }
    }

    /// When nobody speaks any more, if no message comes.
    pub(super) fn quiet_from(&self, now: Instant) -> Instant {
        self.last_batch.map_or(now, |at| at + TALKING_FOR)
    }

    /// Whether nothing is tried because a step has just failed.
    pub(super) fn is_waiting(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| now < at)
    }

    /// When to go on with what is due, if no message comes.
    pub(super) fn next_step(&self, now: Instant) -> Instant {
        let times = [self.flood_until, self.retry_at].into_iter().flatten();
        times.max().unwrap_or(now).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_follows_the_messages() {
        let now = Instant::now();
        let mut keeper = PaceKeeper::new();
        assert_eq!(keeper.pace(true, now), Pace::Quiet);
        keeper.taken(1, now);
        assert_eq!(keeper.pace(true, now), Pace::Talking);
        assert_eq!(keeper.pace(false, now), Pace::Busy);
        assert_eq!(keeper.next_step(now), now);
        keeper.taken(FLOOD_BATCH, now);
        assert_eq!(keeper.pace(true, now), Pace::Flood);
        assert_eq!(keeper.next_step(now), now + FLOOD_FOR);
        assert_eq!(keeper.pace(true, now + FLOOD_FOR), Pace::Talking);
        assert_eq!(keeper.pace(true, now + TALKING_FOR), Pace::Quiet);
    }

    #[test]
    fn failed_step_is_tried_again_after_a_pause() {
        let now = Instant::now();
        let mut keeper = PaceKeeper::new();
        keeper.failed(now);
        assert!(keeper.is_waiting(now));
        assert_eq!(keeper.next_step(now), now + RETRY);
        assert!(!keeper.is_waiting(now + RETRY));
    }
}
