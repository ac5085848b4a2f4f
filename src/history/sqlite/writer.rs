//! The writer thread: numbers, de-duplicates and commits all waiting messages in one transaction.

use super::append::WriterCache;
use super::batch::{batch_size, has_written, is_stored, take_batch, text_bytes};
use super::checkpointer::Checkpointer;
use super::guard::LogGuard;
use super::pace::{Pace, PaceKeeper};
use super::probe::{fault_of, is_busy, may_come_back, rewrite_version};
use super::queue::{RequestReceiver, Wakeup};
use super::schema::store_new_epoch;
use super::space_guard::SpaceGuard;
use super::transaction::Transaction;
use super::trim::Trimmer;
use super::undo::UndoLog;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{
    HistoryFault, HistoryHealth, HistoryReply, HistoryRequest, MAX_WAIT, SpaceWarning,
};
use crossbeam_channel::Sender;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause after a trim step that failed, or that was left out because the file is not in its place.
const RETRY_TRIM: Duration = Duration::from_hours(1);
/// How long to wait at a time for another program that holds the file.
const LOCK_TIMEOUT: Duration = MAX_WAIT;
/// Prepared statements that are kept: all that messages, edits and erasures use.
const KEPT_STATEMENTS: usize = 64;
/// How often it is tried whether the file can be written again.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// Where the writer tells what it did.
pub(super) struct Reports {
    pub replies: Sender<HistoryReply>,
    pub health: Arc<HistoryHealth>,
}

/// What the writer does beside storing.
pub(super) struct Upkeep {
    pub checkpoints: Checkpointer,
    pub trimmer: Trimmer,
    pub space: SpaceGuard,
}

/// The writer's state.
pub(super) struct HistoryWriter {
    // Dropped in this order.
    checkpoints: Checkpointer,
    connection: Connection,
    guard: LogGuard,
    trimmer: Trimmer,
    space: SpaceGuard,
    replies: Sender<HistoryReply>,
    cache: WriterCache,
    health: Arc<HistoryHealth>,
    /// When to try whether the file can be written again, while it can't.
    next_probe: Option<Instant>,
    /// A new epoch was asked for and has not begun yet.
    epoch_wanted: bool,
    /// It began with the batch that is being replied to.
    begun_epoch: Option<Arc<str>>,
    pace: PaceKeeper,
    /// About what a commit of messages takes.
    commit_time: Duration,
}

