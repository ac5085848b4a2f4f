//! The ids of messages that are stored and not yet in the table `id_index`.
//!
//! A resend is recognized by the author and the id. Writing that table with each message would cost a page for each, so
//! it is written for many at once, and until then these are here. After a start they are read from the entries.

use super::schema::{entry_key, last_entry_key};
use crate::auth::PersonId;
use crate::history::amend::Fingerprint;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use std::collections::HashMap;
use std::sync::Arc;

/// A message's author and id, one after the other.
type IdKey = Arc<[u8]>;

/// The message that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredId {
    /// The key of its entry.
    pub key: i64,
    /// Its time, in Unix milliseconds.
    pub at: u64,
    pub fingerprint: Fingerprint,
}

/// The ids that are not in their table.
#[derive(Default)]
pub(super) struct RecentIds {
    /// Those that are waiting to be indexed.
    waiting: HashMap<IdKey, StoredId>,
    /// Those that are being indexed.
    indexing: HashMap<IdKey, StoredId>,
    /// Those among the waiting that the transaction has added that is being made.
    batch: Vec<IdKey>,
}

impl RecentIds {
    /// Reads the ids of a room's entries after this seq.
    pub(super) fn load(
        &mut self,
        connection: &Connection,
        room: i64,
        after: u64,
    ) -> rusqlite::Result<()> {
        let mut select = connection.prepare_cached(
            "SELECT s.person, e.id, e.key, e.at, e.digest FROM entries e JOIN speakers s ON s.id = e.speaker
             WHERE e.key > ?1 AND e.key <= ?2 AND e.id IS NOT NULL",
        )?;
        let mut rows = select.query([entry_key(room, after), last_entry_key(room)])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(1)?.as_str()?;
            self.insert(PersonId(row.get(0)?), id, stored_id(row, 2)?);
        }
        self.commit();
        Ok(())
    }

    /// Notes an id of the transaction that is being made.
    pub(super) fn insert(&mut self, person: PersonId, id: &str, stored: StoredId) {
        let key: IdKey = [&person.0[..], id.as_bytes()].concat().into();
        self.batch.push(key.clone());
        self.waiting.insert(key, stored);
    }

    /// The transaction was committed.
    pub(super) fn commit(&mut self) {
        self.batch.clear();
    }

    /// The transaction was rolled back.
    pub(super) fn roll_back(&mut self) {
        for key in self.batch.drain(..) {
            self.waiting.remove(&key);
        }
    }

    /// All that wait are about to be indexed.
    pub(super) fn begin_indexing(&mut self) {
        if self.indexing.is_empty() {
            std::mem::swap(&mut self.indexing, &mut self.waiting);
        } else {
            self.indexing.extend(self.waiting.drain());
        }
    }

    /// All that were about to be indexed are in the table.
    pub(super) fn finish_indexing(&mut self) {
        self.indexing = HashMap::new();
        self.waiting.shrink_to(1024);
    }

    /// The message with this id, here or in the table.
    pub(super) fn find(
        &self,
        table: &mut IdTable,
        person: PersonId,
        id: &str,
    ) -> rusqlite::Result<Option<StoredId>> {
        let key = [&person.0[..], id.as_bytes()].concat();
        let recent = [&self.waiting, &self.indexing];
        let mut recent = recent.iter().filter(|ids| !ids.is_empty());
        match recent.find_map(|ids| ids.get(&key[..])) {
            Some(found) => Ok(Some(*found)),
            None => table.find(person, id),
        }
    }
}

/// The table of ids, in the transaction that is being made.
pub(super) struct IdTable<'a> {
    connection: &'a Connection,
    select: CachedStatement<'a>,
}

impl<'a> IdTable<'a> {
    pub(super) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        let select = "SELECT key, at, digest FROM id_index WHERE person = ?1 AND id = ?2";
        Ok(Self {
            connection,
            select: connection.prepare_cached(select)?,
        })
    }

    /// The message with this id, if the table has it.
    fn find(&mut self, person: PersonId, id: &str) -> rusqlite::Result<Option<StoredId>> {
        let mut rows = self.select.query(params![person.0, id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        if row.get::<_, Option<i64>>(1)?.is_some() {
            return stored_id(row, 0).map(Some);
        }
        let key: i64 = row.get(0)?;
        self.connection
            .prepare_cached("SELECT key, at, digest FROM entries WHERE key = ?1")?
            .query_row([key], |row| stored_id(row, 0))
            .optional()
    }
}

/// The key, time and fingerprint in the columns from this one on.
fn stored_id(row: &Row, from: usize) -> rusqlite::Result<StoredId> {
    Ok(StoredId {
        key: row.get(from)?,
        at: row.get::<_, i64>(from + 1)?.max(0) as u64,
        fingerprint: row.get(from + 2)?,
    })
}
