//! What one client holds of a room's log, and the rules by which every word of the server is checked as it comes.
//!
//! Used by the clients on sockets and by the model without any. A promise that is broken is a panic with both sides.

use crate::line::{Change, Line, Said, change};
use papo::name::RoomName;
use papo::protocol::{ClientMessage, Entry, PageRequest, Refusal, ResumePoint, ServerMessage};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub id: String,
    pub epoch: String,
    pub seq: u64,
    pub duplicate: bool,
}

/// One client's copy of a log, and what it has said itself.
pub struct Transcript {
    pub me: String,
    /// The log that is held; `None` before the first `joined`.
    pub epoch: Option<String>,
    pub lines: Vec<Line>,
    /// The last seq that is held, or known to be gone for ever.
    pub held: u64,
    /// The first seq that the log still has, as the last `joined` said.
    pub oldest: u64,
    /// Seqs that the server said it no longer has.
    pub gone: Vec<RangeInclusive<u64>>,
    /// Everything said, in order.
    pub said: Vec<Said>,
    /// What has no `ack` yet, in order.
    pub unacked: VecDeque<Said>,
    pub acks: Vec<Ack>,
    /// How many entries to ask for at once.
    pub page: Option<u64>,
    /// The highest seq that this log is known to have.
    heard_of: u64,
    /// Up to here the lines came by a page, which may run ahead of what is told live.
    paged_to: u64,
    /// Whether pages are being pulled.
    catching_up: bool,
}

impl Transcript {
    pub fn new(me: &str) -> Self {
        Self {
            me: me.into(),
            epoch: None,
            lines: Vec::new(),
            held: 0,
            oldest: 1,
            gone: Vec::new(),
            said: Vec::new(),
            unacked: VecDeque::new(),
            acks: Vec::new(),
            page: None,
            heard_of: 0,
            paged_to: 0,
            catching_up: false,
        }
    }

    /// A new message with an id of its own; it is kept until it is acknowledged.
    pub fn say(&mut self, padding: &str) -> Said {
        let number = self.said.len() + 1;
        let said = Said {
            id: format!("m{number}"),
            text: format!("{} {number}{padding}", self.me),
            change: None,
        };
        self.said.push(said.clone());
        self.unacked.push_back(said.clone());
        said
    }

    /// The same, to change an earlier line.
    pub fn amend(&mut self, change: Change) {
        let number = self.said.len() + 1;
        let text = if let Change::Edit(_) = change {
            format!("{} {number}", self.me)
        } else {
            String::new()
        };
        let said = Said {
            id: format!("m{number}"),
            text,
            change: Some(change),
        };
        self.said.push(said.clone());
        self.unacked.push_back(said);
    }

    /// A change was refused, and will not be asked for again.
    pub fn refused(&mut self, refusal: &Refusal) -> Change {
        let place = self
            .unacked
            .iter()
            .position(|said| Some(&said.id) == refusal.id.as_ref());
        let said = place.and_then(|place| self.unacked.remove(place));
        said.and_then(|said| said.change)
            .unwrap_or_else(|| panic!("{}: {refusal:?}", self.me))
    }

    /// What to enter or join with: everything after what is held.
    pub fn since(&self) -> ResumePoint {
        ResumePoint {
            epoch: self.epoch.clone(),
            after: Some(self.held),
        }
    }

    /// The page to ask for, as long as something is missing.
    pub fn wish(&self) -> Option<ClientMessage> {
        let room = RoomName::lobby();
        self.catching_up.then_some(ClientMessage::History {
            room,
            page: PageRequest::After(self.held),
            limit: self.page,
        })
    }

    /// Whether nothing is known to be missing.
    pub fn is_whole(&self) -> bool {
        !self.catching_up
    }

