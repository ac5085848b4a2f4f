//! Finds and deletes expired entries, room by room.
//!
//! A room is trimmed from its oldest entry on. An entry whose time says nothing goes with the next one that is dated: it
//! was stored before that.

use super::clock_guard::ForwardJump;
use super::indexing::keep_outdated;
use super::schema::{entry_key, last_entry_key, seq_of};
use super::transaction::Transaction;
use crate::history::clock::is_plausible;
use rusqlite::{OptionalExtension, params};

/// Entries looked at in one transaction.
const LOOK_BATCH: usize = 500;
/// Entries deleted in one transaction, which then takes less time than the commit of a message.
const DELETE_BATCH: usize = 200;
/// Rooms without expired entries that are passed over in one transaction.
const ROOM_BATCH: usize = 200;

/// What is expired.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiry<'a> {
    /// Entries stored before this time are, in Unix milliseconds.
    pub before_ms: u64,
    /// The time now; later ones are implausible.
    pub now_ms: u64,
    /// The jumps of the clock that are known.
    pub jumps: &'a [ForwardJump],
}

impl Expiry<'_> {
    /// When an entry with this time was stored at the latest; `None` if its time says nothing.
    fn latest(&self, at: u64) -> Option<u64> {
        let mut jumps = self.jumps.iter().rev();
        match jumps.find(|jump| jump.before.contains(&at)) {
            Some(jump) => Some(jump.after_ms),
            None => is_plausible(at, self.now_ms).then_some(at),
        }
    }
}

/// What one step deleted.
#[derive(Debug, Default)]
pub(super) struct TrimmedBatch {
    /// How many entries.
    pub entries: u64,
    /// The name of their room, and the key of the last one.
    pub last_entry: Option<(String, i64)>,
    /// How many ids.
    pub ids: u64,
}

/// The room that is being trimmed.
struct Current {
    id: i64,
    name: String,
    /// Everything up to this key is expired.
    expired_to: Option<i64>,
    /// Everything before this key was looked at.
    next: i64,
}

/// One pass over all rooms, a step at a time.
#[derive(Default)]
pub(super) struct ExpiredEntries {
    /// The room before which all were looked at.
    last_room: i64,
    current: Option<Current>,
}

/// What a look at the next entries of a room found.
enum Found {
    /// All up to this key is expired.
    Expired(i64),
    /// Times that say nothing, up to this key.
    Unknown(i64),
    /// The first entry that stays, or the end.
    End,
}

impl ExpiredEntries {
    /// Whether a pass begins.
    pub(super) fn is_at_start(&self) -> bool {
        self.last_room == 0 && self.current.is_none()
    }

    /// Takes a step; `None` when the pass is over.
    pub(super) fn delete_step(
        &mut self,
        transaction: &Transaction,
        expiry: Expiry,
    ) -> rusqlite::Result<Option<TrimmedBatch>> {
        for _ in 0..ROOM_BATCH {
            let mut room = match self.current.take() {
                Some(room) => room,
                None => match next_room(transaction, self.last_room)? {
                    Some(room) => room,
                    None => {
                        self.last_room = 0;
                        return Ok(None);
                    }
                },
            };
            self.last_room = room.id;
            if room.expired_to.is_none() {
                match look_at(transaction, &room, expiry)? {
                    Found::Expired(key) => room.expired_to = Some(key),
                    Found::Unknown(key) => {
                        room.next = key + 1;
                        self.current = Some(room);
                        return Ok(Some(TrimmedBatch::default()));
                    }
                    Found::End => continue,
                }
            }
            let trimmed = delete_batch(transaction, &room)?;
            let last = trimmed.last_entry.as_ref().map(|(_, key)| *key);
            if last == room.expired_to {
                room.expired_to = None;
            }
            room.next = last.map_or(room.next, |key| room.next.max(key + 1));
            self.current = last.map(|_| room);
            return Ok(Some(trimmed));
        }
        Ok(Some(TrimmedBatch::default()))
    }
}

/// The next room that has entries.
fn next_room(transaction: &Transaction, after: i64) -> rusqlite::Result<Option<Current>> {
    let mut select = transaction.prepare_cached(
        "SELECT id, name, oldest FROM rooms WHERE id > ?1 AND oldest <= seq ORDER BY id LIMIT 1",
    )?;
    let room = |row: &rusqlite::Row| {
        let id = row.get(0)?;
        Ok(Current {
            id,
            name: row.get(1)?,
            expired_to: None,
            next: entry_key(id, row.get::<_, i64>(2)? as u64),
        })
    };
    select.query_row([after], room).optional()
}

/// Looks at the next entries of a room, up to a batch.
fn look_at(transaction: &Transaction, room: &Current, expiry: Expiry) -> rusqlite::Result<Found> {
    let mut select = transaction.prepare_cached(
        "SELECT key, at FROM entries WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3",
    )?;
    let range = params![room.next, last_entry_key(room.id), LOOK_BATCH as i64];
    let mut rows = select.query(range)?;
    let mut expired = None;
    let mut unknown = None;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let key: i64 = row.get(0)?;
        let at = row.get::<_, i64>(1)?.max(0) as u64;
        match expiry.latest(at) {
            None => unknown = Some(key),
            Some(latest) if latest < expiry.before_ms => expired = Some(key),
            Some(_) => return Ok(expired.map_or(Found::End, Found::Expired)),
        }
    }
    Ok(match (expired, unknown) {
        (Some(key), _) => Found::Expired(key),
        (None, Some(key)) if count == LOOK_BATCH => Found::Unknown(key),
        _ => Found::End,
    })
}

/// Deletes the oldest entries of a room up to what is expired, at most a batch. All of them are indexed, and their texts
/// become outdated.
fn delete_batch(transaction: &Transaction, room: &Current) -> rusqlite::Result<TrimmedBatch> {
    let range = params![entry_key(room.id, 0), room.expired_to, DELETE_BATCH as i64];
    let expired: Vec<i64> = transaction
        .prepare_cached(
            "SELECT key FROM entries WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3",
        )?
        .query_map(range, |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in &expired {
        // Overwriting hundreds of texts in the index at once would delay the messages that wait.
        keep_outdated(transaction, *key)?;
        keep_id(transaction, *key)?;
        transaction
            .prepare_cached("DELETE FROM entries WHERE key = ?1")?
            .execute([key])?;
    }
    let last = expired.last().copied();
    if let Some(last) = last {
        transaction.execute(
            "UPDATE room_records SET oldest = ?2 WHERE id = ?1",
            params![room.id, seq_of(last) as i64 + 1],
        )?;
    }
    Ok(TrimmedBatch {
        entries: expired.len() as u64,
        last_entry: last.map(|key| (room.name.clone(), key)),
        ids: 0,
    })
}

/// Lets the id of an entry that is about to be deleted outlive it, so that a late resend is still a duplicate.
fn keep_id(transaction: &Transaction, key: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE id_index SET at = e.at, digest = e.digest FROM entries e JOIN speakers s ON s.id = e.speaker
             WHERE e.key = ?1 AND id_index.person = s.person AND id_index.id = e.id AND id_index.key = e.key",
        )?
        .execute([key])?;
    Ok(())
}
