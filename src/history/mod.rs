//! The history: every room's log, where messages get their numbers and duplicates are recognized.
//!
//! The hub submits [`HistoryRequest`]s and reads each [`HistoryReply`] from a channel; a message is published only after
//! its reply. [`memory`] ends with the process, [`sqlite`] is a file; both give the same guarantees.
//! Knows entries and person ids; never knows connections.

mod amend;
mod clock;
#[cfg(test)]
pub(crate) mod fixtures;
mod health;
pub mod memory;
mod moderation;
mod space;
pub mod sqlite;

use crate::auth::{PersonId, TokenHash};
use crate::name::RoomName;
use crate::protocol::{Entry, PageRequest, Refusal};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::time::Instant;

pub use amend::Amendment;
pub use clock::{Clock, ClockReading};
pub use health::{HistoryFault, HistoryHealth, MAX_WAIT};
pub use moderation::{
    ModerationChange, RoomSetting, RoomSettings, SanctionKind, SavedModerator, SavedRoom,
    SavedSanction, SavedState,
};
pub use space::{SpaceLimit, SpaceWarning};

/// Entries that an open room caches, so that joins and resumes rarely ask the history.
pub const RECENT: usize = 300;
/// Most bytes of text in one page, so that a page fits into a connection's outbox.
pub const PAGE_BYTES: usize = 64 * 1024;

/// Matches a reply to its request; the history only hands it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// A message to be stored.
#[derive(Debug, Clone)]
pub struct Append {
    /// Handed back with the reply.
    pub request_id: RequestId,
    /// The author.
    pub person: PersonId,
    /// The author's id for it, unique per person: a second message with the same id is the same message.
    pub id: String,
    /// The room whose log it belongs to.
    pub room: RoomName,
    /// The room's owner, stored with its first message; later ones need not bring it.
    pub room_owner: Option<Box<TokenHash>>,
    /// The author's name at this time.
    pub from: Arc<str>,
    /// The author's public tag.
    pub tag: Arc<str>,
    /// The text.
    pub text: String,
    /// An action (`/eu`) instead of speech.
    pub action: bool,
    /// The entry that it replies to.
    pub reply_to: Option<u64>,
    /// What it changes, if it is an amendment.
    pub amends: Option<Amendment>,
    /// Whether it may erase other people's messages.
    pub any_author: bool,
    /// Why the author may not say it now: then it is not stored, but a resend of what was stored before is still told so.
    pub refused: Option<Box<Refusal>>,
    /// Unix milliseconds; raised if the room's last entry is a little later.
    pub at: u64,
}

impl Append {
    /// The reply to it.
    pub(crate) fn reply(&self, outcome: Outcome) -> HistoryReply {
        HistoryReply::Appended(self.request_id, self.id.clone(), self.room.clone(), outcome)
    }
}

/// What became of an [`Append`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored, as this entry.
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
    /// The entry to change or to reply to does not exist, or not any more.
    NoSuchEntry,
    /// No message of that name and time is left to erase.
    NothingToErase,
    /// The entry belongs to another person, is erased, or is an amendment itself.
    Forbidden,
    /// Not stored, now or before, because the author may not say it.
    Refused(Box<Refusal>),
    /// Not stored, because the log can't be written now.
    Unavailable,
    /// Not stored, because too little space is left, for this reason. Erasing needs none.
    NoSpace(HistoryFault),
}

/// A request to the history.
#[derive(Debug, Clone)]
pub enum HistoryRequest {
    /// Store a message.
    Append(Append),
    /// Make these changes of the moderation state, all or none, after the requests before this one.
    SaveModeration(RequestId, Vec<ModerationChange>),
    /// Read the head of a room's log.
    RoomHead(RoomName),
    /// Read a page of at most this many entries.
    Page(RequestId, RoomName, PageRequest, usize),
    /// Find at most this many entries, newest first.
    Search(RequestId, RoomName, String, usize),
    /// Begin a new epoch, and keep it: the log has gone back.
    BeginEpoch,
}

