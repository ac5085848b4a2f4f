//! What the writer does around each commit so that the log keeps its identity: the watch, the journal's mark, the witness.

use super::checkpointer::Checkpointer;
use super::journal_mark::MarkKeeper;
use super::opening::Opened;
use super::passes::Passes;
use super::schema::seq_sum;
use super::sql_error::describe_sql;
use super::wal_index::WalState;
use super::watch::Watch;
use super::witness::Witness;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the path is checked while the file is not in its place.
const CHECK_WHEN_LOST: Duration = Duration::from_secs(1);
/// How often it is checked without messages, so that the loss is noticed before the next one.
const CHECK_WHEN_IDLE: Duration = Duration::from_secs(5);

/// The guard of an open log. Dropped after the connection.
pub(super) struct LogGuard {
    watch: Watch,
    mark: MarkKeeper,
    witness: Witness,
    /// The journal at the last check.
    wal: Option<WalState>,
    /// The sum of all rooms' seqs, of acknowledged messages.
    sum: u64,
    next_check: Instant,
    /// The log was lost since the last tick.
    just_lost: bool,
}

impl LogGuard {
    /// Begins to guard a log that was just opened, and whose journal this process moves in these passes.
    pub(super) fn new(opened: &Opened, passes: Arc<Passes>) -> Result<Self, super::OpenError> {
        let sum = seq_sum(&opened.connection)?;
        Ok(Self {
            watch: Watch::new(opened, passes)?,
            mark: MarkKeeper::new(),
            witness: Witness::new(&opened.path, &opened.epoch, sum),
            wal: None,
            sum,
            next_check: Instant::now() + CHECK_WHEN_IDLE,
            just_lost: false,
        })
    }

    /// Whether the log is in place now. If it is not, nothing may be acknowledged.
    pub(super) fn check(&mut self) -> bool {
        let wal = self.watch.read_wal();
        self.check_after(wal)
    }

    /// The same, after the journal was in this state.
    fn check_after(&mut self, wal: Option<WalState>) -> bool {
        let was_in_place = self.was_in_place();
        let in_place = self.watch.check(wal);
        self.wal = wal;
        let pause = if in_place {
            CHECK_WHEN_IDLE
        } else {
            CHECK_WHEN_LOST
        };
        self.next_check = Instant::now() + pause;
        self.just_lost |= was_in_place && !in_place;
        in_place
    }

    /// Called in a transaction, before its commit. False when the log is not in place.
    pub(super) fn before_commit(&mut self, transaction: &Connection) -> rusqlite::Result<bool> {
        let wal = self.watch.read_wal();
        let renewed = self.mark.renew_if_due(transaction, wal)?;
        let in_place = self.check_after(wal);
        if renewed.is_some() {
            self.watch.set_newest_mark(renewed);
        }
        Ok(in_place)
    }

    /// Whether the database may have the newest mark of the journal but not all of it: a transaction must renew the mark
    /// before the rest is moved.
    pub(super) fn is_mark_copied(&self) -> bool {
        let may_be_copied = |wal: WalState| wal.waiting() > 0 && self.mark.may_be_copied(wal);
        self.wal().is_some_and(may_be_copied)
    }

    /// The journal at the last check, if that found the log in place.
    pub(super) fn wal(&self) -> Option<WalState> {
        self.wal.filter(|_| self.was_in_place())
    }

    /// The transaction was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.mark.rolled_back();
        self.watch.set_newest_mark(None);
    }

    /// So many messages were stored for good.
    pub(super) fn stored(&mut self, count: u64) {
        self.sum += count;
        self.witness.record(self.sum);
    }

    /// A new epoch was committed.
    pub(super) fn new_epoch(&mut self, epoch: &str) {
        self.witness.new_epoch(epoch, self.sum);
    }

    /// When there is something to do without messages.
    pub(super) fn deadline(&self) -> Instant {
        self.next_check
    }

    /// Does what is due. Called after each batch, outside of transactions.
    pub(super) fn tick(&mut self, connection: &Connection, checkpoints: &mut Checkpointer) {
        // What a pass has written is known now; it must not explain what another program writes later.
        if checkpoints.has_ended() || self.next_check <= Instant::now() {
            self.check();
        }
        if !self.was_in_place() {
            checkpoints.stop_pass();
        }
        if self.just_lost && self.watch.database_in_place() && self.watch.can_merge() {
            // Only the journal is lost: what it holds is still open here, and goes into the file.
            merge_journal(connection, checkpoints);
        }
        self.just_lost = false;
    }

    /// The log is about to be closed.
    pub(super) fn finish(&mut self, connection: &Connection, checkpoints: &Checkpointer) {
        if !self.check() {
            checkpoints.stop_pass();
            // SQLite removes a journal by its name, which may be another's now.
            let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let _ = connection.set_db_config(keep, true);
            if self.watch.can_merge() {
                merge_journal(connection, checkpoints);
            }
        }
    }

    /// Whether the log was in place at the last check.
    pub(super) fn was_in_place(&self) -> bool {
        self.watch.was_in_place()
    }
}

fn merge_journal(connection: &Connection, checkpoints: &Checkpointer) {
    match checkpoints.merge(connection) {
        Ok(true) => {}
        Ok(false) => {
            log::warn!("O diário do histórico ainda está em uso e não foi juntado ao arquivo.");
        }
        Err(error) => log::error!(
            "Não consegui juntar o diário ao arquivo do histórico ({}).",
            describe_sql(&error)
        ),
    }
}
