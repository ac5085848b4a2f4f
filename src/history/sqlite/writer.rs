//! The writer thread: numbers, de-duplicates and commits all waiting messages in one transaction.

use super::amend;
use super::guard::LogGuard;
use super::moderation;
use super::probe::{fault_of, is_busy, may_come_back, rewrite_version};
use super::queue::{RequestReceiver, Wakeup};
use super::schema::{
    NewRow, OpenError, entry_key, last_entry_key, room_id_of, seq_of, store_new_epoch,
};
use super::trim::Trimmer;
use super::undo::UndoLog;
use crate::auth::PersonId;
use crate::history::amend::{Fingerprint, fingerprint};
use crate::history::clock::stamp;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{
    Append, HistoryFault, HistoryHealth, HistoryReply, HistoryRequest, MAX_WAIT, Outcome,
};
use crate::protocol::Entry;
use crossbeam_channel::Sender;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most messages in one transaction: a few milliseconds of work.
const MAX_BATCH: usize = 1024;
/// How long after a failed step, or while the file is away, the next one is tried.
const RETRY_TRIM: Duration = Duration::from_hours(1);
/// Rooms and speakers cached, to spare a query for each message.
const MAX_CACHED: usize = 10_000;
/// How long to wait at a time for another program that holds the file.
const LOCK_TIMEOUT: Duration = MAX_WAIT;
/// Pages in the journal from which on a commit moves them into the database: SQLite's own number.
const CHECKPOINT_PAGES: u32 = 1000;
/// How often it is tried whether the file can be written again.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// A room's row, as of the last append.
#[derive(Clone)]
struct CachedRoom {
    id: i64,
    name: Arc<str>,
    seq: u64,
    at: u64,
}

/// A cache of the database; dropped when a transaction fails.
#[derive(Default)]
struct WriterCache {
    rooms: HashMap<Arc<str>, CachedRoom>,
    speakers: HashMap<(PersonId, Arc<str>), i64>,
}

/// The writer's state.
pub(super) struct HistoryWriter {
    connection: Connection,
    guard: LogGuard,
    trimmer: Trimmer,
    replies: Sender<HistoryReply>,
    cache: WriterCache,
    health: Arc<HistoryHealth>,
    /// When to try whether the file can be written again, while it can't.
    next_probe: Option<Instant>,
    /// A new epoch was asked for and has not begun yet.
    epoch_wanted: bool,
    /// Commits move a long journal into the database.
    checkpoints: bool,
}

impl HistoryWriter {
    pub(super) fn new(
        connection: Connection,
        guard: LogGuard,
        trimmer: Trimmer,
        replies: Sender<HistoryReply>,
        health: Arc<HistoryHealth>,
    ) -> rusqlite::Result<Self> {
        connection.busy_timeout(LOCK_TIMEOUT)?;
        Ok(Self {
            connection,
            guard,
            trimmer,
            replies,
            cache: WriterCache::default(),
            health,
            next_probe: None,
            epoch_wanted: false,
            checkpoints: true,
        })
    }

    /// Serves requests until the queue closes and all of them are stored.
    pub(super) fn run(mut self, requests: &RequestReceiver) {
        let _stopped = StoppedOnPanic(self.health.clone());
        // Before the first request: an empty log is known as one.
        let mut next_trim = Instant::now() + self.trim();
        loop {
            let deadline = self.guard.deadline().min(next_trim);
            let deadline = self.next_probe.map_or(deadline, |at| deadline.min(at));
            match requests.wait(Some(deadline)) {
                Wakeup::Requests => self.store_waiting(requests),
                Wakeup::Timeout => {}
                Wakeup::Closed => break,
            }
            self.look_around();
            let now = Instant::now();
            if next_trim <= now {
                next_trim = now + self.trim();
            }
            if self.next_probe.is_some_and(|at| at <= now) {
                self.try_again();
            }
        }
        if let Err(error) = self.trimmer.finish(&self.connection) {
            log::debug!("The state of the clock was not saved: {error}");
        }
        self.guard.finish(&self.connection);
    }