impl HistoryWriter {
    pub(super) fn new(
        connection: Connection,
        guard: LogGuard,
        upkeep: Upkeep,
        reports: Reports,
    ) -> rusqlite::Result<Self> {
        connection.busy_timeout(LOCK_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
        let cache = WriterCache::load(&connection)?;
        Ok(Self {
            checkpoints: upkeep.checkpoints,
            connection,
            guard,
            trimmer: upkeep.trimmer,
            space: upkeep.space,
            replies: reports.replies,
            cache,
            health: reports.health,
            next_probe: None,
            epoch_wanted: false,
            begun_epoch: None,
            pace: PaceKeeper::new(),
            commit_time: Duration::ZERO,
        })
    }

    /// Serves requests until the queue closes and all of them are stored.
    pub(super) fn run(mut self, requests: &RequestReceiver) {
        let _stopped = StoppedOnPanic(self.health.clone());
        // Before the first request: an empty log is known as one.
        let mut next_trim = Instant::now() + self.trim();
        loop {
            let deadline = self.guard.deadline().min(next_trim);
            let deadline = deadline.min(self.space.deadline());
            let others = [
                self.next_probe,
                self.next_index(),
                self.checkpoints.deadline(),
                self.next_emptying(),
            ];
            let deadline = others.into_iter().flatten().fold(deadline, Instant::min);
            match requests.wait(Some(deadline)) {
                Wakeup::Requests => self.store_waiting(requests),
                Wakeup::Timeout => {}
                Wakeup::Closed => break,
            }
            self.index(requests.is_empty());
            self.tick_guard();
            self.shorten_journal();
            self.empty_journal();
            self.measure_space();
            let now = Instant::now();
            if next_trim <= now {
                next_trim = now + self.trim();
            }
            if self.next_probe.is_some_and(|at| at <= now) {
                self.probe();
            }
        }
        self.index_rest();
        if let Err(error) = self.trimmer.finish(&self.connection) {
            log::debug!("The state of the clock was not saved: {error}");
        }
        // The rest of the journal is moved when the file is closed.
        self.has_fresh_mark();
        self.guard.finish(&self.connection, &self.checkpoints);
    }

    /// Has a long journal moved into the database.
    fn shorten_journal(&mut self) {
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
    fn next_emptying(&self) -> Option<Instant> {
        let is_overlong = self.checkpoints.is_overlong();
        is_overlong.then(|| self.pace.quiet_from(Instant::now()))
    }

    /// Empties an overlong journal once nobody speaks.
    fn empty_journal(&mut self) {
        let now = Instant::now();
        let is_quiet = self.pace.quiet_from(now) <= now;
        if is_quiet && self.checkpoints.take_overlong() && self.has_fresh_mark() {
            self.checkpoints.empty_journal(&self.connection);
            self.tick_guard();
        }
    }

    /// Renews the mark of the journal where the database may have it already; false if that can't be.
    fn has_fresh_mark(&mut self) -> bool {
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

    /// Checks the log's identity when it is due.
    fn tick_guard(&mut self) {
        let was_in_place = self.guard.was_in_place();
        self.guard.tick(&self.connection, &mut self.checkpoints);
        if self.guard.was_in_place() != was_in_place {
            self.set_fault(None);
        }
    }

    /// Reports whether the last write succeeded.
    fn set_fault(&mut self, fault: Option<HistoryFault>) {
        let fault = match self.guard.was_in_place() {
            true => fault.or(self.space.fault()),
            false => Some(HistoryFault::FileGone),
        };
        self.health.set(fault);
        self.next_probe = fault.map(|_| Instant::now() + PROBE_INTERVAL);
    }

    /// Measures the space when it is due, and reports what has changed.
    fn measure_space(&mut self) {
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

    /// Tries whether the file can be written again.
    fn probe(&mut self) -> bool {
        let probed = self.write_probe();
        if !matches!(probed, Ok(true)) {
            self.guard.rolled_back();
        }
        self.set_fault(probed.as_ref().err().map(fault_of));
        matches!(probed, Ok(true))
    }

    /// Writes to the file without changing it. A commit that failed may have left its frames at the end of the journal;
    /// this one's are written over them, so that no crash can bring them back. False when the file is not in its place.
    fn write_probe(&mut self) -> rusqlite::Result<bool> {
        let transaction = Transaction::begin(&mut self.connection)?;
        rewrite_version(&transaction)?;
        commit(transaction, &mut self.guard)
    }

    /// When something is to be indexed, even without messages.
    fn next_index(&self) -> Option<Instant> {
        let is_due = self.cache.indexer.is_due(Pace::Quiet);
        is_due.then(|| self.pace.next_step(Instant::now()))
    }

    /// Takes a step of indexing if one is due; `is_idle` while no message waits.
    fn index(&mut self, is_idle: bool) {
        let now = Instant::now();
        let pace = self.pace.pace(is_idle, now);
        if self.cache.indexer.is_due(pace) && !self.pace.is_waiting(now) {
            self.index_step(pace);
        }
    }

    /// Takes a step; false when it could not be stored. Nobody has been promised anything, so it is tried again later.
    fn index_step(&mut self, pace: Pace) -> bool {
        let stored = self.store_index(pace).unwrap_or_else(|error| {
            log::debug!("index: {}", describe_sql(&error));
            self.guard.rolled_back();
            false
        });
        if !stored {
            self.pace.failed(Instant::now());
        }
        stored
    }

    /// False when the file is not in its place.
    fn store_index(&mut self, pace: Pace) -> rusqlite::Result<bool> {
        // What is lost of it with a power failure is found missing at the next start.
        let transaction = Transaction::begin_unsynced(&mut self.connection)?;
        let WriterCache { indexer, ids, .. } = &mut self.cache;
        let step = indexer.step(&transaction, ids, pace)?;
        let committed = commit(transaction, &mut self.guard)?;
        if committed {
            indexer.committed(step, ids);
        }
        Ok(committed)
    }

    /// Indexes all that is left, before the file is closed or trimmed. False when that can't be.
    fn index_rest(&mut self) -> bool {
        while self.cache.indexer.has_work() {
            if !self.index_step(Pace::Quiet) {
                return false;
            }
        }
        true
    }

    /// Trims one step and returns the pause until the next.
    fn trim(&mut self) -> Duration {
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

    /// Stores what waits, and replies to it.
    fn store_waiting(&mut self, requests: &RequestReceiver) {
        let health = self.health.clone();
        let _busy = health.busy();
        self.measure_space();
        let (batch, stored) = self.commit_waiting(requests);
        let stored = self.explain(stored);
        let unavailable = |batch: Vec<HistoryRequest>| -> Vec<HistoryReply> {
            let requests = batch.into_iter();
            requests.map(HistoryRequest::unavailable_reply).collect()
        };
        let replies = match stored {
            Ok(Some(replies)) => {
                // Other outcomes wrote nothing, and prove nothing.
                if replies.iter().any(has_written) {
                    self.set_fault(None);
                }
                replies
            }
            Ok(None) => {
                self.rolled_back();
                self.set_fault(Some(HistoryFault::FileGone));
                unavailable(batch)
            }
            Err(error) if batch.is_empty() && is_busy(&error) => {
                return self.locked_out(requests);
            }
            Err(error) => {
                let batch = self.release_moderation(batch);
                if !self.discard(&error, batch.len(), requests) {
                    return;
                }
                unavailable(batch)
            }
        };
        for reply in replies {
            let _ = self.replies.send(reply);
        }
        if std::mem::take(&mut self.epoch_wanted) {
            let begun = self.begun_epoch.take();
            let _ = self.replies.send(HistoryReply::EpochBegan(begun));
        }
    }

    /// What another program has made of the file can fail in any way before it is looked at: then it is not in its place.
    fn explain<T>(&mut self, stored: rusqlite::Result<Option<T>>) -> rusqlite::Result<Option<T>> {
        match stored {
            Err(error) if !is_busy(&error) && !may_come_back(&error) && !self.guard.check() => {
                log::debug!("{}", describe_sql(&error));
                Ok(None)
            }
            other => other,
        }
    }

    /// Stores what waits in one transaction, all or nothing; `None` when the file is not in its place. The batch is taken
    /// only when the file is locked for it: what waits for that can still expire.
    fn commit_waiting(
        &mut self,
        requests: &RequestReceiver,
    ) -> (
        Vec<HistoryRequest>,
        rusqlite::Result<Option<Vec<HistoryReply>>>,
    ) {
        let size = batch_size(self.commit_time);
        let take = |epoch_wanted: &mut bool| take_batch(requests, size, epoch_wanted);
        // What was found in place is looked at again before the commit.
        if !self.guard.was_in_place() && !self.guard.check() {
            return (take(&mut self.epoch_wanted), Ok(None));
        }
        let transaction = match Transaction::begin(&mut self.connection) {
            Ok(transaction) => transaction,
            Err(error) if is_busy(&error) => return (Vec::new(), Err(error)),
            Err(error) => return (take(&mut self.epoch_wanted), Err(error)),
        };
        let batch = take(&mut self.epoch_wanted);
        self.pace.taken(batch.len(), Instant::now());
        let mut undo = UndoLog::default();
        self.space.added(batch.iter().map(text_bytes).sum());
        self.cache.space_fault = self.space.fault();
        // In the same transaction: a message that was said after the log went back must not belong to the old epoch, in
        // which clients that are still away hold other messages.
        let epoch = self.epoch_wanted.then(|| new_epoch(&transaction)).flatten();
        let stored = self.cache.store_all(&transaction, &batch, &mut undo);
        let stored = stored.and_then(|replies| {
            let start = Instant::now();
            let committed = commit(transaction, &mut self.guard)?;
            self.commit_time = (3 * self.commit_time + start.elapsed()) / 4;
            Ok(committed.then_some(replies))
        });
        let confirmed = match stored {
            Ok(Some(replies)) => self.confirm(replies, &undo, requests),
            other => other,
        };
        if let (Ok(Some(_)), Some(epoch)) = (&confirmed, epoch) {
            self.guard.new_epoch(&epoch);
            self.begun_epoch = Some(epoch);
        }
        (batch, confirmed)
    }

    /// After a commit: takes it back if the file is not in its place any more. Changes of the moderation state are not taken back:
    /// they hold anyway.
    fn confirm(
        &mut self,
        replies: Vec<HistoryReply>,
        undo: &UndoLog,
        requests: &RequestReceiver,
    ) -> rusqlite::Result<Option<Vec<HistoryReply>>> {
        if !self.guard.check() {
            // A checkpoint would write into the database what another program has made of the journal.
            self.checkpoints.stop_pass();
            // The senders are told that it was not taken, so first it must be out of the file.
            while let Err(error) = undo.revert(&mut self.connection) {
                self.set_fault(Some(fault_of(&error)));
                if requests.wait_for_close(Instant::now() + PROBE_INTERVAL) {
                    return Err(error);
                }
            }
            return Ok(None);
        }
        let stored = replies.iter().filter(|reply| is_stored(reply));
        self.guard.stored(stored.count() as u64);
        self.cache.commit();
        Ok(Some(replies))
    }

    /// Replies to the changes of the moderation state in a failed batch, and returns the rest. They hold anyway, so it does
    /// not matter whether they are in the file.
    fn release_moderation(&self, batch: Vec<HistoryRequest>) -> Vec<HistoryRequest> {
        let is_change =
            |request: &HistoryRequest| matches!(request, HistoryRequest::SaveModeration(..));
        let (changes, rest): (Vec<_>, _) = batch.into_iter().partition(is_change);
        for change in changes {
            let _ = self.replies.send(change.unavailable_reply());
        }
        rest
    }

    /// Forgets what a failed transaction wrote: the cache holds it.
    fn rolled_back(&mut self) {
        self.cache.roll_back();
        self.guard.rolled_back();
    }

    /// Another program holds the file: what waits goes on waiting, until it expires.
    fn locked_out(&mut self, requests: &RequestReceiver) {
        self.set_fault(Some(HistoryFault::Locked));
        if requests.is_closed() {
            // The server ends, and no reply can be read any more.
            let lost = requests.take(usize::MAX).len();
            log::error!("Não consegui guardar as últimas mensagens: {lost}.");
        }
    }

    /// After a failed transaction: makes sure that none of it comes back, because its senders will be told that it was
    /// not taken. Returns false if the server ends before that; then they are told nothing.
    fn discard(
        &mut self,
        error: &rusqlite::Error,
        messages: usize,
        requests: &RequestReceiver,
    ) -> bool {
        log::debug!(
            "Mensagens que não foram guardadas: {messages} ({}).",
            describe_sql(error)
        );
        self.rolled_back();
        self.set_fault(Some(fault_of(error)));
        if !may_come_back(error) {
            return true;
        }
        while !self.probe() {
            if requests.wait_for_close(Instant::now() + PROBE_INTERVAL) {
                return false;
            }
        }
        true
    }
}

/// When dropped by a panic, reports that nothing is stored any more.
struct StoppedOnPanic(Arc<HistoryHealth>);

impl Drop for StoppedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set(Some(HistoryFault::Stopped));
        }
    }
}

/// Begins a new epoch in the caller's transaction; `None` when that can't be.
fn new_epoch(transaction: &Transaction) -> Option<Arc<str>> {
    let begun = store_new_epoch(transaction).inspect_err(|error| {
        log::error!("Não consegui começar uma nova época do histórico ({error}).");
    });
    begun.ok()
}

/// Commits unless the file is not in its place; false if it is not.
fn commit(transaction: Transaction, guard: &mut LogGuard) -> rusqlite::Result<bool> {
    let in_place = guard.before_commit(&transaction);
    let committed = in_place.and_then(|in_place| {
        if in_place {
            transaction.commit()?;
        }
        Ok(in_place)
    });
    if !matches!(committed, Ok(true)) {
        guard.rolled_back();
    }
    committed
}