    /// Takes in one word of the server; true if another page should be asked for now.
    pub fn hear(&mut self, word: &ServerMessage) -> bool {
        match word {
            ServerMessage::Joined {
                epoch,
                seq,
                oldest,
                entries,
                more,
                reset,
                ..
            } => {
                self.joined(epoch, *reset);
                assert!(*oldest <= seq + 1, "{oldest} is the oldest of {seq}");
                (self.heard_of, self.oldest) = (*seq, *oldest);
                self.paged_to = 0;
                self.catching_up = *more;
                if *reset {
                    self.held = entries.first().map_or(*seq, |entry| entry.seq - 1);
                }
                self.skip_to(*oldest);
                entries.iter().for_each(|entry| self.take(entry));
                assert!(
                    *more || self.held == *seq,
                    "{}: joined {seq} and holds {}",
                    self.me,
                    self.held
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
                self.turn_page(epoch, *oldest, entries, *more);
                self.catching_up
            }
            ServerMessage::Message(entry) => {
                self.message(entry);
                false
            }
            ServerMessage::Ack {
                id,
                seq: Some(seq),
                duplicate,
                ..
            } => {
                self.acknowledged(id, *seq, *duplicate);
                false
            }
            _ => false,
        }
    }

    fn joined(&mut self, epoch: &str, reset: bool) {
        match &self.epoch {
            Some(known) if !reset => {
                assert_eq!(known, epoch, "{}: another log without a reset", self.me)
            }
            Some(known) => assert_ne!(known, epoch, "{}: a reset of the same log", self.me),
            None => assert!(!reset, "{}: a reset of nothing", self.me),
        }
        if reset {
            self.lines.clear();
            self.gone.clear();
            // Their seqs are those of a log that is no more; in this one they are other people's lines.
            self.unacked.retain(|said| said.change.is_none());
        }
        self.epoch = Some(epoch.into());
    }

    fn turn_page(&mut self, epoch: &str, oldest: u64, entries: &[Arc<Entry>], more: bool) {
        assert_eq!(
            self.epoch.as_deref(),
            Some(epoch),
            "{}: a page of another log",
            self.me
        );
        self.skip_to(oldest);
        entries.iter().for_each(|entry| self.take(entry));
        self.paged_to = self.held;
        self.heard_of = self.heard_of.max(self.held);
        assert!(
            !more || !entries.is_empty(),
            "{}: more of nothing after {}",
            self.me,
            self.held
        );
        self.catching_up = more || self.held < self.heard_of;
    }

    /// What is older than the oldest entry is gone for ever.
    fn skip_to(&mut self, oldest: u64) {
        if oldest > self.held + 1 {
            self.gone.push(self.held + 1..=oldest - 1);
            self.held = oldest - 1;
        }
    }

    /// The next line; any other is a broken promise.
    fn take(&mut self, entry: &Entry) {
        assert_eq!(
            entry.seq,
            self.held + 1,
            "{}: after {} comes {entry:?}",
            self.me,
            self.held
        );
        self.held = entry.seq;
        self.push(Line::of(entry));
    }

    fn push(&mut self, line: Line) {
        change(&mut self.lines, &line);
        self.lines.push(line);
    }

    fn message(&mut self, entry: &Entry) {
        self.heard_of = self.heard_of.max(entry.seq);
        if entry.seq <= self.paged_to {
            self.same(&Line::of(entry));
        } else if !self.catching_up {
            self.take(entry);
        }
    }

    /// An `ack` stands where the message itself would stand.
    fn acknowledged(&mut self, id: &str, seq: u64, duplicate: bool) {
        let place = self.unacked.iter().position(|said| said.id == id);
        let said = place.and_then(|place| self.unacked.remove(place));
        let said =
            said.unwrap_or_else(|| panic!("{}: an ack of {id}, which waits for none", self.me));
        let epoch = self.epoch.clone().unwrap();
        self.acks.push(Ack {
            id: id.into(),
            epoch,
            seq,
            duplicate,
        });
        self.heard_of = self.heard_of.max(seq);
        if seq <= self.held {
            assert!(
                duplicate || seq <= self.paged_to,
                "{}: {id} at {seq}, and {} is held",
                self.me,
                self.held
            );
            self.same(&Line::said(seq, &self.me, &said));
        } else if !self.catching_up {
            assert!(
                !duplicate,
                "{}: {id} is an old one at {seq}, and {} is held",
                self.me, self.held
            );
            assert_eq!(
                seq,
                self.held + 1,
                "{}: the ack of {id} is out of place",
                self.me
            );
            self.held = seq;
            self.push(Line::said(seq, &self.me, &said));
        }
    }

    /// What is told twice is the same both times, unless it was changed between them.
    fn same(&self, told: &Line) {
        let seq = told.seq;
        let Ok(place) = self.lines.binary_search_by_key(&seq, |line| line.seq) else {
            let known = self.gone.iter().any(|gone| gone.contains(&seq)) || self.begins_after(seq);
            return assert!(known, "{}: {seq} is missing", self.me);
        };
        let line = &self.lines[place];
        assert_eq!(
            (&line.from, line.change),
            (&told.from, told.change),
            "{}: {seq} was another",
            self.me
        );
        if line.is_as_said() && told.is_as_said() {
            assert_eq!(line.text, told.text, "{}: {seq} was another", self.me);
        }
    }

    /// Whether a seq lies before everything that is held, because the log was taken up anew in its middle.
    fn begins_after(&self, seq: u64) -> bool {
        self.lines.first().is_none_or(|line| line.seq > seq)
    }
}