    /// Does what keeps the log's identity, when it is due.
    fn look_around(&mut self) {
        let was_in_place = self.guard.was_in_place();
        self.guard.tick(&self.connection);
        if self.guard.was_in_place() != was_in_place {
            self.set_fault(None);
        }
    }

    /// Takes down whether the last write succeeded.
    fn set_fault(&mut self, fault: Option<HistoryFault>) {
        let fault = match self.guard.was_in_place() {
            true => fault,
            false => Some(HistoryFault::FileGone),
        };
        self.health.set(fault);
        self.next_probe = fault.map(|_| Instant::now() + PROBE_INTERVAL);
    }

    /// Tries whether the file can be written again.
    fn try_again(&mut self) -> bool {
        let probed = self.probe();
        if !matches!(probed, Ok(true)) {
            self.guard.rolled_back();
        }
        self.set_fault(probed.as_ref().err().map(fault_of));
        matches!(probed, Ok(true))
    }

    /// Writes to the file without changing it. A commit that failed may have left its frames at the end of the journal;
    /// this one's are written over them, so that no crash can bring them back. False when the file is not in its place.
    fn probe(&mut self) -> rusqlite::Result<bool> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        rewrite_version(&transaction)?;
        commit(transaction, &mut self.guard)
    }

    /// Trims one step and returns the pause until the next.
    fn trim(&mut self) -> Duration {
        if !self.guard.look() {
            return RETRY_TRIM;
        }
        let step = self.trimmer.step(&mut self.connection);
        // A checkpoint of this step explains only what was written until now.
        self.guard.look();
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
        let (batch, stored) = self.commit_waiting(requests);
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
            let epoch = self.begin_epoch();
            let _ = self.replies.send(HistoryReply::EpochBegan(epoch));
        }
    }

    /// Begins a new epoch; `None` when it can't be stored.
    fn begin_epoch(&mut self) -> Option<Arc<str>> {
        let epoch = self.store_epoch().unwrap_or_else(|error| {
            log::error!("Não consegui começar uma nova época do histórico ({error}).");
            self.guard.rolled_back();
            None
        })?;
        self.guard.new_epoch(&epoch);
        Some(epoch)
    }

    fn store_epoch(&mut self) -> Result<Option<Arc<str>>, OpenError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let epoch = store_new_epoch(&transaction)?;
        Ok(commit(transaction, &mut self.guard)?.then_some(epoch))
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
        if !self.guard.look() {
            return (take_batch(requests, &mut self.epoch_wanted), Ok(None));
        }
        let behavior = TransactionBehavior::Immediate;
        let transaction = match self.connection.transaction_with_behavior(behavior) {
            Ok(transaction) => transaction,
            Err(error) if is_busy(&error) => return (Vec::new(), Err(error)),
            Err(error) => return (take_batch(requests, &mut self.epoch_wanted), Err(error)),
        };
        let batch = take_batch(requests, &mut self.epoch_wanted);
        let mut undo = UndoLog::default();
        let stored = self.cache.store_all(&transaction, &batch, &mut undo);
        let stored = stored.and_then(|replies| {
            let committed = commit(transaction, &mut self.guard)?;
            Ok(committed.then_some(replies))
        });
        match stored {
            Ok(Some(replies)) => (batch, self.confirm(replies, &undo, requests)),
            other => (batch, other),
        }
    }

    /// After a commit: takes it back if the file went away meanwhile. What keeps order is not taken back: it holds anyway.
    fn confirm(
        &mut self,
        replies: Vec<HistoryReply>,
        undo: &UndoLog,
        requests: &RequestReceiver,
    ) -> rusqlite::Result<Option<Vec<HistoryReply>>> {
        if !self.guard.look() {
            // A checkpoint would write into the database what another program has made of the journal.
            self.set_checkpoints(false);
            // Nobody is told that it was not taken before it is gone.
            while let Err(error) = undo.revert(&mut self.connection) {
                self.set_fault(Some(fault_of(&error)));
                if requests.wait_for_close(Instant::now() + PROBE_INTERVAL) {
                    return Err(error);
                }
            }
            return Ok(None);
        }
        if !self.checkpoints {
            self.set_checkpoints(true);
        }
        let stored = replies.iter().filter(|reply| is_stored(reply));
        self.guard.stored(stored.count() as u64);
        self.cache.evict();
        Ok(Some(replies))
    }

    /// Whether commits move a long journal into the database.
    fn set_checkpoints(&mut self, checkpoints: bool) {
        let pages = if checkpoints { CHECKPOINT_PAGES } else { 0 };
        let set = self
            .connection
            .pragma_update(None, "wal_autocheckpoint", pages);
        match set {
            Ok(()) => self.checkpoints = checkpoints,
            Err(error) => log::debug!("wal_autocheckpoint: {error}"),
        }
    }

    /// Replies to the changes of what keeps order in a failed batch, and gives back the rest. They hold anyway, so nobody
    /// has to wait until it is certain that they are not in the file.
    fn release_moderation(&self, batch: Vec<HistoryRequest>) -> Vec<HistoryRequest> {
        let is_change =
            |request: &HistoryRequest| matches!(request, HistoryRequest::SaveModeration(..));
        let (changes, rest): (Vec<_>, _) = batch.into_iter().partition(is_change);
        for change in changes {
            let _ = self.replies.send(change.unavailable_reply());
        }
        rest
    }

    /// The caches hold what a failed transaction wrote.
    fn rolled_back(&mut self) {
        self.cache = WriterCache::default();
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
        while !self.try_again() {
            if requests.wait_for_close(Instant::now() + PROBE_INTERVAL) {
                return false;
            }
        }
        true
    }
}

