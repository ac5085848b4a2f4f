//! Repairs a log that was recovered from a damaged file: it lacks what `sqlite3 … .recover` could not read.
//!
//! A sound log is not changed.

use super::schema::ERASED;
use super::sql_error::describe_sql;
use rusqlite::{Connection, params};

/// The first version with a search index, and the first one with marks.
const INDEX_VERSION: u32 = 2;
const MARKS_VERSION: u32 = 3;
/// The first version in which the index has its present name.
const INDEX_RENAMED: u32 = 4;

/// Repairs a log in one transaction.
pub(super) fn repair(connection: &Connection) -> rusqlite::Result<()> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let transaction = connection.unchecked_transaction()?;
    let mut is_complete_log = true;
    if version >= MARKS_VERSION && !is_complete(&transaction)? {
        restore_rooms(&transaction, version)?;
        restore_speakers(&transaction)?;
        fill_gaps(&transaction)?;
        is_complete_log = false;
    }
    if (INDEX_VERSION..INDEX_RENAMED).contains(&version) {
        if !is_complete_log || !is_index_whole(&transaction, "words") {
            create_index(&transaction, "words", "prefix='1 2'")?;
        }
    } else if version >= INDEX_RENAMED {
        create_tables(&transaction)?;
        restore_ids(&transaction)?;
        if !is_complete_log || !is_index_whole(&transaction, "entries_fts") {
            create_index(&transaction, "entries_fts", "columnsize=0")?;
            configure_index(&transaction)?;
            end_indexing(&transaction)?;
        }
    }
    transaction.commit()
}

/// Merging is done by the writer, a little at a time.
fn configure_index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT INTO entries_fts (entries_fts, rank) VALUES ('automerge', 0), ('usermerge', 16), ('crisismerge', 64)",
    )
}

/// For a file that has lost these tables.
fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS outdated (key INTEGER PRIMARY KEY, text TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS id_index (
             person BLOB NOT NULL, id TEXT NOT NULL, key INTEGER NOT NULL, at INTEGER, digest BLOB,
             PRIMARY KEY (person, id)) WITHOUT ROWID;
         CREATE INDEX IF NOT EXISTS id_index_at ON id_index (at) WHERE at IS NOT NULL",
    )
}

/// Puts the ids of all indexed entries into their table; the others are still to be.
fn restore_ids(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT OR IGNORE INTO id_index (person, id, key)
         SELECT s.person, e.id, e.key FROM room_records r
         JOIN entries e ON e.key BETWEEN r.id << 40 AND (r.id << 40) + r.indexed
         JOIN speakers s ON s.id = e.speaker WHERE e.id IS NOT NULL",
    )
}

/// The index has the present text of all entries.
fn end_indexing(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT OR IGNORE INTO id_index (person, id, key) SELECT person, id, key FROM ids;
         DELETE FROM outdated;
         UPDATE room_records SET indexed = (SELECT seq FROM rooms WHERE rooms.id = room_records.id)",
    )
}

/// Whether the search index has the words of the entries and no others. If some are still to be indexed, it has not.
fn is_index_whole(connection: &Connection, index: &str) -> bool {
    let check = format!("INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)");
    let checked = connection.execute_batch(&check);
    checked
        .inspect_err(|error| log::debug!("{index}: {}", describe_sql(error)))
        .is_ok()
}

/// Whether every room has all its entries, and every entry its room and its author.
fn is_complete(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT (SELECT coalesce(sum(seq - oldest + 1), 0) FROM rooms) = (SELECT count(*) FROM entries)
            AND NOT EXISTS (SELECT 1 FROM entries WHERE speaker NOT IN (SELECT id FROM speakers))
            AND NOT EXISTS (SELECT 1 FROM entries WHERE key >> 40 NOT IN (SELECT id FROM rooms))",
        [],
        |row| row.get(0),
    )
}

/// Gives a name to each room without a row, and corrects the numbers of those that have more entries than their row says.
fn restore_rooms(connection: &Connection, version: u32) -> rusqlite::Result<()> {
    let (rooms, seq, at) = if version < INDEX_RENAMED {
        ("rooms", "seq", "at")
    } else {
        ("room_records", "indexed", "indexed_at")
    };
    connection.execute_batch(&format!(
        "INSERT INTO {rooms} (id, key, name, {seq}, oldest, {at})
         SELECT key >> 40, 'recuperada-' || (key >> 40), 'recuperada-' || (key >> 40), 0,
                min(key & 0xffffffffff), max(at)
         FROM entries WHERE key >> 40 NOT IN (SELECT id FROM {rooms}) GROUP BY key >> 40;
         UPDATE {rooms} SET
             {seq} = max({seq}, coalesce((SELECT max(key) & 0xffffffffff FROM entries WHERE key >> 40 = {rooms}.id), 0)),
             oldest = min(oldest,
                 coalesce((SELECT min(key) & 0xffffffffff FROM entries WHERE key >> 40 = {rooms}.id), oldest));",
    ))
}

/// Gives a placeholder name to each author without a row.
fn restore_speakers(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT INTO speakers (id, person, name, tag)
         SELECT DISTINCT speaker, CAST(printf('%016d', speaker) AS BLOB), 'Alguém', '00000000'
         FROM entries WHERE speaker NOT IN (SELECT id FROM speakers);",
    )
}

/// The seqs of a room have no gaps: what is missing becomes an erased entry.
fn fill_gaps(connection: &Connection) -> rusqlite::Result<()> {
    let rooms: Vec<(i64, i64, i64, i64)> = connection
        .prepare("SELECT id, oldest, seq, at FROM rooms")?
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let lost = "INSERT OR IGNORE INTO speakers (person, name, tag) VALUES (zeroblob(16), 'Alguém', '00000000')";
    connection.execute(lost, [])?;
    for (room, oldest, seq, at) in rooms {
        connection.execute(
            "WITH RECURSIVE wanted (key) AS (
                 SELECT (?1 << 40) + ?2 WHERE ?2 <= ?3
                 UNION ALL SELECT key + 1 FROM wanted WHERE key < (?1 << 40) + ?3)
             INSERT OR IGNORE INTO entries (key, at, speaker, text, action, mark)
             SELECT key, ?4, (SELECT id FROM speakers WHERE person = zeroblob(16)), '', 0, ?5 FROM wanted",
            params![room, oldest, seq, at, ERASED],
        )?;
    }
    Ok(())
}

/// Creates the search index anew. Tools that copy tables one by one leave only its inner tables.
fn create_index(connection: &Connection, index: &str, options: &str) -> rusqlite::Result<()> {
    // An index without a version can't even be dropped.
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {index}_config (k PRIMARY KEY, v) WITHOUT ROWID;
         INSERT OR IGNORE INTO {index}_config VALUES ('version', 4);
         DROP TABLE IF EXISTS {index}"
    ))?;
    for part in ["data", "idx", "docsize", "config", "content"] {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {index}_{part}"))?;
    }
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {index} USING fts5 (
             text, content='entries', content_rowid='key', {options}, tokenize='unicode61 remove_diacritics 2');
         INSERT INTO {index} (rowid, text) SELECT key, text FROM entries WHERE text <> ''"
    ))
}
