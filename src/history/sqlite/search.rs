//! Searching a room, newest first: in the index, and in the entries that are not indexed yet.
//!
//! Both go by the same words, because those entries are put into an index of the same kind in memory, a few at a time. The
//! newest entries are read in the same way when the last word is very short: the index would collect half of its words.

use super::entries::{RoomRow, SELECT_ENTRY, cut_page, entry_from_row, find_room};
use super::schema::{entry_key, last_entry_key};
use crate::history::Page;
use crate::name::RoomName;
use crate::protocol::Entry;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// Entries that are scanned first, and at most at once, at about 5 µs each.
const FIRST_SCAN: usize = 256;
const MAX_SCAN: usize = 4096;
/// A last word of up to so many letters is looked for among so many of the newest entries first.
const SHORT_WORD: usize = 2;
const NEWEST: u64 = 2048;

/// An index in memory for entries that are not in the file's.
pub(super) struct Scanner(Connection);

impl Scanner {
    pub(super) fn new() -> rusqlite::Result<Self> {
        let memory = Connection::open_in_memory()?;
        memory.execute_batch(
            "CREATE VIRTUAL TABLE scanned USING fts5 (
                 text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')",
        )?;
        Ok(Self(memory))
    }

    /// The keys of those entries that match, newest first.
    fn matching(&self, entries: &[(i64, String)], expression: &str) -> rusqlite::Result<Vec<i64>> {
        // Never committed: the index is empty again after it.
        let transaction = self.0.unchecked_transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO scanned (rowid, text) VALUES (?1, ?2)")?;
        for (key, text) in entries {
            insert.execute(params![key, text])?;
        }
        let mut select = transaction.prepare_cached(
            "SELECT rowid FROM scanned WHERE scanned MATCH ?1 ORDER BY rowid DESC",
        )?;
        let keys = select.query_map([expression], |row| row.get(0))?;
        keys.collect()
    }
}

/// Finds the newest entries of a room that have all words of a query.
pub(super) fn search(
    connection: &Connection,
    scanner: &Scanner,
    name: &RoomName,
    query: &str,
    limit: usize,
) -> rusqlite::Result<Page> {
    // One snapshot, so that an entry is either indexed or not.
    let snapshot = connection.unchecked_transaction()?;
    let (Some(room), Some(expression)) = (find_room(&snapshot, name)?, match_expression(query))
    else {
        return Ok(Page {
            oldest: 1,
            ..Page::default()
        });
    };
    let search = Search {
        snapshot: &snapshot,
        scanner,
        room: &room,
        expression: &expression,
        // One more than asked for, to know whether there are more.
        wanted: limit + 1,
    };
    let (mut keys, before) = search.scan(search.first_to_scan(query)?)?;
    if keys.len() < search.wanted {
        keys.extend(search.find_indexed(before)?);
        keys.truncate(search.wanted);
    }
    let entries = read_entries(&snapshot, &room, &keys)?;
    Ok(cut_page(&room, entries, limit))
}

/// One search in a room.
struct Search<'a> {
    snapshot: &'a Connection,
    scanner: &'a Scanner,
    room: &'a RoomRow,
    expression: &'a str,
    wanted: usize,
}

impl Search<'_> {
    /// The first key of the entries that must be scanned.
    fn first_to_scan(&self, query: &str) -> rusqlite::Result<i64> {
        let indexed: i64 = self
            .snapshot
            .prepare_cached("SELECT indexed FROM room_records WHERE id = ?1")?
            .query_row([self.room.id], |row| row.get(0))?;
        let mut first = indexed as u64 + 1;
        let last_word = query.split_whitespace().last();
        if last_word.is_some_and(|word| word.chars().count() <= SHORT_WORD) {
            first = first.min((self.room.seq + 1).saturating_sub(NEWEST));
        }
        Ok(entry_key(self.room.id, first))
    }

    /// Scans the entries from a key on, newest first, until enough match. Returns the matching ones, and the key before
    /// which nothing was scanned.
    fn scan(&self, first: i64) -> rusqlite::Result<(Vec<i64>, i64)> {
        let mut found = Vec::new();
        let mut before = last_entry_key(self.room.id) + 1;
        let mut select = self.snapshot.prepare_cached(
            "SELECT key, text FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3",
        )?;
        let mut limit = FIRST_SCAN;
        while first < before && found.len() < self.wanted {
            let rows = select.query_map(params![first, before, limit as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
            before = rows.last().map_or(first, |(key, _)| *key);
            found.extend(self.scanner.matching(&rows, self.expression)?);
            limit = (2 * limit).min(MAX_SCAN);
        }
        Ok((found, before))
    }

    /// The keys of the matching indexed entries before a key, newest first.
    fn find_indexed(&self, before: i64) -> rusqlite::Result<Vec<i64>> {
        let first = entry_key(self.room.id, 0);
        let outdated = self
            .snapshot
            .prepare_cached(
                "SELECT e.key, e.text FROM outdated o CROSS JOIN entries e ON e.key = o.key
                 WHERE o.key >= ?1 AND o.key < ?2",
            )?
            .query_map([first, before], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        // Keys of one room ascend with time, so the index yields the newest first without sorting.
        let mut select = self.snapshot.prepare_cached(
            "SELECT rowid FROM entries_fts
             WHERE entries_fts MATCH ?1 AND rowid >= ?2 AND rowid < ?3 AND rowid NOT IN (SELECT key FROM outdated)
             ORDER BY rowid DESC LIMIT ?4",
        )?;
        let range = params![self.expression, first, before, self.wanted as i64];
        let mut keys = select
            .query_map(range, |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        if !outdated.is_empty() {
            keys.extend(self.scanner.matching(&outdated, self.expression)?);
            keys.sort_unstable_by(|a, b| b.cmp(a));
        }
        Ok(keys)
    }
}

/// The entries with these keys, in their order.
fn read_entries(
    connection: &Connection,
    room: &RoomRow,
    keys: &[i64],
) -> rusqlite::Result<Vec<Arc<Entry>>> {
    let mut select = connection.prepare_cached(&format!(
        "{SELECT_ENTRY} FROM entries e JOIN speakers s ON s.id = e.speaker WHERE e.key = ?1"
    ))?;
    let mut entries = Vec::with_capacity(keys.len());
    for key in keys {
        let entry = select.query_row([key], |row| entry_from_row(row, room));
        entries.extend(entry.optional()?);
    }
    Ok(entries)
}

/// The query as an FTS5 expression without syntax errors: every word quoted, the last one a prefix.
fn match_expression(query: &str) -> Option<String> {
    let words: Vec<String> = query
        .split_whitespace()
        // A word without letters or digits has no token, and an empty phrase matches nothing.
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', "")))
        .collect();
    (!words.is_empty()).then(|| words.join(" ") + "*")
}
