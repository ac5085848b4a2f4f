//! The writer thread: numbers, de-duplicates and commits all waiting messages in one transaction.

use super::amend;
use super::schema::{NewRow, entry_key, last_entry_key, room_id_of, seq_of};
use super::trim::Trimmer;
use crate::auth::PersonId;
use crate::history::amend::{Fingerprint, fingerprint};
use crate::history::clock::stamp;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{Append, HistoryReply, HistoryRequest, Outcome};
use crate::protocol::Entry;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most messages in one transaction: a few milliseconds of work.
const MAX_BATCH: usize = 1024;
/// How long after a failed step the next one is tried.
const RETRY_TRIM: Duration = Duration::from_hours(1);
/// Rooms and speakers cached, to spare a query for each message.
const MAX_CACHED: usize = 10_000;

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
    trimmer: Trimmer,
    replies: Sender<HistoryReply>,
    cache: WriterCache,
}

impl HistoryWriter {
    pub(super) fn new(
        connection: Connection,
        trimmer: Trimmer,
        replies: Sender<HistoryReply>,
    ) -> Self {
        Self {
            connection,
            trimmer,
            replies,
            cache: WriterCache::default(),
        }
    }

    /// Serves requests until the channel closes and all of them are stored.
    pub(super) fn run(mut self, requests: &Receiver<HistoryRequest>) {
        // Before the first request: an empty log is known as one.
        let mut next_trim = Instant::now() + self.trim();
        loop {
            let timeout = next_trim.saturating_duration_since(Instant::now());
            match requests.recv_timeout(timeout) {
                Ok(request) => self.store_batch(
                    std::iter::once(request)
                        .chain(requests.try_iter())
                        .take(MAX_BATCH),
                ),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if next_trim <= Instant::now() {
                next_trim = Instant::now() + self.trim();
            }
        }
        if let Err(error) = self.trimmer.finish(&self.connection) {
            log::debug!("The state of the clock was not saved: {error}");
        }
    }

    /// Trims one step and returns the pause until the next.
    fn trim(&mut self) -> Duration {
        match self.trimmer.step(&mut self.connection) {
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

    /// Stores a batch and replies to it.
    fn store_batch(&mut self, requests: impl Iterator<Item = HistoryRequest>) {
        let batch: Vec<Append> = requests
            .map(|request| match request {
                HistoryRequest::Append(append) => append,
                _ => unreachable!("reads go to the reader"),
            })
            .collect();
        let outcomes =
            commit_batch(&mut self.connection, &mut self.cache, &batch).unwrap_or_else(|error| {
                log::error!(
                    "Não consegui guardar mensagens: {} ({}).",
                    batch.len(),
                    describe_sql(&error)
                );
                self.cache = WriterCache::default();
                vec![Outcome::Unavailable; batch.len()]
            });
        for (append, outcome) in batch.into_iter().zip(outcomes) {
            let _ = self.replies.send(HistoryReply::Appended(
                append.request_id,
                append.id,
                append.room,
                outcome,
            ));
        }
    }
}

/// Stores all of the batch or nothing, in one transaction.
fn commit_batch(
    connection: &mut Connection,
    cache: &mut WriterCache,
    batch: &[Append],
) -> rusqlite::Result<Vec<Outcome>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut changed_rooms: Vec<Arc<str>> = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for append in batch {
        let outcome = cache.append(&transaction, append)?;
        if matches!(outcome, Outcome::Stored(_)) && !changed_rooms.contains(append.room.key()) {
            changed_rooms.push(append.room.key().clone());
        }
        outcomes.push(outcome);
    }
    for key in &changed_rooms {
        let room = &cache.rooms[key];
        let mut update =
            transaction.prepare_cached("UPDATE rooms SET seq = ?2, at = ?3 WHERE id = ?1")?;
        update.execute(params![room.id, room.seq as i64, room.at as i64])?;
    }
    transaction.commit()?;
    cache.evict();
    Ok(outcomes)
}

impl WriterCache {
    fn append(&mut self, transaction: &Transaction, append: &Append) -> rusqlite::Result<Outcome> {
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
        match append.amends {
            None => insert_message(transaction, append, &row)?,
            Some(_) => amend::insert_amendment(transaction, append, &targets, &row)?,
        }
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
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO rooms (key, name, seq, oldest, at) VALUES (?1, ?2, 0, 1, 0)",
        )?;
        insert.execute(params![&**key, append.room.as_str()])?;
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
