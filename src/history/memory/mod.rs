//! The log in memory only: fast, bounded, and gone with the process, which is why its epoch is new at every start.

mod log;
mod query;

use super::{Answer, Append, History, Job, Outcome, Page, TAIL, Tail, Ticket, fit_page};
use crate::identity::{PersonId, random_epoch};
use crate::name::RoomName;
use crate::protocol::{Entry, PageRequest};
use crate::reasons::reason;
use crossbeam_channel::{Receiver, SendError, Sender, unbounded};
use log::Log;
use query::Query;
use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

/// Most bytes kept over all rooms; the oldest entries of the room with the most are dropped first.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What an entry takes beside its text, in bytes: itself, its id, and its place among the ids.
const ENTRY: usize = 512;
/// Most entries kept in one room.
const MAX_ENTRIES: usize = 20_000;

/// The history that a process keeps for itself.
pub struct MemoryHistory {
    epoch: Arc<str>,
    rooms: HashMap<Arc<str>, Log>,
    /// Where each message of each person is, for as long as the entry is kept.
    ids: HashMap<(PersonId, Arc<str>), Place>,
    bytes: usize,
    max_bytes: usize,
    max_entries: usize,
    searches: Sender<Search>,
    sender: Sender<Answer>,
    receiver: Receiver<Answer>,
}

/// A room's key and a seq in it.
type Place = (Arc<str>, u64);

impl MemoryHistory {
    /// An empty log with an epoch of its own.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self::with_bounds(random_epoch()?, MAX_BYTES, MAX_ENTRIES))
    }

    fn with_bounds(epoch: Arc<str>, max_bytes: usize, max_entries: usize) -> Self {
        let (sender, receiver) = unbounded();
        let searches = start_searching(sender.clone());
        Self {
            epoch,
            rooms: HashMap::new(),
            ids: HashMap::new(),
            bytes: 0,
            max_bytes,
            max_entries,
            searches,
            sender,
            receiver,
        }
    }

    fn append(&mut self, append: Append) -> Answer {
        let (ticket, id, room) = (append.ticket, append.id.clone(), append.room.clone());
        if let Some((key, seq)) = self.ids.get(&(append.person, id.as_str().into())) {
            let first = self
                .rooms
                .get(key)
                .and_then(|log| log.entries.get(log.index(*seq)));
            return Answer::Appended(
                ticket,
                id,
                room,
                first.map_or(Outcome::IdReused, |first| first.compare(&append)),
            );
        }
        let person = (append.person, Arc::from(append.id.as_str()));
        let log = self
            .rooms
            .entry(room.key().clone())
            .or_insert_with(|| Log::new(room.clone()));
        let held = log.bytes;
        let entry = match log.append(append) {
            Ok(entry) => entry,
            Err(refused) => return Answer::Appended(ticket, id, room, refused),
        };
        self.bytes = self.bytes - held + log.bytes;
        self.ids.insert(person, (room.key().clone(), entry.seq));
        if log.entries.len() > self.max_entries {
            self.drop_oldest(&room.key().clone());
        }
        while self.bytes > self.max_bytes {
            let fattest = self
                .rooms
                .values()
                .filter(|log| log.entries.len() > 1)
                .max_by_key(|log| log.bytes);
            let Some(key) = fattest.map(|log| log.name.key().clone()) else {
                break;
            };
            self.drop_oldest(&key);
        }
        Answer::Appended(ticket, id, room, Outcome::Stored(entry))
    }

    /// Forgets a room's oldest entry, and says so.
    fn drop_oldest(&mut self, room: &Arc<str>) {
        let Some(log) = self.rooms.get_mut(room) else {
            return;
        };
        let Some(kept) = log.entries.pop_front() else {
            return;
        };
        log.bytes -= weight(&kept.entry);
        self.bytes -= weight(&kept.entry);
        self.ids.remove(&(kept.person, kept.id));
        let _ = self
            .sender
            .send(Answer::Trimmed(log.name.clone(), log.oldest()));
    }

    fn tail(&self, room: RoomName) -> Answer {
        let tail = match self.rooms.get(room.key()) {
            Some(log) => {
                let skip = log.entries.len().saturating_sub(TAIL);
                let entries = log
                    .entries
                    .iter()
                    .skip(skip)
                    .map(|kept| kept.entry.clone())
                    .collect();
                Tail {
                    name: log.name.clone(),
                    seq: log.seq,
                    oldest: log.oldest(),
                    entries,
                }
            }
            None => Tail {
                name: room.clone(),
                seq: 0,
                oldest: 1,
                entries: Vec::new(),
            },
        };
        Answer::Tail(room, Some(tail))
    }

    fn page(&self, ticket: Ticket, room: RoomName, span: PageRequest, limit: usize) -> Answer {
        let page = self
            .rooms
            .get(room.key())
            .map_or_else(empty_page, |log| log.page(span, limit));
        Answer::Page(ticket, room, Some(page))
    }

    /// Searching reads every word of a room, so it has a thread of its own; it is given the entries as they are now.
    fn search(&mut self, ticket: Ticket, room: RoomName, query: String, limit: usize) {
        let log = self.rooms.get(room.key());
        let entries = log
            .map(|log| log.entries.iter().map(|kept| kept.entry.clone()).collect())
            .unwrap_or_default();
        let oldest = log.map_or(1, Log::oldest);
        let search = Search {
            ticket,
            room,
            query,
            limit,
            oldest,
            entries,
        };
        if let Err(SendError(search)) = self.searches.send(search) {
            let _ = self.sender.send(Answer::Found(
                search.ticket,
                search.room,
                search.query,
                None,
            ));
        }
    }
}

