//! The mark that ties a write-ahead log to the file that it continues.
//!
//! The row `journal` of `meta` holds two random ids, `new:old`. After each checkpoint the next transaction makes a new one
//! and keeps the old. The file alone has the id of the state that the last checkpoint left, so a log belongs to it exactly
//! if it names that id.

use super::meta;
use super::wal_index::WalIndex;
use crate::auth::random_hex;
use rusqlite::Connection;
use std::path::Path;

/// The name of the row.
const ROW: &str = "journal";
/// Hexadecimal digits of an id.
const ID: usize = 16;

/// The mark in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    id: String,
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
        is_id(id.as_bytes()).then_some(Self { id, page })
    }

    /// Whether a version of the page names this mark, as the current or the previous one.
    pub(super) fn is_named_in(&self, page: &[u8]) -> bool {
        page.windows(ID).any(|bytes| bytes == self.id.as_bytes())
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

/// Renews the mark after each checkpoint, of this connection or another.
pub(super) struct MarkKeeper {
    index: Option<WalIndex>,
    /// What the last transaction found copied.
    copied: Option<u32>,
}

impl MarkKeeper {
    /// For the connection that is open on this file.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            index: WalIndex::open(path).ok(),
            copied: None,
        }
    }

    /// Renews the mark in this transaction if a checkpoint has run since the last one. Where the index can't be read, each
    /// transaction renews it.
    pub(super) fn renew_if_due(&mut self, transaction: &Connection) -> rusqlite::Result<()> {
        let state = self.index.as_ref().and_then(|index| index.read().ok());
        let copied = state.map(|state| state.copied);
        let complete = state.is_none_or(|state| state.frames == state.copied);
        if complete || self.copied != copied {
            renew(transaction)?;
        }
        self.copied = copied;
        Ok(())
    }

    /// The last transaction was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.copied = None;
    }
}

/// Makes a new mark, in the caller's transaction.
pub(super) fn renew(connection: &Connection) -> rusqlite::Result<()> {
    let new = random_hex::<{ ID / 2 }>()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mark = meta::get(connection, ROW)?;
    let old = mark.as_deref().and_then(|mark| mark.get(..ID));
    let value = format!("{new}:{}", old.unwrap_or("0000000000000000"));
    meta::set(connection, ROW, &value)
}