impl HistoryRequest {
    /// The reply when the history can't serve it.
    pub fn unavailable_reply(self) -> HistoryReply {
        match self {
            Self::Append(append) => HistoryReply::Appended(
                append.request_id,
                append.id,
                append.room,
                Outcome::Unavailable,
            ),
            Self::SaveModeration(request_id, _) => HistoryReply::ModerationSaved(request_id, false),
            Self::RoomHead(room) => HistoryReply::RoomHead(room, None),
            Self::Page(request_id, room, ..) => HistoryReply::Page(request_id, room, None),
            Self::Search(request_id, room, query, _) => {
                HistoryReply::Found(request_id, room, query, None)
            }
            Self::BeginEpoch => HistoryReply::EpochBegan(None),
        }
    }
}

/// The end of a room's log: its numbers and its last entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomHead {
    /// The room's name in its first spelling.
    pub name: RoomName,
    /// The last seq; 0 for an empty log.
    pub seq: u64,
    /// The first seq that is left; 1 unless trimmed.
    pub oldest: u64,
    /// The last entries, oldest first, at most [`RECENT`].
    pub entries: Vec<Arc<Entry>>,
    /// The person who opened the room first; `None` if that is not known.
    pub owner: Option<Box<TokenHash>>,
}

/// Some entries of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The first seq that is left.
    pub oldest: u64,
    /// The entries: oldest first in a page, newest first in a search.
    pub entries: Vec<Arc<Entry>>,
    /// Whether there are more in this direction.
    pub more: bool,
}

/// A reply of the history. The replies to appends in one room come in the order of their seqs.
#[derive(Debug, Clone)]
pub enum HistoryReply {
    /// To [`HistoryRequest::Append`], with the message's id.
    Appended(RequestId, String, RoomName, Outcome),
    /// To [`HistoryRequest::SaveModeration`]: whether the changes are stored.
    ModerationSaved(RequestId, bool),
    /// To [`HistoryRequest::RoomHead`]; `None` when the log can't be read now.
    RoomHead(RoomName, Option<RoomHead>),
    /// To [`HistoryRequest::Page`]; `None` when the log can't be read now.
    Page(RequestId, RoomName, Option<Page>),
    /// To [`HistoryRequest::Search`], with its query; `None` when the log can't be read now.
    Found(RequestId, RoomName, String, Option<Page>),
    /// To [`HistoryRequest::BeginEpoch`]; `None` when it can't be stored now, and nothing has changed.
    EpochBegan(Option<Arc<str>>),
    /// Unasked: little space is left, or enough again.
    Space(Option<SpaceWarning>),
    /// Old entries were trimmed: this is the first seq that is left in the room.
    Trimmed(RoomName, u64),
}

/// A history backend.
pub trait History: Send {
    /// The identity of this log; a new one after it was lost or replaced.
    fn epoch(&self) -> Arc<str>;

    /// Whether the epoch was read from a file, not begun when the history was opened.
    fn epoch_was_read(&self) -> bool {
        false
    }

    /// Number of messages when the history was opened.
    fn count(&self) -> u64;

    /// Takes out the moderation state, as it was when the history was opened.
    fn take_saved_state(&mut self) -> SavedState {
        SavedState::default()
    }

    /// Whether it can be written, for any thread to look at.
    fn health(&self) -> Arc<HistoryHealth> {
        Arc::default()
    }

    /// Takes requests, in order, without waiting for a disk.
    fn submit(&mut self, requests: Vec<HistoryRequest>);

    /// Whether so much waits that no more should be submitted now. Requests are taken all the same.
    fn is_full(&self) -> bool {
        false
    }

    /// When [`History::expire`] has something to do.
    fn next_expiry(&self) -> Option<Instant> {
        None
    }

    /// Gives up what has waited for longer than [`MAX_WAIT`]: it is not served, and its reply says so.
    fn expire(&mut self, _now: Instant) {}

    /// The channel of the replies.
    fn replies(&self) -> &Receiver<HistoryReply>;
}

/// Cuts a page to [`PAGE_BYTES`], but to no less than its first entry. Returns whether something was cut.
pub(crate) fn fit_page(entries: &mut Vec<Arc<Entry>>) -> bool {
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
