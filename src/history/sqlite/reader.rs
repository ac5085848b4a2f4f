//! The thread that reads: where a room stands, pages of its log, and searches.

use super::amend::parse_seqs;
use super::schema::{EDITED, ERASED, entry_key, last_entry_key, room_id_of, seq_of};
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{HistoryReply, HistoryRequest, Page, RECENT, RoomHead, fit_page};
use crate::name::RoomName;
use crate::protocol::{Entry, PageRequest};
use crossbeam_channel::{Receiver, Sender};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// The reader's state.
pub struct HistoryReader {
    connection: Connection,
    replies: Sender<HistoryReply>,
}

/// A room as the database has it.
pub struct RoomRow {
    pub id: i64,
    pub name: Arc<str>,
    pub seq: u64,
    pub oldest: u64,
}

impl HistoryReader {
    pub fn new(connection: Connection, replies: Sender<HistoryReply>) -> Self {
        Self {
            connection,
            replies,
        }
    }

    /// Works until nobody can send any more.
    pub fn run(self, requests: &Receiver<HistoryRequest>) {
        for request in requests {
            let reply = match request {
                HistoryRequest::RoomHead(room) => {
                    let head = log_error(room_head(&self.connection, &room));
                    HistoryReply::RoomHead(room, head)
                }
                HistoryRequest::Page(ticket, room, span, limit) => {
                    let page = log_error(read_page(&self.connection, &room, span, limit));
                    HistoryReply::Page(ticket, room, page)
                }
                HistoryRequest::Search(ticket, room, query, limit) => {
                    let page = log_error(search(&self.connection, &room, &query, limit));
                    HistoryReply::Found(ticket, room, query, page)
                }
                // The writer's work never comes here.
                HistoryRequest::Append(_) => continue,
            };
            if self.replies.send(reply).is_err() {
                return;
            }
        }
    }
}

/// What can't be read now may be readable later; the asker is told.
fn log_error<T>(result: rusqlite::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| log::error!("Não consegui ler o histórico ({}).", describe_sql(error)))
        .ok()
}

