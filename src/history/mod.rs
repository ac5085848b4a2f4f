//! The log of every room: the truth that messages are read back from.
//!
//! Whoever writes to the history submits [`Job`]s and later reads [`Answer`]s from a channel that never blocks the
//! history. A message is numbered and de-duplicated here and nowhere else, and nothing is shown to anybody before its
//! answer came. The homes of the log differ in where entries stay, not in what they promise:
//! [`memory`] forgets everything with the process, [`sqlite`] keeps everything in one file.
//!
//! Knows entries and persons' ids; never knows who is connected.

mod amend;
#[cfg(test)]
mod fixtures;
pub mod memory;
pub mod sqlite;

use crate::auth::PersonId;
use crate::name::RoomName;
use crate::protocol::{Entry, PageRequest};
use crossbeam_channel::Receiver;
use std::sync::Arc;

pub use amend::Amendment;

/// Entries that a live room keeps at hand, so that joins and resumes rarely ask the history.
pub const RECENT: usize = 300;
/// Most bytes of text in one page: a page must fit into what may wait for one connection.
pub const PAGE_BYTES: usize = 64 * 1024;

/// Tells the submitter which question an answer belongs to; the history only hands it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// A message to be stored.
#[derive(Debug, Clone)]
pub struct Append {
    /// Handed back with the answer.
    pub request_id: RequestId,
    /// Who says it.
    pub person: PersonId,
    /// The sender's own id, unique for the person: a second message with the same id is the same message.
    pub id: String,
    /// The room whose log it belongs to.
    pub room: RoomName,
    /// The sender's name at this time.
    pub from: Arc<str>,
    /// The sender's public tag.
    pub tag: Arc<str>,
    /// What is said.
    pub text: String,
    /// Something done instead of said.
    pub action: bool,
    /// The entry that it answers.
    pub reply_to: Option<u64>,
    /// What it changes, if it is no message of its own.
    pub amends: Option<Amendment>,
    /// Whether it may erase what others said.
    pub any_author: bool,
    /// Unix milliseconds; raised if the room's last entry is later.
    pub at: u64,
}

/// What became of an [`Append`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored: this is the entry.
    Stored(Arc<Entry>),
    /// Stored before, under this seq and time.
    Duplicate {
        /// The first seq.
        seq: u64,
        /// When it was stored.
        at: u64,
    },
    /// The id belongs to another message of the same person.
    IdReused,
    /// There is no such entry to be changed, or no longer.
    NoSuchEntry,
    /// Nothing was said by that name in that time that could be erased.
    NothingToErase,
    /// The entry is not for this person to change, or can't be changed at all: it is erased, or changes another.
    Forbidden,
    /// Not stored: the log can't be written now.
    Unavailable,
}

/// Something to be done.
#[derive(Debug, Clone)]
pub enum HistoryRequest {
    /// Store a message.
    Append(Append),
    /// Read where a room's log stands.
    RoomHead(RoomName),
    /// Read a page of at most this many entries.
    Page(RequestId, RoomName, PageRequest, usize),
    /// Find at most this many entries, newest first.
    Search(RequestId, RoomName, String, usize),
}

impl HistoryRequest {
    /// The answer when nobody can do it.
    pub fn unavailable_reply(self) -> HistoryReply {
        match self {
            Self::Append(append) => HistoryReply::Appended(
                append.request_id,
                append.id,
                append.room,
                Outcome::Unavailable,
            ),
            Self::RoomHead(room) => HistoryReply::RoomHead(room, None),
            Self::Page(ticket, room, ..) => HistoryReply::Page(ticket, room, None),
            Self::Search(ticket, room, query, _) => HistoryReply::Found(ticket, room, query, None),
        }
    }
}

/// Where a room's log stands, with its last entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomHead {
    /// The room's name as it is shown: the spelling it was first opened with.
    pub name: RoomName,
    /// The last seq; 0 for an empty log.
    pub seq: u64,
    /// The first seq still held; 1 unless trimmed.
    pub oldest: u64,
    /// The last entries, oldest first, at most [`TAIL`].
    pub entries: Vec<Arc<Entry>>,
}

/// Some entries of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The first seq still held.
    pub oldest: u64,
    /// The entries: oldest first in a page, newest first in a search.
    pub entries: Vec<Arc<Entry>>,
    /// Whether there are more in the direction asked.
    pub more: bool,
}

/// What the history answers. Appends of one room are answered in the order of their seqs.
#[derive(Debug, Clone)]
pub enum HistoryReply {
    /// To [`Job::Append`], with the message's id.
    Appended(RequestId, String, RoomName, Outcome),
    /// To [`Job::Tail`]; `None` when the log can't be read now.
    RoomHead(RoomName, Option<RoomHead>),
    /// To [`Job::Page`]; `None` when the log can't be read now.
    Page(RequestId, RoomName, Option<Page>),
    /// To [`Job::Search`], with the words searched for; `None` when the log can't be read now.
    Found(RequestId, RoomName, String, Option<Page>),
    /// Old entries are gone: this is the first seq that the room still holds.
    Trimmed(RoomName, u64),
}

/// A home of the log.
pub trait History: Send {
    /// The identity of this log; another one after it was lost or replaced.
    fn epoch(&self) -> Arc<str>;

    /// Messages held when the history was opened.
    fn count(&self) -> u64;

    /// Takes jobs, in order. Never waits for them to be done.
    fn submit(&mut self, requests: Vec<HistoryRequest>);

    /// Where the answers come.
    fn replies(&self) -> &Receiver<HistoryReply>;
}

/// Cuts a page to what may be sent at once: keeps entries from the front while they fit, at least one.
///
/// Returns whether something was cut.
pub fn fit_page(entries: &mut Vec<Arc<Entry>>) -> bool {
    let mut bytes = 0;
    let fitting_entries = entries.iter().take_while(|entry| {
        bytes += entry.text.len() + entry.erases.len() * size_of::<u64>();
        bytes <= PAGE_BYTES
    });
    let keep = fitting_entries.count().max(1);
    let cut = keep < entries.len();
    entries.truncate(keep);
    cut
}
