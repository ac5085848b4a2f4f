//! Bringing entries into the tables that find them, `id_index` and `entries_fts`, off the path of the messages.
//!
//! A message is one row of `entries`. The rest is written for many messages at once, in transactions of its own between
//! the batches. How far that is stands in `room_records.indexed`, in the same transactions, so no kill loses any of it. An
//! entry whose text changes or expires after that leaves its indexed text in `outdated` until the index has forgotten it.

use super::pace::Pace;
use super::recent_ids::RecentIds;
use super::schema::{entry_key, seq_of};
use super::transaction::Transaction;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Entries from which on it is worth to index them: fewer would rewrite the same pages of the index again and again.
const MIN_ENTRIES: usize = 1024;
/// Entries that may wait while messages never pause. A search reads them one by one, and so does a start after a kill.
pub(super) const MAX_WAITING: usize = 131_072;
/// How long one transaction forgets outdated texts, of which each costs up to 2 ms: they are overwritten.
const FORGETTING: Duration = Duration::from_millis(1);

/// The rooms with entries that are not indexed: the id, the last indexed seq and the last one.
const BEHIND: &str =
    "SELECT r.id, r.indexed, rooms.seq FROM room_records r JOIN rooms ON rooms.id = r.id
    WHERE rooms.seq > r.indexed";

/// What is left to index.
#[derive(Default)]
pub(super) struct Indexer {
    /// The last key of each room with entries that are not indexed, by the room's id.
    waiting: BTreeMap<i64, i64>,
    /// The same, of the rooms that are being indexed.
    indexing: BTreeMap<i64, i64>,
    /// Entries that wait or are being indexed, about.
    entries: usize,
    /// Texts may be outdated.
    outdated: bool,
}

impl Indexer {
    /// Finds what an earlier server left to index.
    pub(super) fn load(connection: &Connection, ids: &mut RecentIds) -> rusqlite::Result<Self> {
        let mut indexer = Self {
            outdated: connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM outdated)",
                [],
                |row| row.get(0),
            )?,
            ..Self::default()
        };
        let mut select = connection.prepare(BEHIND)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (room, seq, last): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            ids.load(connection, room, seq as u64)?;
            indexer.added(entry_key(room, last as u64), room, (last - seq) as usize);
        }
        Ok(indexer)
    }

    /// So many entries of a room were stored, the last with this key.
    pub(super) fn added(&mut self, last: i64, room: i64, entries: usize) {
        self.waiting.insert(room, last);
        self.entries += entries;
    }

    /// Texts were changed.
    pub(super) fn changed(&mut self) {
        self.outdated = true;
    }

    /// Whether there is anything to do at all.
    pub(super) fn has_work(&self) -> bool {
        self.outdated || self.entries > 0
    }

    /// Whether it is time for a step.
    pub(super) fn is_due(&self, pace: Pace) -> bool {
        let is_worth_it = match pace {
            Pace::Busy | Pace::Flood => self.entries >= MAX_WAITING,
            Pace::Talking | Pace::Quiet => self.entries >= MIN_ENTRIES || !self.indexing.is_empty(),
        };
        self.outdated || is_worth_it
    }

    /// Whether so little is left that it can be done at once.
    pub(super) fn is_nearly_done(&self) -> bool {
        !self.outdated && self.entries < MIN_ENTRIES
    }

    /// Takes one step in a transaction. To be called again until nothing is due; after a transaction that failed too.
    pub(super) fn step(
        &mut self,
        transaction: &Transaction,
        ids: &mut RecentIds,
        pace: Pace,
    ) -> rusqlite::Result<Step> {
        // Edits may come faster than their old texts can be overwritten. What waits to be indexed stays bounded even so.
        if self.outdated && self.entries < MAX_WAITING {
            let all = forget_outdated(transaction, FORGETTING)?;
            return Ok(Step::Forgot { all });
        }
        if self.indexing.is_empty() {
            ids.begin_indexing();
            self.indexing.append(&mut self.waiting);
        }
        let mut left = pace.entries();
        let mut done = Vec::new();
        let mut entries = 0;
        for (room, last) in &self.indexing {
            // A room of just so many entries leaves the next ones to the next step.
            if left == 0 {
                break;
            }
            let indexed = index_room(transaction, *room, *last, left)?;
            entries += indexed.entries;
            left -= indexed.entries.min(left);
            if !indexed.all {
                break;
            }
            done.push(*room);
        }
        if pace.merged_pages() > 0 {
            merge(transaction, pace.merged_pages())?;
        }
        Ok(Step::Indexed { entries, done })
    }

    /// A step was committed.
    pub(super) fn committed(&mut self, step: Step, ids: &mut RecentIds) {
        match step {
            Step::Forgot { all } => self.outdated = !all,
            Step::Indexed { entries, done } => {
                self.entries = self.entries.saturating_sub(entries as usize);
                for room in done {
                    self.indexing.remove(&room);
                }
                if self.indexing.is_empty() {
                    ids.finish_indexing();
                }
                if self.indexing.is_empty() && self.waiting.is_empty() {
                    self.entries = 0;
                }
            }
        }
    }
}

