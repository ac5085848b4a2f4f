//! What one client holds of a room's log, and the rules by which every message of the server is checked.
//!
//! Used by the clients on sockets and by the model without any. A broken promise is a panic with both sides.

use crate::log_entry::{EntryChange, LogEntry, SentMessage, change};
use papo::name::RoomName;
use papo::protocol::{
    ClientMessage, Entry, FetchHistory, PageRequest, Refusal, ResumePoint, ServerMessage,
};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub id: String,
    pub epoch: String,
    pub seq: u64,
    /// When the server says that it was stored, in Unix milliseconds.
    pub at: u64,
    pub duplicate: bool,
}

/// One client's copy of a log, and what it has said itself.
pub struct Transcript {
    pub name: String,
    /// The log that is held; `None` before the first `joined`.
    pub epoch: Option<String>,
    pub entries: Vec<LogEntry>,
    /// The last seq that is held, or known to be gone for ever.
    pub held_seq: u64,
    /// The first seq that the log still has, as the last `joined` said.
    pub oldest: u64,
    /// Seqs that the server said it no longer has.
    pub trimmed: Vec<RangeInclusive<u64>>,
    /// Everything said, in order.
    pub sent: Vec<SentMessage>,
    /// What has no `ack` yet, in order.
    pub unacked: VecDeque<SentMessage>,
    pub acks: Vec<Ack>,
    /// The epoch of each `joined`, in order.
    pub joined_epochs: Vec<String>,
    /// Times that what was held had to be thrown away.
    pub resets: usize,
    /// How many of the acks had come when that happened last: they speak of what was thrown away.
    pub acks_before_reset: usize,
    /// Messages that came while pages were pulled, with their epoch: a page brings each of them again.
    pub passed_over: Vec<(String, LogEntry)>,
    /// How many entries to ask for at once.
    pub page_limit: Option<u64>,
    /// The highest seq that this log is known to have.
    pub highest_known_seq: u64,
    /// Up to here the entries came by a page, which may run ahead of live messages.
    paged_until: u64,
    /// Whether pages are being pulled.
    catching_up: bool,
    /// Whether the log was opened on this connection.
    joined_here: bool,
    /// Pages that were asked for on this connection, and how many of them belong to a log that was thrown away since.
    awaited_pages: usize,
    stale_pages: usize,
}

impl Transcript {
    pub fn new(me: &str) -> Self {
        Self {
            name: me.into(),
            epoch: None,
            entries: Vec::new(),
            held_seq: 0,
            oldest: 1,
            trimmed: Vec::new(),
            sent: Vec::new(),
            unacked: VecDeque::new(),
            acks: Vec::new(),
            joined_epochs: Vec::new(),
            resets: 0,
            acks_before_reset: 0,
            passed_over: Vec::new(),
            page_limit: None,
            highest_known_seq: 0,
            paged_until: 0,
            catching_up: false,
            joined_here: false,
            awaited_pages: 0,
            stale_pages: 0,
        }
    }

    /// A new message with an id of its own; it is kept until it is acknowledged.
    pub fn say(&mut self, padding: &str) -> SentMessage {
        let number = self.sent.len() + 1;
        let said = SentMessage {
            id: format!("m{number}"),
            text: format!("{} {number}{padding}", self.name),
            change: None,
        };
        self.sent.push(said.clone());
        self.unacked.push_back(said.clone());
        said
    }

    /// The same, to change an earlier line.
    pub fn amend(&mut self, change: EntryChange) {
        let number = self.sent.len() + 1;
        let text = if let EntryChange::Edit(_) = change {
            format!("{} {number}", self.name)
        } else {
            String::new()
        };
        let said = SentMessage {
            id: format!("m{number}"),
            text,
            change: Some(change),
        };
        self.sent.push(said.clone());
        self.unacked.push_back(said);
    }

    /// A change was refused, and will not be asked for again.
    pub fn take_refused(&mut self, refusal: &Refusal) -> EntryChange {
        let place = self
            .unacked
            .iter()
            .position(|said| Some(&said.id) == refusal.id.as_ref());
        let said = place.and_then(|place| self.unacked.remove(place));
        said.and_then(|said| said.change)
            .unwrap_or_else(|| panic!("{}: {refusal:?}", self.name))
    }