/// When dropped by a panic, takes down that nothing is stored any more.
struct StoppedOnPanic(Arc<HistoryHealth>);

impl Drop for StoppedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set(Some(HistoryFault::Stopped));
        }
    }
}

/// Takes what waits to be stored, as much as one transaction should have, and notes whether a new epoch is asked for.
fn take_batch(requests: &RequestReceiver, epoch_wanted: &mut bool) -> Vec<HistoryRequest> {
    let mut batch = requests.take(MAX_BATCH);
    let taken = batch.len();
    batch.retain(|request| !matches!(request, HistoryRequest::BeginEpoch));
    *epoch_wanted |= batch.len() < taken;
    batch
}

/// Whether this reply says that a message was stored.
fn is_stored(reply: &HistoryReply) -> bool {
    matches!(reply, HistoryReply::Appended(.., Outcome::Stored(_)))
}

/// Whether this reply says that anything was written.
fn has_written(reply: &HistoryReply) -> bool {
    is_stored(reply) || matches!(reply, HistoryReply::ModerationSaved(_, true))
}

/// Commits unless the file is not in its place; false if it is not.
fn commit(transaction: Transaction, guard: &mut LogGuard) -> rusqlite::Result<bool> {
    if !guard.before_commit(&transaction)? {
        return Ok(false);
    }
    transaction.commit()?;
    Ok(true)
}

