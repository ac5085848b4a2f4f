//! The one thread that writes: numbers, de-duplicates and commits whatever is waiting, in one transaction.

use super::amend;
use super::reasons::sql_reason;
use super::schema::{key, last_key, room_of, seq_of};
use super::trim::Retention;
use crate::history::amend::{Fingerprint, fingerprint};
use crate::history::{Append, HistoryReply, HistoryRequest, Outcome};
use crate::identity::PersonId;
use crate::protocol::Entry;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most messages in one transaction: a few milliseconds of work.
const BATCH: usize = 1024;
/// Rooms and speakers remembered, to spare a question to the database for each message.
const REMEMBERED: usize = 10_000;

/// Where a room's log stands.
#[derive(Clone)]
struct Room {
    id: i64,
    name: Arc<str>,
    seq: u64,
    at: u64,
}

/// What is known of the database without asking it; forgotten whenever a transaction fails.
#[derive(Default)]
struct Known {
    rooms: HashMap<Arc<str>, Room>,
    speakers: HashMap<(PersonId, Arc<str>), i64>,
}

/// The writer's state.
pub struct Writer {
    connection: Connection,
    retention: Option<Retention>,
    replies: Sender<HistoryReply>,
    known: Known,
}

impl Writer {
    pub fn new(
        connection: Connection,
        retention: Option<Retention>,
        replies: Sender<HistoryReply>,
    ) -> Self {
        Self {
            connection,
            retention,
            replies,
            known: Known::default(),
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
                Ok(job) => self.store(std::iter::once(job).chain(requests.try_iter()).take(BATCH)),
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
        let again = match retention.trim(&mut self.connection) {
            Ok(trimmed) => {
                for (room, oldest) in trimmed.rooms {
                    let _ = self.replies.send(HistoryReply::Trimmed(room, oldest));
                }
                if trimmed.more {
                    Duration::ZERO
                } else {
                    retention.every
                }
            }
            Err(error) => {
                log::warn!(
                    "Não consegui apagar as mensagens antigas ({}).",
                    sql_reason(&error)
                );
                retention.every
            }
        };
        Some(Instant::now() + again)
    }

    /// Stores a batch and answers it.
    fn store(&mut self, requests: impl Iterator<Item = HistoryRequest>) {
        let batch: Vec<Append> = requests
            .filter_map(|job| match job {
                HistoryRequest::Append(append) => Some(append),
                // The reader's work never comes here.
                _ => None,
            })
            .collect();
        let outcomes =
            store(&mut self.connection, &mut self.known, &batch).unwrap_or_else(|error| {
                log::error!(
                    "Não consegui guardar mensagens: {} ({}).",
                    batch.len(),
                    sql_reason(&error)
                );
                self.known = Known::default();
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
fn store(
    connection: &mut Connection,
    known: &mut Known,
    batch: &[Append],
) -> rusqlite::Result<Vec<Outcome>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut touched: Vec<Arc<str>> = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for append in batch {
        let outcome = known.append(&transaction, append)?;
        if matches!(outcome, Outcome::Stored(_)) && !touched.contains(append.room.key()) {
            touched.push(append.room.key().clone());
        }
        outcomes.push(outcome);
    }
    for room in touched.iter().filter_map(|key| known.rooms.get(key)) {
        let mut update =
            transaction.prepare_cached("UPDATE rooms SET seq = ?2, at = ?3 WHERE id = ?1")?;
        update.execute(params![room.id, room.seq as i64, room.at as i64])?;
    }
    transaction.commit()?;
    known.forget_some();
    Ok(outcomes)
}

impl Known {
    fn append(&mut self, transaction: &Transaction, append: &Append) -> rusqlite::Result<Outcome> {
        let content = fingerprint(append);
        let room = self.room(transaction, append)?;
        // What was done already is not judged again, even if what it points at is gone since: the id is asked first.
        if (append.amends.is_some() || append.reply_to.is_some())
            && let Some(outcome) = first(transaction, append, room.id, content)?
        {
            return Ok(outcome);
        }
        if let Some(seq) = append.reply_to
            && !is_held(transaction, room.id, seq)?
        {
            return Ok(Outcome::NoSuchEntry);
        }
        let concerned = match &append.amends {
            None => Vec::new(),
            Some(amendment) => match amend::find(transaction, append, amendment, room.id)? {
                Ok(concerned) => concerned,
                Err(refused) => return Ok(refused),
            },
        };
        let (seq, at) = (room.seq + 1, append.at.max(room.at));
        let key = key(room.id, seq);
        let mut claim = transaction.prepare_cached(
            "INSERT OR IGNORE INTO ids (person, id, key, at, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        if claim.execute(params![append.person.0, append.id, key, at as i64, content])? == 0 {
            return Ok(first(transaction, append, room.id, content)?.unwrap_or(Outcome::IdReused));
        }
        let (id, name) = (room.id, room.name.clone());
        let speaker = self.speaker(transaction, append)?;
        match append.amends {
            None => insert(transaction, append, (key, at, speaker))?,
            Some(_) => amend::store(transaction, append, &concerned, (key, at, speaker))?,
        }
        self.rooms.insert(
            append.room.key().clone(),
            Room {
                id,
                name: name.clone(),
                seq,
                at,
            },
        );
        Ok(Outcome::Stored(Arc::new(entry(
            append,
            name,
            (seq, at),
            &concerned,
        ))))
    }

    /// The room of a message, which its first message brings into being.
    fn room(&mut self, transaction: &Transaction, append: &Append) -> rusqlite::Result<Room> {
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
            Ok(Room {
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
        let who = (append.person, append.from.clone());
        if let Some(&speaker) = self.speakers.get(&who) {
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
        self.speakers.insert(who, speaker);
        Ok(speaker)
    }

    /// Keeps memory flat however many rooms and people there were.
    fn forget_some(&mut self) {
        if self.rooms.len() > REMEMBERED {
            self.rooms.clear();
        }
        if self.speakers.len() > REMEMBERED {
            self.speakers.clear();
        }
    }
}

/// Whether a room's entry was said and is not trimmed.
fn is_held(transaction: &Transaction, room: i64, seq: u64) -> rusqlite::Result<bool> {
    // Beyond this, a seq would run into the next room's keys.
    Ok(seq <= seq_of(last_key(room))
        && transaction
            .prepare_cached("SELECT 1 FROM entries WHERE key = ?1")?
            .exists([key(room, seq)])?)
}

/// Stores a message of its own, and makes it findable.
fn insert(
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
        transaction.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
    index.execute(params![key, append.text])?;
    Ok(())
}

/// A message as everybody sees it, with the keys of the entries that it changes.
fn entry(append: &Append, room: Arc<str>, (seq, at): (u64, u64), concerned: &[i64]) -> Entry {
    let mut seqs = concerned.iter().map(|key| seq_of(*key));
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
fn first(
    transaction: &Transaction,
    append: &Append,
    room: i64,
    content: Fingerprint,
) -> rusqlite::Result<Option<Outcome>> {
    let mut select = transaction
        .prepare_cached("SELECT key, at, digest FROM ids WHERE person = ?1 AND id = ?2")?;
    let found: Option<(i64, i64, Fingerprint)> = select
        .query_row(params![append.person.0, append.id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.map(
        |(key, at, first)| match first == content && room_of(key) == room {
            true => Outcome::Duplicate {
                seq: seq_of(key),
                at: at as u64,
            },
            false => Outcome::IdReused,
        },
    ))
}
