//! Appending a batch of messages in the writer's transaction: one row for each. What finds them is indexed later.

use super::indexing::Indexer;
use super::recent_ids::{IdTable, RecentIds, StoredId};
use super::schema::{NewRow, entry_key, last_entry_key, room_id_of, seq_of};
use super::transaction::Transaction;
use super::undo::UndoLog;
use super::{amend, moderation};
use crate::auth::PersonId;
use crate::history::amend::{Fingerprint, fingerprint};
use crate::history::clock::stamp;
use crate::history::{Amendment, Append, HistoryFault, HistoryReply, HistoryRequest, Outcome};
use crate::protocol::Entry;
use rusqlite::{CachedStatement, Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

/// Rooms and speakers cached, to spare a query for each message.
const MAX_CACHED: usize = 10_000;

/// A room as of the last append.
#[derive(Clone)]
struct CachedRoom {
    id: i64,
    name: Arc<str>,
    seq: u64,
    at: u64,
}

/// The tables that every message needs, with statements that are prepared once for a batch.
struct Tables<'a> {
    transaction: &'a Transaction<'a>,
    ids: IdTable<'a>,
    insert: CachedStatement<'a>,
}

impl<'a> Tables<'a> {
    fn new(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        let insert = "INSERT INTO entries (key, at, speaker, text, action, reply_to, id, digest)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        Ok(Self {
            transaction,
            ids: IdTable::new(transaction)?,
            insert: transaction.prepare_cached(insert)?,
        })
    }

    /// Stores an ordinary message.
    fn insert_message(&mut self, append: &Append, row: &NewRow) -> rusqlite::Result<()> {
        self.insert.execute(params![
            row.key,
            row.at as i64,
            row.speaker,
            append.text,
            append.action,
            append.reply_to.map(|seq| seq as i64),
            append.id,
            row.fingerprint
        ])?;
        Ok(())
    }
}

/// What the writer knows of the database without asking it.
pub(super) struct WriterCache {
    rooms: HashMap<Arc<str>, CachedRoom>,
    speakers: HashMap<(PersonId, Arc<str>), i64>,
    /// The entries that are not indexed, and their ids.
    pub indexer: Indexer,
    pub ids: RecentIds,
    /// What this transaction has added to each room: the last key, and how many.
    added: HashMap<i64, (i64, usize)>,
    /// It has changed texts.
    changed: bool,
    /// Why no text may be added now.
    pub space_fault: Option<HistoryFault>,
}

