//! Appending a batch of messages in the writer's transaction: numbers, ids, texts and the search index.

use super::schema::{NewRow, entry_key, last_entry_key, room_id_of, seq_of};
use super::transaction::Transaction;
use super::undo::UndoLog;
use super::{amend, moderation};
use crate::auth::PersonId;
use crate::history::amend::{Fingerprint, fingerprint};
use crate::history::clock::stamp;
use crate::history::{Amendment, Append, HistoryFault, HistoryReply, HistoryRequest, Outcome};
use crate::protocol::Entry;
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;
use std::sync::Arc;

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
pub(super) struct WriterCache {
    rooms: HashMap<Arc<str>, CachedRoom>,
    speakers: HashMap<(PersonId, Arc<str>), i64>,
    /// Why no text may be added now.
    pub space_fault: Option<HistoryFault>,
}

impl WriterCache {
    /// Stores a batch in a transaction. Returns the replies, to be sent after its commit.
    pub(super) fn store_all(
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
        if let Some(refusal) = &append.refused
            && !is_known(transaction, append)?
        {
            return Ok(Outcome::Refused(refusal.clone()));
        }
        let fingerprint = fingerprint(append);
        let room = self.room(transaction, append)?;
        if let Some(outcome) = self.decide_early(transaction, append, room.id, fingerprint)? {
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
        let seq = room.seq + 1;
        let at = stamp(append.at, room.at);
        let key = entry_key(room.id, seq);
        if !claim_id(transaction, append, key, at, fingerprint)? {
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

    /// The outcome of a message that can't be stored whatever it amends; `None` for most.
    fn decide_early(
        &self,
        transaction: &Transaction,
        append: &Append,
        room: i64,
        fingerprint: Fingerprint,
    ) -> rusqlite::Result<Option<Outcome>> {
        let space_fault = self.space_fault.filter(|_| adds_text(append));
        // A resend is a duplicate even if its target is gone since, so the id is looked up first.
        if (append.amends.is_some() || append.reply_to.is_some() || space_fault.is_some())
            && let Some(outcome) = find_existing(transaction, append, room, fingerprint)?
        {
            return Ok(Some(outcome));
        }
        if let Some(fault) = space_fault {
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

    /// Bounds the memory of the cache.
    pub(super) fn evict(&mut self) {
        if self.rooms.len() > MAX_CACHED {
            self.rooms.clear();
        }
        if self.speakers.len() > MAX_CACHED {
            self.speakers.clear();
        }
    }
}

/// Gives a message's id to this key; false if the person has used the id before.
fn claim_id(
    transaction: &Transaction,
    append: &Append,
    key: i64,
    at: u64,
    fingerprint: Fingerprint,
) -> rusqlite::Result<bool> {
    let mut claim = transaction.prepare_cached(
        "INSERT OR IGNORE INTO ids (person, id, key, at, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let row = params![append.person.0, append.id, key, at as i64, fingerprint];
    Ok(claim.execute(row)? > 0)
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

/// Whether the author has a message with this id.
fn is_known(transaction: &Transaction, append: &Append) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM ids WHERE person = ?1 AND id = ?2")?
        .exists(params![append.person.0, append.id])
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