    /// What was sent with this id.
    pub fn said(&self, id: &str) -> &SentMessage {
        let number: usize = id[1..].parse().expect("the ids are numbered");
        &self.sent[number - 1]
    }

    /// A message was refused and has to be sent again: it waits in its order among those that were not sent, which begin
    /// at this index.
    pub fn send_again(&mut self, id: &str, first_unsent: usize) {
        let place = self.unacked.iter().position(|said| said.id == id);
        let said = place.and_then(|place| self.unacked.remove(place));
        let said = said.unwrap_or_else(|| panic!("{}: {id} waits for nothing", self.name));
        let number = said.number();
        let mut unsent = self.unacked.iter().skip(first_unsent);
        let later = unsent.position(|other| other.number() > number);
        let place = later.map_or(self.unacked.len(), |later| first_unsent + later);
        self.unacked.insert(place, said);
    }

    /// What to enter with on a new connection: everything after what is held. What has no `ack` is sent again, in order.
    pub fn since(&mut self) -> ResumePoint {
        let unacked = self.unacked.make_contiguous();
        unacked.sort_by_key(SentMessage::number);
        self.joined_here = false;
        self.awaited_pages = 0;
        self.stale_pages = 0;
        ResumePoint {
            epoch: self.epoch.clone(),
            after: Some(self.held_seq),
        }
    }

    /// The page to ask for, as long as something is missing.
    pub fn next_page_request(&self) -> Option<ClientMessage> {
        let room = RoomName::lobby();
        self.catching_up
            .then_some(ClientMessage::History(FetchHistory {
                room,
                page: PageRequest::After(self.held_seq),
                limit: self.page_limit,
            }))
    }

    /// Whether nothing is known to be missing.
    pub fn is_complete(&self) -> bool {
        !self.catching_up
    }

    /// Handles one message; true if another page should be asked for now.
    pub fn receive(&mut self, message: &ServerMessage) -> bool {
        let page = self.take(message);
        self.awaited_pages += usize::from(page);
        page
    }

    fn take(&mut self, message: &ServerMessage) -> bool {
        match message {
            ServerMessage::Joined {
                epoch,
                seq,
                oldest,
                entries,
                more,
                reset,
                ..
            } => {
                self.on_joined(epoch, *seq, *reset);
                assert!(*oldest <= seq + 1, "{oldest} is the oldest of {seq}");
                self.highest_known_seq = *seq;
                self.oldest = *oldest;
                self.paged_until = 0;
                self.catching_up = *more;
                self.skip_to(*oldest);
                let next = entries.first().map_or(*seq + 1, |entry| entry.seq);
                if *reset && next > self.held_seq + 1 {
                    // Only the newest page: the whole log is pulled.
                    self.catching_up = true;
                    return true;
                }
                entries.iter().for_each(|entry| self.append_next(entry));
                assert!(
                    *more || self.held_seq == *seq,
                    "{}: joined {seq} and holds {}",
                    self.name,
                    self.held_seq
                );
                *more
            }
            ServerMessage::History {
                epoch,
                oldest,
                entries,
                more,
                ..
            } => {
                self.awaited_pages -= 1;
                if self.stale_pages > 0 {
                    self.stale_pages -= 1;
                    return false;
                }
                self.on_page(epoch, *oldest, entries, *more);
                self.catching_up
            }
            ServerMessage::Message(entry) => {
                self.on_message(entry);
                false
            }
            ServerMessage::Ack {
                id,
                seq: Some(seq),
                at,
                duplicate,
                ..
            } => {
                self.on_ack(id, *seq, *at, *duplicate);
                false
            }
            _ => false,
        }
    }

    fn on_joined(&mut self, epoch: &str, seq: u64, reset: bool) {
        match &self.epoch {
            Some(known) if !reset => {
                assert_eq!(known, epoch, "{}: another log without a reset", self.name);
            }
            // Whoever is ahead of a log that went back is told so at once, and once more when its new epoch has begun.
            Some(known) => assert!(
                known != epoch || self.held_seq > seq,
                "{}: a reset of the same log",
                self.name
            ),
            None => assert!(!reset, "{}: a reset of nothing", self.name),
        }
        if reset {
            self.resets += 1;
            self.acks_before_reset = self.acks.len();
            self.held_seq = 0;
            self.entries.clear();
            self.trimmed.clear();
            self.stale_pages = self.awaited_pages;
            if !self.joined_here {
                // Their seqs are those of a log that is gone; in this one they are other people's entries. A log that
                // gets a new epoch while it is open keeps its entries.
                self.unacked.retain(|said| said.change.is_none());
            }
        }
        self.epoch = Some(epoch.into());
        self.joined_epochs.push(epoch.into());
        self.joined_here = true;
    }