impl WriterCache {
    /// For the file that this connection writes.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut ids = RecentIds::default();
        Ok(Self {
            rooms: HashMap::new(),
            speakers: HashMap::new(),
            indexer: Indexer::load(connection, &mut ids)?,
            ids,
            added: HashMap::new(),
            changed: false,
            space_fault: None,
        })
    }

    /// Stores a batch in a transaction. Returns the replies, to be sent after its commit.
    pub(super) fn store_all(
        &mut self,
        transaction: &Transaction,
        batch: &[HistoryRequest],
        undo: &mut UndoLog,
    ) -> rusqlite::Result<Vec<HistoryReply>> {
        let mut replies = Vec::with_capacity(batch.len());
        let mut tables = Tables::new(transaction)?;
        for request in batch {
            replies.push(match request {
                HistoryRequest::Append(append) => {
                    append.reply(self.append(&mut tables, append, undo)?)
                }
                HistoryRequest::SaveModeration(request_id, changes) => {
                    moderation::save(transaction, changes)?;
                    HistoryReply::ModerationSaved(*request_id, true)
                }
                _ => unreachable!("reads go to the reader"),
            });
        }
        Ok(replies)
    }

    /// The transaction was committed for good.
    pub(super) fn commit(&mut self) {
        self.ids.commit();
        for (room, (last, entries)) in self.added.drain() {
            self.indexer.added(last, room, entries);
        }
        if std::mem::take(&mut self.changed) {
            self.indexer.changed();
        }
        // The memory is bounded.
        if self.rooms.len() > MAX_CACHED {
            self.rooms.clear();
        }
        if self.speakers.len() > MAX_CACHED {
            self.speakers.clear();
        }
    }

    /// Forgets what a transaction that was rolled back or taken back has written.
    pub(super) fn roll_back(&mut self) {
        self.ids.roll_back();
        self.rooms.clear();
        self.speakers.clear();
        self.added.clear();
        // A batch that was taken back may have left texts that are not outdated.
        if std::mem::take(&mut self.changed) {
            self.indexer.changed();
        }
    }

    fn append(
        &mut self,
        tables: &mut Tables,
        append: &Append,
        undo: &mut UndoLog,
    ) -> rusqlite::Result<Outcome> {
        let transaction = tables.transaction;
        let known = self.ids.find(&mut tables.ids, append.person, &append.id)?;
        if let (Some(refusal), None) = (&append.refused, known) {
            return Ok(Outcome::Refused(refusal.clone()));
        }
        let fingerprint = fingerprint(append);
        let room = self.room(transaction, append)?;
        // A resend is a duplicate even if what it amends is gone since.
        if let Some(known) = known {
            return Ok(classify_resend(known, room.id, fingerprint));
        }
        if let Some(outcome) = self.decide_early(transaction, append, room.id)? {
            return Ok(outcome);
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
        let row = NewRow {
            key: entry_key(room.id, room.seq + 1),
            at: stamp(append.at, room.at),
            speaker: self.speaker(transaction, append)?,
            fingerprint,
        };
        undo.changing(transaction, &targets)?;
        match append.amends {
            None => tables.insert_message(append, &row)?,
            Some(_) => amend::insert_amendment(transaction, append, &targets, &row)?,
        }
        undo.added(row.key);
        self.note(append, &row, &room);
        Ok(Outcome::Stored(Arc::new(build_entry(
            append, room.name, &row, &targets,
        ))))
    }

    /// Remembers a row that was added to a room.
    fn note(&mut self, append: &Append, row: &NewRow, room: &CachedRoom) {
        let stored = StoredId {
            key: row.key,
            at: row.at,
            fingerprint: row.fingerprint,
        };
        self.ids.insert(append.person, &append.id, stored);
        let added = self.added.entry(room.id).or_default();
        *added = (row.key, added.1 + 1);
        self.changed |= append.amends.is_some();
        if let Some(cached) = self.rooms.get_mut(append.room.key()) {
            cached.seq = seq_of(row.key);
            cached.at = row.at;
        }
    }

    /// The outcome of a message that can't be stored whatever it amends; `None` for most.
    fn decide_early(
        &self,
        transaction: &Transaction,
        append: &Append,
        room: i64,
    ) -> rusqlite::Result<Option<Outcome>> {
        if let Some(fault) = self.space_fault.filter(|_| adds_text(append)) {
            return Ok(Some(Outcome::NoSpace(fault)));
        }
        if let Some(seq) = append.reply_to
            && !entry_exists(transaction, room, seq)?
        {
            return Ok(Some(Outcome::NoSuchEntry));
        }
        Ok(None)
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
}

/// Whether a message makes the log longer than an erasure does.
fn adds_text(append: &Append) -> bool {
    matches!(append.amends, None | Some(Amendment::Edit(_)))
}

/// Whether an entry exists and is not trimmed.
fn entry_exists(transaction: &Transaction, room: i64, seq: u64) -> rusqlite::Result<bool> {
    // A larger seq would reach into the next room's keys.
    Ok(seq <= seq_of(last_entry_key(room))
        && transaction
            .prepare_cached("SELECT 1 FROM entries WHERE key = ?1")?
            .exists([entry_key(room, seq)])?)
}

/// The entry of a message that changes these keys.
pub(super) fn build_entry(append: &Append, room: Arc<str>, row: &NewRow, targets: &[i64]) -> Entry {
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

/// The outcome of a message whose author has used its id before.
fn classify_resend(first: StoredId, room: i64, fingerprint: Fingerprint) -> Outcome {
    if first.fingerprint == fingerprint && room_id_of(first.key) == room {
        Outcome::Duplicate {
            seq: seq_of(first.key),
            at: first.at,
        }
    } else {
        Outcome::IdReused
    }
}

/// Stores a batch as the writer does, without its thread.
#[cfg(test)]
pub(super) fn append_all(
    transaction: &Transaction,
    batch: &[Append],
    undo: &mut UndoLog,
) -> Vec<Outcome> {
    let batch: Vec<_> = batch.iter().cloned().map(HistoryRequest::Append).collect();
    let mut cache = WriterCache::load(transaction).unwrap();
    let stored = cache.store_all(transaction, &batch, undo);
    let outcome = |reply| match reply {
        HistoryReply::Appended(.., outcome) => outcome,
        other => panic!("{other:?}"),
    };
    stored.unwrap().into_iter().map(outcome).collect()
}
