//! The one thread that writes: numbers, de-duplicates and commits whatever is waiting, in one transaction.

use super::amend;
use super::schema::{entry_key, last_entry_key, room_id_of, seq_of};
use super::trim::Retention;
use crate::auth::PersonId;
use crate::history::amend::{Fingerprint, fingerprint};
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
/// Rooms and speakers remembered, to spare a question to the database for each message.
const MAX_CACHED: usize = 10_000;

/// Where a room's log stands.
#[derive(Clone)]
struct CachedRoom {
    id: i64,
    name: Arc<str>,
    seq: u64,
    at: u64,
}

/// What is known of the database without asking it; forgotten whenever a transaction fails.
#[derive(Default)]
struct WriterCache {
    rooms: HashMap<Arc<str>, CachedRoom>,
    speakers: HashMap<(PersonId, Arc<str>), i64>,
}

/// The writer's state.
pub struct HistoryWriter {
    connection: Connection,
    retention: Option<Retention>,
    replies: Sender<HistoryReply>,
    cache: WriterCache,
}

impl HistoryWriter {
    pub fn new(
        connection: Connection,
        retention: Option<Retention>,
        replies: Sender<HistoryReply>,
    ) -> Self {
        Self {
            connection,
            retention,
            replies,
            cache: WriterCache::default(),
        }
    }

    /// Works until nobody can send any more; then everything that was sent is stored.
    pub fn run(mut self, requests: &Receiver<HistoryRequest>) {
        let mut next_trim = self.retention.as_ref().map(|_| Instant::now());
        loop {
            let timeout = next_trim.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            let first = match next_trim {
                Some(_) => requests.recv_timeout(timeout),
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match first {
                Ok(job) => self.store_batch(
                    std::iter::once(job)
                        .chain(requests.try_iter())
                        .take(MAX_BATCH),
                ),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if next_trim.is_some_and(|at| at <= Instant::now()) {
                next_trim = self.trim();
            }
        }
    }

    /// Trims a little, and says when to go on.
    fn trim(&mut self) -> Option<Instant> {
        let retention = self.retention.as_mut()?;
        let pause = match retention.trim(&mut self.connection) {
            Ok(trimmed) => {
                for (room, oldest) in trimmed.rooms {
                    let _ = self.replies.send(HistoryReply::Trimmed(room, oldest));
                }
                if trimmed.more {
                    Duration::ZERO
                } else {
                    retention.interval
                }
            }
            Err(error) => {
                log::warn!(
                    "Não consegui apagar as mensagens antigas ({}).",
                    describe_sql(&error)
                );
                retention.interval
            }
        };
        Some(Instant::now() + pause)
    }

    /// Stores a batch and answers it.
    fn store_batch(&mut self, requests: impl Iterator<Item = HistoryRequest>) {
        let batch: Vec<Append> = requests
            .filter_map(|job| match job {
                HistoryRequest::Append(append) => Some(append),
                // The reader's work never comes here.
                _ => None,
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

/// One transaction: all of the batch, or nothing of it.
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
    for room in changed_rooms.iter().filter_map(|key| cache.rooms.get(key)) {
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
        // What was done already is not judged again, even if what it points at is gone since: the id is asked first.
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
                    Ok(concerned) => concerned,
                    Err(refused) => return Ok(refused),
                }
            }
        };
        let (seq, at) = (room.seq + 1, append.at.max(room.at));
        let key = entry_key(room.id, seq);
        let mut claim = transaction.prepare_cached(
            "INSERT OR IGNORE INTO ids (person, id, key, at, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        if claim.execute(params![
            append.person.0,
            append.id,
            key,
            at as i64,
            fingerprint
        ])? == 0
        {
            return Ok(find_existing(transaction, append, room.id, fingerprint)?
                .unwrap_or(Outcome::IdReused));
        }
        let (id, name) = (room.id, room.name.clone());
        let speaker = self.speaker(transaction, append)?;
        match append.amends {
            None => insert_message(transaction, append, (key, at, speaker))?,
            Some(_) => amend::insert_amendment(transaction, append, &targets, (key, at, speaker))?,
        }
        self.rooms.insert(
            append.room.key().clone(),
            CachedRoom {
                id,
                name: name.clone(),
                seq,
                at,
            },
        );
        Ok(Outcome::Stored(Arc::new(build_entry(
            append,
            name,
            (seq, at),
            &targets,
        ))))
    }

    /// The room of a message, which its first message brings into being.
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
            let (name, seq, at): (String, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(CachedRoom {
                id: row.get(0)?,
                name: name.into(),
                seq: seq as u64,
                at: at as u64,
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

    /// Keeps memory flat however many rooms and people there were.
    fn evict(&mut self) {
        if self.rooms.len() > MAX_CACHED {
            self.rooms.clear();
        }
        if self.speakers.len() > MAX_CACHED {
            self.speakers.clear();
        }
    }
}

/// Whether a room's entry was said and is not trimmed.
fn entry_exists(transaction: &Transaction, room: i64, seq: u64) -> rusqlite::Result<bool> {
    // Beyond this, a seq would run into the next room's keys.
    Ok(seq <= seq_of(last_entry_key(room))
        && transaction
            .prepare_cached("SELECT 1 FROM entries WHERE key = ?1")?
            .exists([entry_key(room, seq)])?)
}

/// Stores a message of its own, and makes it findable.
fn insert_message(
    transaction: &Transaction,
    append: &Append,
    (key, at, speaker): (i64, u64, i64),
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entries (key, at, speaker, text, action, reply_to) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let reply_to = append.reply_to.map(|seq| seq as i64);
    insert.execute(params![
        key,
        at as i64,
        speaker,
        append.text,
        append.action,
        reply_to
    ])?;
    let mut index =
        transaction.prepare_cached("INSERT INTO entries_fts (rowid, text) VALUES (?1, ?2)")?;
    index.execute(params![key, append.text])?;
    Ok(())
}

/// A message as everybody sees it, with the keys of the entries that it changes.
fn build_entry(append: &Append, room: Arc<str>, (seq, at): (u64, u64), targets: &[i64]) -> Entry {
    let mut seqs = targets.iter().map(|key| seq_of(*key));
    Entry {
        room,
        seq,
        at,
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

/// What became of the first message with this id, if there was one.
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
    Ok(found.map(
        |(key, at, first)| match first == fingerprint && room_id_of(key) == room {
            true => Outcome::Duplicate {
                seq: seq_of(key),
                at: at as u64,
            },
            false => Outcome::IdReused,
        },
    ))
}
