//! The mark that ties a write-ahead log to the file that it continues.
//!
//! The row `journal` of `meta` holds two random ids, `new:old`. Once a checkpoint has begun, the next transaction makes a
//! new one and keeps the old. The file alone has the id of the state that the last checkpoint left, so a log belongs to it
//! exactly if it names that id.

use super::meta;
use super::wal_index::WalState;
use crate::auth::random_hex;
use rusqlite::Connection;

/// The name of the row.
const ROW: &str = "journal";
/// Hexadecimal digits of an id.
const ID: usize = 16;

/// The random part of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MarkId(String);

impl MarkId {
    /// Whether a version of the page names this mark, as the current or the previous one.
    pub(super) fn is_named_in(&self, page: &[u8]) -> bool {
        page.windows(ID).any(|bytes| bytes == self.0.as_bytes())
    }
}

/// The mark in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub id: MarkId,
    /// The number of the page that holds it.
    pub page: u32,
}

impl Mark {
    /// The mark in the file that this connection reads; `None` if there is none or it can't be read.
    pub(super) fn read(connection: &Connection) -> Option<Self> {
        let value = meta::get(connection, ROW).ok()??;
        let select = "SELECT rootpage FROM sqlite_schema WHERE name = 'meta'";
        let page = connection.query_row(select, [], |row| row.get(0)).ok()?;
        let id = value.get(..ID)?.to_owned();
        is_id(id.as_bytes()).then_some(Self {
            id: MarkId(id),
            page,
        })
    }
}

/// Whether a page holds any mark.
pub(super) fn is_in(page: &[u8]) -> bool {
    let length = ROW.len() + ID + 1 + ID;
    page.windows(length).any(|bytes| {
        let (name, ids) = bytes.split_at(ROW.len());
        name == ROW.as_bytes() && is_id(&ids[..ID]) && ids[ID] == b':' && is_id(&ids[ID + 1..])
    })
}

fn is_id(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Renews the mark so that a log always names the state of its file, whatever copies frames meanwhile.
///
/// - *A log names the file that it continues.* It begins anew only in a transaction that found all of it copied, and that
///   transaction renews the mark: it names the file's as the old one. Marks that reach the file later are in the log too,
///   which only grows until it begins anew. (A log that begins with a transaction of the trimmer names no state yet, and is
///   applied as SQLite would.)
/// - *It names no other state.* A mark that a checkpoint may have copied is replaced before the next checkpoint begins. So
///   the last one of a log reaches the file only with the checkpoint that copies the last frame, and a file that has less
///   of the log has a mark that the next log does not name.
pub(super) struct MarkKeeper {
    /// The newest mark: the salts of the log, and how many frames it had before.
    newest: Option<([u8; 8], u32)>,
}

impl MarkKeeper {
    /// For a file that was just opened.
    pub(super) fn new() -> Self {
        Self { newest: None }
    }

    /// Renews the mark in this transaction if that is due in this state of the log. Where that is not known, each
    /// transaction renews it. Returns a new one.
    pub(super) fn renew_if_due(
        &mut self,
        transaction: &Connection,
        wal: Option<WalState>,
    ) -> rusqlite::Result<Option<MarkId>> {
        if wal.is_some_and(|wal| wal.waiting() > 0 && !self.may_be_copied(wal)) {
            return Ok(None);
        }
        let id = renew(transaction)?;
        self.newest = wal.map(|wal| (wal.salts, wal.frames));
        Ok(Some(id))
    }

    /// Whether the database may have the newest mark, or another log than the one that has it.
    pub(super) fn may_be_copied(&self, wal: WalState) -> bool {
        self.newest.is_none_or(|(salts, before)| {
            // Frames are copied up to the end of a transaction: up to `before`, or the mark as well.
            wal.salts != salts || wal.copied.max(wal.attempted) > before
        })
    }

    /// The last transaction was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.newest = None;
    }
}

/// Makes a new mark, in the caller's transaction.
pub(super) fn renew(connection: &Connection) -> rusqlite::Result<MarkId> {
    let new = random_hex::<{ ID / 2 }>()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mark = meta::get(connection, ROW)?;
    let old = mark.as_deref().and_then(|mark| mark.get(..ID));
    let value = format!("{new}:{}", old.unwrap_or("0000000000000000"));
    meta::set(connection, ROW, &value)?;
    Ok(MarkId(new))
}