impl WriterCache {
    /// Stores a batch in a transaction. Returns the replies, to be sent after its commit.
    fn store_all(
        &mut self,
        transaction: &Transaction,
        batch: &[HistoryRequest],
        undo: &mut UndoLog,
    ) -> rusqlite::Result<Vec<HistoryReply>> {
        let mut changed_rooms: Vec<Arc<str>> = Vec::new();
        let mut replies = Vec::with_capacity(batch.len());
        for request in batch {
            replies.push(match request {
                HistoryRequest::Append(append) => {
                    let outcome = self.append(transaction, append, undo)?;
                    let key = append.room.key();
                    if matches!(outcome, Outcome::Stored(_)) && !changed_rooms.contains(key) {
                        changed_rooms.push(key.clone());
                    }
                    append.reply(outcome)
                }
                HistoryRequest::SaveModeration(request_id, changes) => {
                    moderation::save(transaction, changes)?;
                    HistoryReply::ModerationSaved(*request_id, true)
                }
                _ => unreachable!("reads go to the reader"),
            });
        }
        for key in &changed_rooms {
            let room = &self.rooms[key];
            let mut update =
                transaction.prepare_cached("UPDATE rooms SET seq = ?2, at = ?3 WHERE id = ?1")?;
            update.execute(params![room.id, room.seq as i64, room.at as i64])?;
        }
        Ok(replies)
    }

    fn append(
        &mut self,
        transaction: &Transaction,
        append: &Append,
        undo: &mut UndoLog,
    ) -> rusqlite::Result<Outcome> {
        let fingerprint = fingerprint(append);
        let room = self.room(transaction, append)?;
        // A resend is a duplicate even if its target is gone since, so the id is looked up first.
        if (append.amends.is_some() || append.reply_to.is_some())
            && let Some(outcome) = find_existing(transaction, append, room.id, fingerprint)?
        {
            return Ok(outcome);
        }
        if let Some(seq) = append.reply_to
            && !entry_exists(transaction, room.id, seq)?
        {
            return Ok(Outcome::NoSuchEntry);
        }
        let targets = match &append.amends {
            None => Vec::new(),
            Some(amendment) => {
                match amend::find_targets(transaction, append, amendment, room.id)? {
                    Ok(targets) => targets,
                    Err(refused) => return Ok(refused),
                }
            }
        };
        let seq = room.seq + 1;
        let at = stamp(append.at, room.at);
        let key = entry_key(room.id, seq);
        let mut claim = transaction.prepare_cached(
            "INSERT OR IGNORE INTO ids (person, id, key, at, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let row = params![append.person.0, append.id, key, at as i64, fingerprint];
        let claimed = claim.execute(row)? > 0;
        if !claimed {
            return Ok(find_existing(transaction, append, room.id, fingerprint)?
                .unwrap_or(Outcome::IdReused));
        }
        let row = NewRow {
            key,
            at,
            speaker: self.speaker(transaction, append)?,
        };
        undo.room(room.id, room.seq, room.at);
        undo.changing(transaction, &targets)?;
        match append.amends {
            None => insert_message(transaction, append, &row)?,
            Some(_) => amend::insert_amendment(transaction, append, &targets, &row)?,
        }
        undo.added(key, append.person, &append.id);
        let entry = build_entry(append, room.name.clone(), &row, &targets);
        let advanced = CachedRoom { seq, at, ..room };
        self.rooms.insert(append.room.key().clone(), advanced);
        Ok(Outcome::Stored(Arc::new(entry)))
    }

    /// The room of a message, created if this is its first.
    fn room(&mut self, transaction: &Transaction, append: &Append) -> rusqlite::Result<CachedRoom> {
        let key = append.room.key();
        if let Some(room) = self.rooms.get(key) {
            return Ok(room.clone());
        }
        moderation::ensure_room(transaction, &append.room, append.room_owner.as_deref())?;
        let mut select =
            transaction.prepare_cached("SELECT id, name, seq, at FROM rooms WHERE key = ?1")?;
        let room = select.query_row([&**key], |row| {
            Ok(CachedRoom {
                id: row.get(0)?,
                name: row.get(1)?,
                seq: row.get::<_, i64>(2)? as u64,
                at: row.get::<_, i64>(3)? as u64,
            })
        })?;
        self.rooms.insert(key.clone(), room.clone());
        Ok(room)
    }

    fn speaker(&mut self, transaction: &Transaction, append: &Append) -> rusqlite::Result<i64> {
        let cache_key = (append.person, append.from.clone());
        if let Some(&speaker) = self.speakers.get(&cache_key) {
            return Ok(speaker);
        }
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO speakers (person, name, tag) VALUES (?1, ?2, ?3)",
        )?;
        insert.execute(params![append.person.0, &*append.from, &*append.tag])?;
        let mut select = transaction
            .prepare_cached("SELECT id FROM speakers WHERE person = ?1 AND name = ?2")?;
        let speaker =
            select.query_row(params![append.person.0, &*append.from], |row| row.get(0))?;
        self.speakers.insert(cache_key, speaker);
        Ok(speaker)
    }

