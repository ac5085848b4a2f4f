//! The history in memory: bounded, and gone with the process, so its epoch is new at each start.
//!
//! Not SQLite `:memory:`, which needs 27 µs of CPU to store a message where this needs 1 µs (in batches of 8). CPU of a
//! delivery in `--bench fanout`, as multiples of the raw limit in the same run: A 1.6 here, 2.1 with `:memory:`, 1.8 with
//! a file; C 2.6 here, 5.3 with `:memory:` on a thread of its own, 10 on the hub's thread, 6.2 with a file.

mod largest_rooms;
mod memory_log;
mod query;

use super::{
    Append, History, HistoryReply, HistoryRequest, ModerationChange, Outcome, Page, RECENT,
    RequestId, RoomHead, fit_page,
};
use crate::auth::{PersonId, TokenHash, random_epoch};
use crate::name::RoomName;
use crate::os_error::describe;
use crate::protocol::{Entry, PageRequest};
use crossbeam_channel::{Receiver, SendError, Sender, unbounded};
use largest_rooms::LargestRooms;
use memory_log::MemoryLog;
use query::Query;
use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

/// Most bytes over all rooms; the oldest entries of the largest room, or of one nearly as large, are dropped first.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of an entry beside its text: itself, its id, and its place in the index of ids.
const ENTRY_OVERHEAD: usize = 512;
/// Most entries in one room.
const MAX_ENTRIES: usize = 20_000;

/// The history in the memory of this process.
pub struct MemoryHistory {
    epoch: Arc<str>,
    rooms: HashMap<Arc<str>, MemoryLog>,
    /// Where the message of each id is, until its entry is dropped.
    ids: HashMap<(PersonId, Arc<str>), EntryLocation>,
    /// The rooms with more than one entry: each keeps its latest one.
    largest_rooms: LargestRooms,
    bytes: usize,
    max_bytes: usize,
    max_entries: usize,
    search_jobs: Sender<SearchJob>,
    reply_sender: Sender<HistoryReply>,
    replies: Receiver<HistoryReply>,
}

/// A room's key and a seq in it.
type EntryLocation = (Arc<str>, u64);

impl MemoryHistory {
    /// An empty history with an epoch of its own.
    ///
    /// # Errors
    /// When the operating system provides no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self::with_bounds(random_epoch()?, MAX_BYTES, MAX_ENTRIES))
    }

    fn with_bounds(epoch: Arc<str>, max_bytes: usize, max_entries: usize) -> Self {
        let (reply_sender, replies) = unbounded();
        let search_jobs = spawn_search_thread(reply_sender.clone());
        Self {
            epoch,
            rooms: HashMap::new(),
            ids: HashMap::new(),
            largest_rooms: LargestRooms::new(),
            bytes: 0,
            max_bytes,
            max_entries,
            search_jobs,
            reply_sender,
            replies,
        }
    }

    fn append(&mut self, append: Append) -> HistoryReply {
        let request_id = append.request_id;
        let id = append.id.clone();
        let room = append.room.clone();
        let outcome = self.store(append);
        HistoryReply::Appended(request_id, id, room, outcome)
    }

    /// The log of this room; a new one gets this owner.
    fn log_of(&mut self, room: &RoomName, owner: Option<&TokenHash>) -> &mut MemoryLog {
        self.rooms
            .entry(room.key().clone())
            .or_insert_with(|| MemoryLog::new(room.clone(), owner.copied()))
    }

    /// Keeps the owners of rooms; everything else lasts as long as the chat, which knows it already.
    fn save_moderation(
        &mut self,
        request_id: RequestId,
        changes: &[ModerationChange],
    ) -> HistoryReply {
        for change in changes {
            if let ModerationChange::Room(room, owner, _) = change {
                self.log_of(room, owner.as_ref());
            }
        }
        HistoryReply::ModerationSaved(request_id, true)
    }

    fn store(&mut self, append: Append) -> Outcome {
        let id_key = (append.person, Arc::from(append.id.as_str()));
        if let Some((room, seq)) = self.ids.get(&id_key) {
            // An id is dropped with its entry, and rooms stay.
            let log = &self.rooms[room];
            return log.entries[log.index(*seq)].classify_resend(&append);
        }
        if let Some(refusal) = append.refused {
            return Outcome::Refused(refusal);
        }
        let room = append.room.key().clone();
        let log = self.log_of(&append.room, append.room_owner.as_deref());
        let (bytes_before, before) = (log.bytes, log.shrinkable_bytes());
        let entry = match log.append(append) {
            Ok(entry) => entry,
            Err(refused) => return refused,
        };
        let (bytes, after) = (log.bytes, log.shrinkable_bytes());
        let entries = log.entries.len();
        self.bytes = self.bytes - bytes_before + bytes;
        self.largest_rooms.resize(&room, before, after);
        self.ids.insert(id_key, (room.clone(), entry.seq));
        if entries > self.max_entries {
            self.drop_oldest(&room);
        }
        self.enforce_max_bytes();
        Outcome::Stored(entry)
    }

    fn enforce_max_bytes(&mut self) {
        while self.bytes > self.max_bytes {
            let Some(room) = self.largest_rooms.largest().cloned() else {
                return;
            };
            self.drop_oldest(&room);
        }
    }

    /// Drops a room's oldest entry and reports it.
    ///
    /// # Panics
    /// If the room has no entries.
    fn drop_oldest(&mut self, room: &Arc<str>) {
        let log = self.rooms.get_mut(room).expect("rooms stay");
        let before = log.shrinkable_bytes();
        let stored = log.entries.pop_front().expect("the room has entries");
        log.bytes -= entry_size(&stored.entry);
        self.largest_rooms
            .resize(room, before, log.shrinkable_bytes());
        self.bytes -= entry_size(&stored.entry);
        self.ids.remove(&(stored.person, stored.id));
        let _ = self
            .reply_sender
            .send(HistoryReply::Trimmed(log.name.clone(), log.oldest()));
    }

    fn room_head(&self, room: RoomName) -> HistoryReply {
        let head = match self.rooms.get(room.key()) {
            Some(log) => {
                let skip = log.entries.len().saturating_sub(RECENT);
                let entries = log
                    .entries
                    .iter()
                    .skip(skip)
                    .map(|stored| stored.entry.clone())
                    .collect();
                RoomHead {
                    name: log.name.clone(),
                    seq: log.seq,
                    oldest: log.oldest(),
                    entries,
                    owner: log.owner.map(Box::new),
                }
            }
            None => RoomHead {
                name: room.clone(),
                seq: 0,
                oldest: 1,
                entries: Vec::new(),
                owner: None,
            },
        };
        HistoryReply::RoomHead(room, Some(head))
    }

    fn page(
        &self,
        request_id: RequestId,
        room: RoomName,
        request: PageRequest,
        limit: usize,
    ) -> HistoryReply {
        let page = self
            .rooms
            .get(room.key())
            .map_or_else(empty_page, |log| log.page(request, limit));
        HistoryReply::Page(request_id, room, Some(page))
    }

    /// Hands a search to its thread, with the entries of now: it reads every word of a room.
    fn search(&mut self, request_id: RequestId, room: RoomName, query: String, limit: usize) {
        let log = self.rooms.get(room.key());
        let entries = log
            .map(|log| {
                log.entries
                    .iter()
                    .map(|stored| stored.entry.clone())
                    .collect()
            })
            .unwrap_or_default();
        let oldest = log.map_or(1, MemoryLog::oldest);
        let job = SearchJob {
            request_id,
            room,
            query,
            limit,
            oldest,
            entries,
        };
        if let Err(SendError(job)) = self.search_jobs.send(job) {
            let _ = self.reply_sender.send(HistoryReply::Found(
                job.request_id,
                job.room,
                job.query,
                None,
            ));
        }
    }
}

