//! The writer thread: numbers, de-duplicates and commits all waiting messages in one transaction.

mod upkeep;

use super::append::WriterCache;
use super::batch::{batch_size, has_written, is_stored, take_batch, text_bytes};
use super::checkpointer::Checkpointer;
use super::guard::LogGuard;
use super::pace::PaceKeeper;
use super::probe::{fault_of, is_busy, may_come_back, rewrite_version};
use super::queue::{RequestReceiver, Wakeup};
use super::schema::store_new_epoch;
use super::space_guard::SpaceGuard;
use super::transaction::{Transaction, set_synced};
use super::trim::Trimmer;
use super::undo::UndoLog;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{HistoryFault, HistoryHealth, HistoryReply, HistoryRequest, MAX_WAIT};
use crossbeam_channel::Sender;
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// Commits do not wait for the disk: they were set so for the index, and could not be set back.
    is_unsynced: bool,
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
            is_unsynced: false,
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

    /// Tries whether the file can be written again.
    fn probe(&mut self) -> bool {
        let probed = self.write_probe();
        if !matches!(probed, Ok(true)) {
            self.guard.rolled_back();
        }
        self.set_fault(probed.as_ref().err().map(fault_of));
        matches!(probed, Ok(true))
    }

    /// Makes commits wait for the disk again, if they do not.
    fn sync_again(&mut self) -> rusqlite::Result<()> {
        if self.is_unsynced {
            set_synced(&self.connection, true)?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    /// Writes to the file without changing it. A commit that failed may have left its frames at the end of the journal;
    /// this one's are written over them, so that no crash can bring them back. False when the file is not in its place.
    fn write_probe(&mut self) -> rusqlite::Result<bool> {
        self.sync_again()?;
        let transaction = Transaction::begin(&mut self.connection)?;
        rewrite_version(&transaction)?;
        commit(transaction, &mut self.guard)
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
        if let Err(error) = self.sync_again() {
            return (take(&mut self.epoch_wanted), Err(error));
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
