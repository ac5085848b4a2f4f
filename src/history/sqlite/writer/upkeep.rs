//! What the writer does between the batches: indexing, trimming, keeping the journal short and watching the space.

use super::{HistoryWriter, commit};
use crate::history::sqlite::append::WriterCache;
use crate::history::sqlite::pace::Pace;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::sqlite::transaction::{Transaction, set_synced};
use crate::history::{HistoryReply, SpaceWarning};
use std::time::{Duration, Instant};

/// The pause after a trim step that failed, or that was left out because the file is not in its place.
const RETRY_TRIM: Duration = Duration::from_hours(1);

impl HistoryWriter {
    /// Has a long journal moved into the database.
    pub(super) fn shorten_journal(&mut self) {
        let wal = self.guard.wal();
        if !self.checkpoints.is_due(wal, Instant::now()) {
            return;
        }
        let health = self.health.clone();
        let _busy = health.busy();
        if !self.has_fresh_mark() {
            return;
        }
        if let Some(wal) = self.guard.wal()
            && self.checkpoints.move_journal(&self.connection, wal)
        {
            self.tick_guard();
        }
    }

    /// When an overlong journal is to be emptied.
    pub(super) fn next_emptying(&self) -> Option<Instant> {
        let is_overlong = self.checkpoints.is_overlong();
        is_overlong.then(|| self.pace.quiet_from(Instant::now()))
    }

    /// Empties an overlong journal once nobody speaks.
    pub(super) fn empty_journal(&mut self) {
        let now = Instant::now();
        let is_quiet = self.pace.quiet_from(now) <= now;
        if is_quiet && self.checkpoints.take_overlong() && self.has_fresh_mark() {
            self.checkpoints.empty_journal(&self.connection);
            self.tick_guard();
        }
    }

    /// Renews the mark of the journal where the database may have it already; false if that can't be.
    pub(super) fn has_fresh_mark(&mut self) -> bool {
        if !self.guard.is_mark_copied() {
            return true;
        }
        let renewed = self.write_probe();
        if !matches!(renewed, Ok(true)) {
            log::debug!("mark: {renewed:?}");
            self.guard.rolled_back();
        }
        let was_in_place = self.guard.was_in_place();
        if self.guard.check() != was_in_place {
            self.set_fault(None);
        }
        matches!(renewed, Ok(true))
    }

    /// Measures the space when it is due, and reports what has changed.
    pub(super) fn measure_space(&mut self) {
        let before = (self.space.fault(), self.space.warning());
        self.space
            .measure_if_due(&self.connection, &self.checkpoints);
        if self.space.fault() != before.0 {
            self.set_fault(None);
        }
        let warning = self.space.warning();
        if warning != before.1 {
            let threshold = |warning: Option<SpaceWarning>| warning.map(|found| found.threshold);
            if let Some(found) = warning.filter(|_| threshold(warning) > threshold(before.1)) {
                log::warn!("{}", found.describe());
            }
            let _ = self.replies.send(HistoryReply::Space(warning));
        }
    }

    /// When something is to be indexed, even without messages.
    pub(super) fn next_index(&self) -> Option<Instant> {
        let is_due = self.cache.indexer.is_due(Pace::Quiet);
        is_due.then(|| self.pace.next_step(Instant::now()))
    }

    /// Takes a step of indexing if one is due; `is_idle` while no message waits.
    pub(super) fn index(&mut self, is_idle: bool) {
        let now = Instant::now();
        let pace = self.pace.pace(is_idle, now);
        if self.cache.indexer.is_due(pace) && !self.pace.is_waiting(now) {
            self.index_step(pace);
        }
    }

    /// Takes a step; false when it could not be stored. Nobody has been promised anything, so it is tried again later.
    fn index_step(&mut self, pace: Pace) -> bool {
        // What is lost of it with a power failure is found missing at the next start.
        let unsynced = set_synced(&self.connection, false);
        self.is_unsynced = true;
        let stored = unsynced.and_then(|()| self.store_index(pace));
        let synced = self.sync_again();
        let stored = match stored.and_then(|stored| synced.map(|()| stored)) {
            Ok(stored) => stored,
            Err(error) => {
                self.report_index_failure(&error);
                false
            }
        };
        if stored {
            self.pace.succeeded();
        } else {
            self.pace.failed(Instant::now());
        }
        stored
    }

    /// Says the first time that the search index can't be written.
    fn report_index_failure(&mut self, error: &rusqlite::Error) {
        self.guard.rolled_back();
        let why = describe_sql(error);
        if self.pace.has_failed() {
            log::debug!("index: {why}");
        } else {
            log::warn!(
                "Não consegui pôr mensagens no índice da busca ({why}). Vou tentar de novo; nada se perde."
            );
        }
    }

    /// False when the file is not in its place.
    fn store_index(&mut self, pace: Pace) -> rusqlite::Result<bool> {
        let transaction = Transaction::begin(&mut self.connection)?;
        let WriterCache { indexer, ids, .. } = &mut self.cache;
        let step = indexer.step(&transaction, ids, pace)?;
        let committed = commit(transaction, &mut self.guard)?;
        if committed {
            indexer.committed(step, ids);
        }
        Ok(committed)
    }

    /// Indexes all that is left, before the file is closed or trimmed. False when that can't be.
    pub(super) fn index_rest(&mut self) -> bool {
        while self.cache.indexer.has_work() {
            if !self.index_step(Pace::Quiet) {
                return false;
            }
        }
        true
    }

    /// Trims one step and returns the pause until the next.
    pub(super) fn trim(&mut self) -> Duration {
        if !self.guard.check() {
            return RETRY_TRIM;
        }
        // What is deleted must be in the index, to be deleted there too.
        if !self.cache.indexer.is_nearly_done() {
            self.index(true);
            let now = Instant::now();
            return self.pace.next_step(now).saturating_duration_since(now);
        }
        if !self.index_rest() {
            return RETRY_TRIM;
        }
        let step = self.trimmer.step(&mut self.connection);
        // A checkpoint of this step explains only what was written until now.
        self.guard.check();
        match step {
            Ok(step) => {
                if let Some((room, oldest)) = step.room {
                    // Its words are still in the search index.
                    self.cache.indexer.changed();
                    let _ = self.replies.send(HistoryReply::Trimmed(room, oldest));
                }
                step.pause
            }
            Err(error) => {
                log::warn!(
                    "Não consegui apagar as mensagens antigas ({}).",
                    describe_sql(&error)
                );
                RETRY_TRIM
            }
        }
    }
}