/// One search; the entries are oldest first.
struct SearchJob {
    request_id: RequestId,
    room: RoomName,
    query: String,
    limit: usize,
    oldest: u64,
    entries: Vec<Arc<Entry>>,
}

impl SearchJob {
    fn run(self) -> HistoryReply {
        let query = Query::new(&self.query);
        let matching = |entry: &&Arc<Entry>| !entry.is_amendment() && query.matches(&entry.text);
        let mut found = self.entries.iter().rev().filter(matching).cloned();
        let mut entries: Vec<_> = found.by_ref().take(self.limit).collect();
        let more = found.next().is_some();
        let cut = fit_page(&mut entries);
        let page = Page {
            oldest: self.oldest,
            entries,
            more: more || cut,
        };
        HistoryReply::Found(self.request_id, self.room, self.query, Some(page))
    }
}

/// Starts the search thread, which ends when its channel closes.
fn spawn_search_thread(replies: Sender<HistoryReply>) -> Sender<SearchJob> {
    let (sender, receiver) = unbounded::<SearchJob>();
    let body = move || {
        receiver
            .into_iter()
            .map(SearchJob::run)
            .try_for_each(|reply| replies.send(reply))
    };
    // Without a thread every search is answered as unreadable, because its channel is closed.
    if let Err(error) = thread::Builder::new().name("search".into()).spawn(body) {
        ::log::error!(
            "O sistema não deu um thread para as buscas ({}).",
            describe(&error)
        );
    }
    sender
}

/// The bytes that an entry counts for.
fn entry_size(entry: &Entry) -> usize {
    entry.text.len() + ENTRY_OVERHEAD
}

fn empty_page() -> Page {
    Page {
        oldest: 1,
        ..Page::default()
    }
}

impl History for MemoryHistory {
    fn epoch(&self) -> Arc<str> {
        self.epoch.clone()
    }

    fn count(&self) -> u64 {
        0
    }

    fn submit(&mut self, requests: Vec<HistoryRequest>) {
        for request in requests {
            let reply = match request {
                HistoryRequest::Append(append) => self.append(append),
                HistoryRequest::SaveModeration(request_id, changes) => {
                    self.save_moderation(request_id, &changes)
                }
                HistoryRequest::RoomHead(room) => self.room_head(room),
                // Its log never goes back while its epoch stays.
                HistoryRequest::BeginEpoch => HistoryReply::EpochBegan(None),
                HistoryRequest::Page(request_id, room, page_request, limit) => {
                    self.page(request_id, room, page_request, limit)
                }
                HistoryRequest::Search(request_id, room, query, limit) => {
                    self.search(request_id, room, query, limit);
                    continue;
                }
            };
            // The receiver lives as long as the sender: both are ours.
            let _ = self.reply_sender.send(reply);
        }
    }

    fn replies(&self) -> &Receiver<HistoryReply> {
        &self.replies
    }
}

#[cfg(test)]
mod tests;
