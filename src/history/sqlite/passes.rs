//! When this process moves the journal into the database: the record by which its own writing is told from another
//! program's.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the passes over the journal. One at a time begins, always on the writer's thread; it may end on another.
#[derive(Debug, Default)]
pub(super) struct Passes {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Passes {
    /// A pass may write into the database from now on.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    /// It writes no more.
    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    /// How many have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// How many have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether one may be writing now.
    pub(super) fn is_running(&self) -> bool {
        self.begun() != self.ended()
    }
}
