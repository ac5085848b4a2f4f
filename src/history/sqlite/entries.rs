//! The rows of rooms and entries, as the protocol has them.

use super::amend::parse_seqs;
use super::schema::{EDITED, ERASED, entry_key, last_entry_key, room_id_of, seq_of};
use crate::history::{Page, fit_page};
use crate::name::RoomName;
use crate::protocol::Entry;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// A room's row.
pub(super) struct RoomRow {
    pub id: i64,
    pub name: Arc<str>,
    pub seq: u64,
    pub oldest: u64,
}

/// The room of this name, if it has a log.
pub(super) fn find_room(
    connection: &Connection,
    name: &RoomName,
) -> rusqlite::Result<Option<RoomRow>> {
    let mut select =
        connection.prepare_cached("SELECT id, name, seq, oldest FROM rooms WHERE key = ?1")?;
    let room = |row: &Row| {
        Ok(RoomRow {
            id: row.get(0)?,
            name: row.get(1)?,
            seq: row.get::<_, i64>(2)? as u64,
            oldest: row.get::<_, i64>(3)? as u64,
        })
    };
    select.query_row([&**name.key()], room).optional()
}

/// The columns of an entry. An edit shows the current text of its target.
pub(super) const SELECT_ENTRY: &str = "SELECT e.key, e.at, s.name, s.tag,
    CASE WHEN e.edits IS NULL THEN e.text
         ELSE coalesce((SELECT t.text FROM entries t WHERE t.key = e.edits), '') END,
    e.action, e.reply_to, e.edits, e.erases, e.mark";

/// Entries before a seq, newest first.
pub(super) fn read_before(
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
pub(super) fn read_after(
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

/// A page of the first entries that fit, of which one more than the limit may have been read.
pub(super) fn cut_page(room: &RoomRow, mut entries: Vec<Arc<Entry>>, limit: usize) -> Page {
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let more = fit_page(&mut entries) || has_more;
    Page {
        oldest: room.oldest,
        entries,
        more,
    }
}

pub(super) fn entry_from_row(row: &Row, room: &RoomRow) -> rusqlite::Result<Arc<Entry>> {
    let key: i64 = row.get(0)?;
    debug_assert_eq!(room_id_of(key), room.id);
    let mark: Option<i64> = row.get(9)?;
    Ok(Arc::new(Entry {
        room: room.name.clone(),
        seq: seq_of(key),
        at: row.get::<_, i64>(1)? as u64,
        from: row.get(2)?,
        tag: row.get(3)?,
        text: row.get(4)?,
        action: row.get(5)?,
        reply_to: row.get::<_, Option<i64>>(6)?.map(|seq| seq as u64),
        edits: row.get::<_, Option<i64>>(7)?.map(seq_of),
        erases: parse_seqs(row.get(8)?),
        edited: mark == Some(EDITED),
        erased: mark == Some(ERASED),
    }))
}
