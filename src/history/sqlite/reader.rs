//! The reader thread: room heads and pages. Searches are in [`search`](super::search).

use super::amend::parse_seqs;
use super::queue::{RequestReceiver, Wakeup};
use super::schema::{EDITED, ERASED, entry_key, last_entry_key, room_id_of, seq_of};
use super::search::{Scanner, search};
use crate::auth::TokenHash;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{HistoryReply, HistoryRequest, Page, RECENT, RoomHead, fit_page};
use crate::name::RoomName;
use crate::protocol::{Entry, PageRequest};
use crossbeam_channel::Sender;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// The reader's state.
pub(super) struct HistoryReader {
    connection: Connection,
    scanner: Scanner,
    replies: Sender<HistoryReply>,
}

/// A room's row.
pub(super) struct RoomRow {
    pub id: i64,
    pub name: Arc<str>,
    pub seq: u64,
    pub oldest: u64,
}

impl HistoryReader {
    pub(super) fn new(
        connection: Connection,
        replies: Sender<HistoryReply>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            scanner: Scanner::new()?,
            replies,
        })
    }

    /// Serves requests until the queue closes.
    pub(super) fn run(self, requests: &RequestReceiver) {
        while requests.wait(None) == Wakeup::Requests {
            // One by one: what waits behind a slow search can still expire.
            for request in requests.take(1) {
                if self.replies.send(self.serve(request)).is_err() {
                    return;
                }
            }
        }
    }

    fn serve(&self, request: HistoryRequest) -> HistoryReply {
        match request {
            HistoryRequest::RoomHead(room) => {
                let head = log_error(room_head(&self.connection, &room));
                HistoryReply::RoomHead(room, head)
            }
            HistoryRequest::Page(request_id, room, page_request, limit) => {
                let page = log_error(read_page(&self.connection, &room, page_request, limit));
                HistoryReply::Page(request_id, room, page)
            }
            HistoryRequest::Search(request_id, room, query, limit) => {
                let page = log_error(search(
                    &self.connection,
                    &self.scanner,
                    &room,
                    &query,
                    limit,
                ));
                HistoryReply::Found(request_id, room, query, page)
            }
            HistoryRequest::Append(_)
            | HistoryRequest::SaveModeration(..)
            | HistoryRequest::BeginEpoch => {
                unreachable!("what is written goes to the writer")
            }
        }
    }
}

/// Logs a failed read, which is answered as unavailable: it may succeed later.
fn log_error<T>(result: rusqlite::Result<T>) -> Option<T> {
    result
        .inspect_err(|error| log::error!("Não consegui ler o histórico ({}).", describe_sql(error)))
        .ok()
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

fn room_head(connection: &Connection, name: &RoomName) -> rusqlite::Result<RoomHead> {
    // One snapshot, so that numbers and entries agree.
    let snapshot = connection.unchecked_transaction()?;
    let Some(room) = find_room(&snapshot, name)? else {
        return Ok(RoomHead {
            name: name.clone(),
            seq: 0,
            oldest: 1,
            entries: Vec::new(),
            owner: None,
        });
    };
    let owner = snapshot
        .prepare_cached("SELECT owner FROM rooms WHERE id = ?1")?
        .query_row([room.id], |row| row.get::<_, Option<TokenHash>>(0))?
        .map(Box::new);
    let mut entries = read_before(&snapshot, &room, room.seq + 1, RECENT)?;
    entries.reverse();
    let name = RoomName::new(&room.name).unwrap_or_else(|_| name.clone());
    Ok(RoomHead {
        name,
        seq: room.seq,
        oldest: room.oldest,
        entries,
        owner,
    })
}

fn read_page(
    connection: &Connection,
    name: &RoomName,
    request: PageRequest,
    limit: usize,
) -> rusqlite::Result<Page> {
    let snapshot = connection.unchecked_transaction()?;
    let Some(room) = find_room(&snapshot, name)? else {
        return Ok(Page {
            oldest: 1,
            ..Page::default()
        });
    };
    // One more than asked for, to know whether there are more.
    let wanted = limit + 1;
    let entries = match request {
        PageRequest::After(seq) => read_after(&snapshot, &room, seq.min(room.seq), wanted)?,
        PageRequest::Before(seq) => read_before(&snapshot, &room, seq.min(room.seq + 1), wanted)?,
        PageRequest::Latest => read_before(&snapshot, &room, room.seq + 1, wanted)?,
    };
    let mut page = cut_page(&room, entries, limit);
    if !matches!(request, PageRequest::After(_)) {
        page.entries.reverse();
    }
    Ok(page)
}

/// The columns of an entry. An edit shows the current text of its target.
pub(super) const SELECT_ENTRY: &str = "SELECT e.key, e.at, s.name, s.tag,
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