    fn on_page(&mut self, epoch: &str, oldest: u64, entries: &[Arc<Entry>], more: bool) {
        assert_eq!(
            self.epoch.as_deref(),
            Some(epoch),
            "{}: a page of another log",
            self.name
        );
        self.skip_to(oldest);
        entries.iter().for_each(|entry| self.append_next(entry));
        self.paged_until = self.held_seq;
        self.highest_known_seq = self.highest_known_seq.max(self.held_seq);
        assert!(
            !more || !entries.is_empty(),
            "{}: more of nothing after {}",
            self.name,
            self.held_seq
        );
        self.catching_up = more || self.held_seq < self.highest_known_seq;
    }

    /// What is older than the oldest entry is gone for ever.
    fn skip_to(&mut self, oldest: u64) {
        if oldest > self.held_seq + 1 {
            self.trimmed.push(self.held_seq + 1..=oldest - 1);
            self.held_seq = oldest - 1;
        }
    }

    /// The next line; any other is a broken promise.
    fn append_next(&mut self, entry: &Entry) {
        assert_eq!(
            entry.seq,
            self.held_seq + 1,
            "{}: after {} comes {entry:?}",
            self.name,
            self.held_seq
        );
        self.held_seq = entry.seq;
        self.push(LogEntry::of(entry));
    }

    fn push(&mut self, line: LogEntry) {
        change(&mut self.entries, &line);
        self.entries.push(line);
    }

    fn on_message(&mut self, entry: &Entry) {
        self.highest_known_seq = self.highest_known_seq.max(entry.seq);
        if entry.seq <= self.paged_until {
            self.assert_same(&LogEntry::of(entry));
        } else if self.catching_up {
            let epoch = self.epoch.clone().expect("it has joined");
            self.passed_over.push((epoch, LogEntry::of(entry)));
        } else {
            self.append_next(entry);
        }
    }

    /// An `ack` stands where the message itself would stand.
    fn on_ack(&mut self, id: &str, seq: u64, at: u64, duplicate: bool) {
        let place = self.unacked.iter().position(|said| said.id == id);
        let said = place.and_then(|place| self.unacked.remove(place));
        let said =
            said.unwrap_or_else(|| panic!("{}: an ack of {id}, which waits for none", self.name));
        let epoch = self.epoch.clone().unwrap();
        self.acks.push(Ack {
            id: id.into(),
            epoch,
            seq,
            at,
            duplicate,
        });
        self.highest_known_seq = self.highest_known_seq.max(seq);
        if seq <= self.held_seq {
            assert!(
                duplicate || seq <= self.paged_until,
                "{}: {id} at {seq}, and {} is held",
                self.name,
                self.held_seq
            );
            self.assert_same(&LogEntry::from_sent(seq, &self.name, &said));
        } else if !self.catching_up {
            assert!(
                !duplicate,
                "{}: {id} is an old one at {seq}, and {} is held",
                self.name, self.held_seq
            );
            assert_eq!(
                seq,
                self.held_seq + 1,
                "{}: the ack of {id} is out of place",
                self.name
            );
            self.held_seq = seq;
            self.push(LogEntry::from_sent(seq, &self.name, &said));
        }
    }

    /// What comes twice is the same both times, unless it was changed between them.
    fn assert_same(&self, received: &LogEntry) {
        let seq = received.seq;
        let Ok(place) = self.entries.binary_search_by_key(&seq, |line| line.seq) else {
            let known = self.trimmed.iter().any(|gone| gone.contains(&seq));
            return assert!(known, "{}: {seq} is missing", self.name);
        };
        let line = &self.entries[place];
        assert_eq!(
            (&line.from, line.apply_change),
            (&received.from, received.apply_change),
            "{}: {seq} was another",
            self.name
        );
        if line.is_original() && received.is_original() {
            assert_eq!(line.text, received.text, "{}: {seq} was another", self.name);
        }
    }
}