/// The room of this name, if anything was ever said in it.
pub fn from_row(connection: &Connection, name: &RoomName) -> rusqlite::Result<Option<RoomRow>> {
    let mut select =
        connection.prepare_cached("SELECT id, name, seq, oldest FROM rooms WHERE key = ?1")?;
    let room = |row: &Row| {
        let (name, seq, oldest): (String, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(RoomRow {
            id: row.get(0)?,
            name: name.into(),
            seq: seq as u64,
            oldest: oldest as u64,
        })
    };
    select.query_row([&**name.key()], room).optional()
}

fn room_head(connection: &Connection, name: &RoomName) -> rusqlite::Result<RoomHead> {
    // One transaction, so that the numbers and the entries belong together.
    let snapshot = connection.unchecked_transaction()?;
    let Some(room) = from_row(&snapshot, name)? else {
        return Ok(RoomHead {
            name: name.clone(),
            seq: 0,
            oldest: 1,
            entries: Vec::new(),
        });
    };
    let mut entries = read_before(&snapshot, &room, room.seq + 1, RECENT)?;
    entries.reverse();
    let name = RoomName::new(&room.name).unwrap_or_else(|_| name.clone());
    Ok(RoomHead {
        name,
        seq: room.seq,
        oldest: room.oldest,
        entries,
    })
}

fn read_page(
    connection: &Connection,
    name: &RoomName,
    request: PageRequest,
    limit: usize,
) -> rusqlite::Result<Page> {
    let snapshot = connection.unchecked_transaction()?;
    let Some(room) = from_row(&snapshot, name)? else {
        return Ok(Page {
            oldest: 1,
            ..Page::default()
        });
    };
    let (mut entries, forward) = match request {
        PageRequest::After(seq) => (
            read_after(&snapshot, &room, seq.min(room.seq), limit + 1)?,
            true,
        ),
        PageRequest::Before(seq) => (
            read_before(&snapshot, &room, seq.min(room.seq + 1), limit + 1)?,
            false,
        ),
        PageRequest::Latest => (
            read_before(&snapshot, &room, room.seq + 1, limit + 1)?,
            false,
        ),
    };
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let more = fit_page(&mut entries) || has_more;
    if !forward {
        entries.reverse();
    }
    Ok(Page {
        oldest: room.oldest,
        entries,
        more,
    })
}

/// An edit has the text of its entry, whatever that is by now.
const SELECT_ENTRY: &str = "SELECT e.key, e.at, s.name, s.tag,
    CASE WHEN e.edits IS NULL THEN e.text
         ELSE coalesce((SELECT t.text FROM entries t WHERE t.key = e.edits), '') END,
    e.action, e.reply_to, e.edits, e.erases, e.mark";

/// Entries before a seq, newest first.
fn read_before(
    connection: &Connection,
    room: &RoomRow,
    before: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Entry>>> {
    let sql = format!(
        "{SELECT_ENTRY} FROM entries e JOIN speakers s ON s.id = e.speaker
         WHERE e.key >= ?1 AND e.key < ?2 ORDER BY e.key DESC LIMIT ?3"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map(
        params![
            entry_key(room.id, 0),
            entry_key(room.id, before),
            limit as i64
        ],
        |row| entry_from_row(row, room),
    )?;
    rows.collect()
}

/// Entries after a seq, oldest first.
pub fn read_after(
    connection: &Connection,
    room: &RoomRow,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<Arc<Entry>>> {
    let sql = format!(
        "{SELECT_ENTRY} FROM entries e JOIN speakers s ON s.id = e.speaker
         WHERE e.key > ?1 AND e.key <= ?2 ORDER BY e.key LIMIT ?3"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let range = params![
        entry_key(room.id, after),
        last_entry_key(room.id),
        limit as i64
    ];
    let rows = select.query_map(range, |row| entry_from_row(row, room))?;
    rows.collect()
}

fn search(
    connection: &Connection,
    name: &RoomName,
    query: &str,
    limit: usize,
) -> rusqlite::Result<Page> {
    let empty = Page {
        oldest: 1,
        ..Page::default()
    };
    let (Some(room), Some(expression)) = (from_row(connection, name)?, match_expression(query))
    else {
        return Ok(empty);
    };
    // Keys of one room are neighbours and rise with time, so the index gives the newest first by itself.
    let sql = format!(
        "{SELECT_ENTRY} FROM entries_fts f JOIN entries e ON e.key = f.rowid JOIN speakers s ON s.id = e.speaker
         WHERE f.entries_fts MATCH ?1 AND f.rowid BETWEEN ?2 AND ?3 ORDER BY f.rowid DESC LIMIT ?4"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let range = params![
        expression,
        entry_key(room.id, 0),
        last_entry_key(room.id),
        limit as i64 + 1
    ];
    let rows = select.query_map(range, |row| entry_from_row(row, &room))?;
    let mut entries = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let more = fit_page(&mut entries) || has_more;
    Ok(Page {
        oldest: room.oldest,
        entries,
        more,
    })
}

/// What was typed, as an expression that can't be a syntax error: every word quoted, the last one a prefix.
fn match_expression(query: &str) -> Option<String> {
    let words: Vec<String> = query
        .split_whitespace()
        // A word without a letter or digit has no token, and an empty phrase finds nothing.
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"").replace('\0', "")))
        .collect();
    (!words.is_empty()).then(|| words.join(" ") + "*")
}

fn entry_from_row(row: &Row, room: &RoomRow) -> rusqlite::Result<Arc<Entry>> {
    let key: i64 = row.get(0)?;
    debug_assert_eq!(room_id_of(key), room.id);
    let (at, from, tag): (i64, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let mark: Option<i64> = row.get(9)?;
    Ok(Arc::new(Entry {
        room: room.name.clone(),
        seq: seq_of(key),
        at: at as u64,
        from: from.into(),
        tag: tag.into(),
        text: row.get(4)?,
        action: row.get(5)?,
        reply_to: row.get::<_, Option<i64>>(6)?.map(|seq| seq as u64),
        edits: row.get::<_, Option<i64>>(7)?.map(seq_of),
        erases: parse_seqs(row.get(8)?),
        edited: mark == Some(EDITED),
        erased: mark == Some(ERASED),
    }))
}