    /// Bounds the memory of the cache.
    fn evict(&mut self) {
        if self.rooms.len() > MAX_CACHED {
            self.rooms.clear();
        }
        if self.speakers.len() > MAX_CACHED {
            self.speakers.clear();
        }
    }
}

/// Whether an entry exists and is not trimmed.
fn entry_exists(transaction: &Transaction, room: i64, seq: u64) -> rusqlite::Result<bool> {
    // A larger seq would reach into the next room's keys.
    Ok(seq <= seq_of(last_entry_key(room))
        && transaction
            .prepare_cached("SELECT 1 FROM entries WHERE key = ?1")?
            .exists([entry_key(room, seq)])?)
}

/// Stores an ordinary message and indexes its text.
fn insert_message(
    transaction: &Transaction,
    append: &Append,
    row: &NewRow,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entries (key, at, speaker, text, action, reply_to) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let reply_to = append.reply_to.map(|seq| seq as i64);
    insert.execute(params![
        row.key,
        row.at as i64,
        row.speaker,
        append.text,
        append.action,
        reply_to
    ])?;
    let mut index =
        transaction.prepare_cached("INSERT INTO entries_fts (rowid, text) VALUES (?1, ?2)")?;
    index.execute(params![row.key, append.text])?;
    Ok(())
}

/// The entry of a message that changes these keys.
fn build_entry(append: &Append, room: Arc<str>, row: &NewRow, targets: &[i64]) -> Entry {
    let mut seqs = targets.iter().map(|key| seq_of(*key));
    Entry {
        room,
        seq: seq_of(row.key),
        at: row.at,
        from: append.from.clone(),
        tag: append.tag.clone(),
        text: append.text.clone(),
        action: append.action,
        reply_to: append.reply_to,
        edits: if amend::is_edit(append) {
            seqs.next()
        } else {
            None
        },
        erases: seqs.collect(),
        edited: false,
        erased: false,
    }
}

/// The outcome of a resend, if there is a message with this id.
fn find_existing(
    transaction: &Transaction,
    append: &Append,
    room: i64,
    fingerprint: Fingerprint,
) -> rusqlite::Result<Option<Outcome>> {
    let mut select = transaction
        .prepare_cached("SELECT key, at, digest FROM ids WHERE person = ?1 AND id = ?2")?;
    let found: Option<(i64, i64, Fingerprint)> = select
        .query_row(params![append.person.0, append.id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.map(|(key, at, first)| {
        if first == fingerprint && room_id_of(key) == room {
            Outcome::Duplicate {
                seq: seq_of(key),
                at: at as u64,
            }
        } else {
            Outcome::IdReused
        }
    }))
}

/// Stores a batch as the writer does, without its thread.
#[cfg(test)]
pub(super) fn append_all(
    transaction: &Transaction,
    batch: &[Append],
    undo: &mut UndoLog,
) -> Vec<Outcome> {
    let batch: Vec<_> = batch.iter().cloned().map(HistoryRequest::Append).collect();
    let stored = WriterCache::default().store_all(transaction, &batch, undo);
    let outcome = |reply| match reply {
        HistoryReply::Appended(.., outcome) => outcome,
        other => panic!("{other:?}"),
    };
    stored.unwrap().into_iter().map(outcome).collect()
}