/// One search over entries, oldest first.
struct Search {
    ticket: Ticket,
    room: RoomName,
    query: String,
    limit: usize,
    oldest: u64,
    entries: Vec<Arc<Entry>>,
}

impl Search {
    fn run(self) -> Answer {
        let query = Query::new(&self.query);
        let hits = |entry: &&Arc<Entry>| !entry.is_amendment() && query.finds(&entry.text);
        let mut found = self.entries.iter().rev().filter(hits).cloned();
        let mut entries: Vec<_> = found.by_ref().take(self.limit).collect();
        let more = found.next().is_some();
        let cut = fit_page(&mut entries);
        let page = Page {
            oldest: self.oldest,
            entries,
            more: more || cut,
        };
        Answer::Found(self.ticket, self.room, self.query, Some(page))
    }
}

/// Starts the thread that searches, until nobody asks any more.
fn start_searching(answers: Sender<Answer>) -> Sender<Search> {
    let (sender, receiver) = unbounded::<Search>();
    let life = move || {
        receiver
            .into_iter()
            .map(Search::run)
            .try_for_each(|answer| answers.send(answer))
    };
    // Without a thread every search is answered as unreadable, because its channel is closed.
    if let Err(error) = thread::Builder::new().name("search".into()).spawn(life) {
        ::log::error!(
            "O sistema não deu um thread para as buscas ({}).",
            reason(&error)
        );
    }
    sender
}

/// What keeping an entry costs, in bytes.
fn weight(entry: &Entry) -> usize {
    entry.text.len() + ENTRY
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

    fn submit(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let answer = match job {
                Job::Append(append) => self.append(append),
                Job::Tail(room) => self.tail(room),
                Job::Page(ticket, room, span, limit) => self.page(ticket, room, span, limit),
                Job::Search(ticket, room, query, limit) => {
                    self.search(ticket, room, query, limit);
                    continue;
                }
            };
            // The receiver lives as long as the sender: both are ours.
            let _ = self.sender.send(answer);
        }
    }

    fn answers(&self) -> &Receiver<Answer> {
        &self.receiver
    }
}

#[cfg(test)]
mod tests;
