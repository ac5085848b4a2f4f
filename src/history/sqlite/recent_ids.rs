//! The ids of messages that are stored and not yet in the table `ids`.
//!
//! A resend is recognized by the author and the id. Writing that table with each message would cost a page for each, so
//! it is written for many at once, and until then these are here. After a start they are read from the entries.

use super::schema::{entry_key, last_entry_key};
use crate::auth::PersonId;
use crate::history::amend::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;

/// A message's author and id.
type IdKey = (PersonId, Box<str>);

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
    /// Those of the transaction that is being made.
    batch: HashMap<IdKey, StoredId>,
    /// Those that are waiting to be indexed.
    waiting: HashMap<IdKey, StoredId>,
    /// Those that are being indexed.
    indexing: HashMap<IdKey, StoredId>,
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
            let id = (PersonId(row.get(0)?), row.get(1)?);
            self.waiting.insert(id, stored_id(row, 2)?);
        }
        Ok(())
    }

    /// Notes an id of the transaction that is being made.
    pub(super) fn insert(&mut self, person: PersonId, id: &str, stored: StoredId) {
        self.batch.insert((person, id.into()), stored);
    }

    /// The transaction was committed.
    pub(super) fn commit(&mut self) {
        self.waiting.extend(self.batch.drain());
    }

    /// The transaction was rolled back.
    pub(super) fn roll_back(&mut self) {
        self.batch.clear();
    }

    /// All that wait are about to be indexed.
    pub(super) fn begin_indexing(&mut self) {
        self.indexing.extend(self.waiting.drain());
    }

    /// All that were about to be indexed are in the table.
    pub(super) fn finish_indexing(&mut self) {
        self.indexing = HashMap::new();
        self.waiting.shrink_to(1024);
    }

    /// The message with this id, here or in the file.
    pub(super) fn find(
        &self,
        connection: &Connection,
        person: PersonId,
        id: &str,
    ) -> rusqlite::Result<Option<StoredId>> {
        let key: IdKey = (person, id.into());
        let recent = [&self.batch, &self.waiting, &self.indexing];
        match recent.iter().find_map(|ids| ids.get(&key)) {
            Some(found) => Ok(Some(*found)),
            None => find_indexed(connection, person, id),
        }
    }
}

/// The message with this id, if its id is in the table.
fn find_indexed(
    connection: &Connection,
    person: PersonId,
    id: &str,
) -> rusqlite::Result<Option<StoredId>> {
    let mut select = connection
        .prepare_cached("SELECT key, at, digest FROM ids WHERE person = ?1 AND id = ?2")?;
    let found = select
        .query_row(params![person.0, id], |row| {
            let key: i64 = row.get(0)?;
            let is_trimmed = row.get::<_, Option<i64>>(1)?.is_some();
            Ok((key, is_trimmed.then(|| stored_id(row, 0)).transpose()?))
        })
        .optional()?;
    match found {
        Some((key, None)) => connection
            .prepare_cached("SELECT key, at, digest FROM entries WHERE key = ?1")?
            .query_row([key], |row| stored_id(row, 0))
            .optional(),
        Some((_, stored)) => Ok(stored),
        None => Ok(None),
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