/// What one step did.
pub(super) enum Step {
    /// Outdated texts are forgotten, perhaps all.
    Forgot { all: bool },
    /// So many entries are indexed, and all of these rooms that were to be.
    Indexed { entries: u64, done: Vec<i64> },
}

/// Indexes all that is left, in a file that nobody else uses.
pub(super) fn index_all(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::begin_deferred(connection)?;
    let behind: Vec<(i64, i64)> = transaction
        .prepare(BEHIND)?
        .query_map([], |row| Ok((row.get(0)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (room, last) in behind {
        index_room(
            &transaction,
            room,
            entry_key(room, last as u64),
            u64::MAX >> 24,
        )?;
    }
    while !forget_outdated(&transaction, Duration::from_secs(1))? {}
    transaction.commit()
}

/// Merges some pages of the search index, which every step adds a part to. Left to itself, it would merge many at once.
fn merge(transaction: &Transaction, pages: u64) -> rusqlite::Result<()> {
    let mut merge = transaction
        .prepare_cached("INSERT INTO entries_fts (entries_fts, rank) VALUES ('merge', ?1)")?;
    merge.execute([pages as i64])?;
    Ok(())
}

/// What was indexed of a room.
struct IndexedRoom {
    entries: u64,
    /// All up to the key that was given.
    all: bool,
}

/// Indexes the next entries of a room, at most so many and up to this key.
fn index_room(
    transaction: &Transaction,
    room: i64,
    last: i64,
    limit: u64,
) -> rusqlite::Result<IndexedRoom> {
    let seq: Option<i64> = transaction
        .prepare_cached("SELECT indexed FROM room_records WHERE id = ?1")?
        .query_row([room], |row| row.get(0))
        .optional()?;
    let from = entry_key(room, seq.unwrap_or_default() as u64);
    let to = last.min(from + limit as i64);
    if seq.is_none() || to <= from {
        return Ok(IndexedRoom {
            entries: 0,
            // Nothing may be left of the limit.
            all: seq.is_none() || last <= from,
        });
    }
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO id_index (person, id, key)
             SELECT s.person, e.id, e.key FROM entries e CROSS JOIN speakers s ON s.id = e.speaker
             WHERE e.key > ?1 AND e.key <= ?2 AND e.id IS NOT NULL",
        )?
        .execute([from, to])?;
    transaction
        .prepare_cached(
            "INSERT INTO entries_fts (rowid, text)
             SELECT key, text FROM entries WHERE key > ?1 AND key <= ?2 AND text <> ''",
        )?
        .execute([from, to])?;
    transaction
        .prepare_cached(
            "UPDATE room_records
             SET indexed = ?2, indexed_at = coalesce((SELECT at FROM entries WHERE key = ?3), indexed_at) WHERE id = ?1",
        )?
        .execute(params![room, seq_of(to) as i64, to])?;
    Ok(IndexedRoom {
        entries: (to - from) as u64,
        all: to == last,
    })
}

/// Keeps the indexed text of an entry that is about to change, unless an earlier one is kept already or it is not indexed.
pub(super) fn keep_outdated(transaction: &Transaction, key: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO outdated (key, text)
             SELECT e.key, e.text FROM entries e JOIN room_records r ON r.id = e.key >> 40
             WHERE e.key = ?1 AND e.text <> '' AND r.indexed >= e.key & 1099511627775",
        )?
        .execute([key])?;
    Ok(())
}

/// Lets the index forget outdated texts, which are overwritten, and puts the present ones in; true when it was all.
fn forget_outdated(transaction: &Transaction, time: Duration) -> rusqlite::Result<bool> {
    let deadline = Instant::now() + time;
    set_secure_delete(transaction)?;
    loop {
        let next: Option<(i64, String)> = transaction
            .prepare_cached("SELECT key, text FROM outdated ORDER BY key LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((key, text)) = next else {
            return Ok(true);
        };
        delete_from_index(transaction, key, &text)?;
        transaction
            .prepare_cached(
                "INSERT INTO entries_fts (rowid, text) SELECT key, text FROM entries WHERE key = ?1 AND text <> ''",
            )?
            .execute([key])?;
        transaction
            .prepare_cached("DELETE FROM outdated WHERE key = ?1")?
            .execute([key])?;
        if deadline <= Instant::now() {
            return Ok(false);
        }
    }
}

/// Lets the index overwrite deleted text at once (up to 2 ms for a message) instead of marking it as deleted until the
/// next merge.
///
/// Set before each use: a setting made in a transaction that failed may or may not be in force.
fn set_secure_delete(transaction: &Transaction) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO entries_fts (entries_fts, rank) VALUES ('secure-delete', 1)")?
        .execute([])?;
    Ok(())
}

/// Removes an entry from the search index, which holds it with this text.
fn delete_from_index(transaction: &Transaction, key: i64, text: &str) -> rusqlite::Result<()> {
    let mut forget = transaction.prepare_cached(
        "INSERT INTO entries_fts (entries_fts, rowid, text) VALUES ('delete', ?1, ?2)",
    )?;
    forget.execute(params![key, text])?;
    Ok(())
}
