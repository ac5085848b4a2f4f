//! The reader thread: room heads and pages. Searches are in [`search`](super::search).

use super::entries::{cut_page, find_room, read_after, read_before};
use super::queue::{RequestReceiver, Wakeup};
use super::search::{Scanner, search};
use crate::auth::TokenHash;
use crate::history::sqlite::sql_error::describe_sql;
use crate::history::{HistoryReply, HistoryRequest, Page, RECENT, RoomHead};
use crate::name::RoomName;
use crate::protocol::PageRequest;
use crossbeam_channel::Sender;
use rusqlite::Connection;

/// The reader's state.
pub(super) struct HistoryReader {
    connection: Connection,
    scanner: Scanner,
    replies: Sender<HistoryReply>,
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
