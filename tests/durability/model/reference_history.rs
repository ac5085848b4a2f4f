//! The simplest history, as a reference for the others: everything in one list, answered at once.

use crossbeam_channel::{Receiver, Sender, unbounded};
use papo::auth::PersonId;
use papo::history::{
    Amendment, Append, History, HistoryReply, HistoryRequest, Outcome, Page, RECENT, RoomHead,
};
use papo::name::RoomName;
use papo::protocol::{Entry, PageRequest};
use std::collections::HashMap;
use std::sync::Arc;

/// One room's log. What is trimmed stays in the list and is no longer served.
#[derive(Clone)]
pub struct ReferenceLog {
    epoch: Arc<str>,
    entries: Vec<Arc<Entry>>,
    /// The person, the first text and the target of each of them.
    originals: Vec<(PersonId, String, Option<Amendment>)>,
    ids: HashMap<(PersonId, String), u64>,
    trimmed: usize,
}

/// The log, and what is known of it since the start.
pub struct ReferenceHistory {
    log: ReferenceLog,
    /// How many epochs there have been, in every state of the log.
    epochs: usize,
    /// The present epoch began before the start; only such a one may be ended by a client.
    epoch_is_old: bool,
    sender: Sender<HistoryReply>,
    receiver: Receiver<HistoryReply>,
}

impl ReferenceHistory {
    pub fn new() -> Self {
        let (sender, receiver) = unbounded();
        Self {
            log: ReferenceLog {
                epoch: "reference".into(),
                entries: Vec::new(),
                originals: Vec::new(),
                ids: HashMap::new(),
                trimmed: 0,
            },
            epochs: 1,
            epoch_is_old: false,
            sender,
            receiver,
        }
    }

    pub fn log(&self) -> &ReferenceLog {
        &self.log
    }

    /// The server starts again.
    pub fn reopen(&mut self) {
        self.epoch_is_old = true;
    }

    /// The server starts again with another state of the log; a new epoch begins if that is noticed.
    pub fn put_back(&mut self, log: ReferenceLog, noticed: bool) {
        self.log = log;
        self.reopen();
        if noticed {
            self.begin_epoch();
        }
    }

    fn begin_epoch(&mut self) {
        assert!(
            self.epoch_is_old,
            "an epoch that began since the start is ended"
        );
        self.epochs += 1;
        self.log.epoch = format!("reference {}", self.epochs).into();
        self.epoch_is_old = false;
    }

    /// Trims so many of the oldest entries; the core learns of it with the next replies.
    pub fn trim(&mut self, count: usize) {
        self.log.trimmed = (self.log.trimmed + count).min(self.log.entries.len());
        let _ = self
            .sender
            .send(HistoryReply::Trimmed(RoomName::lobby(), self.log.oldest()));
    }
}

impl ReferenceLog {
    fn oldest(&self) -> u64 {
        self.trimmed as u64 + 1
    }

    fn append(&mut self, append: Append) -> Outcome {
        let claim = (append.person, append.id);
        let said = (append.person, append.text.clone(), append.amends.clone());
        if let Some(&seq) = self.ids.get(&claim) {
            assert_eq!(
                self.originals[seq as usize - 1],
                said,
                "the model uses no id twice"
            );
            return Outcome::Duplicate {
                seq,
                at: self.entries[seq as usize - 1].at,
            };
        }
        let (edits, erases) = match append.amends {
            None => (None, None),
            Some(Amendment::Edit(seq)) => (Some(seq), None),
            Some(Amendment::Erase(seq)) => (None, Some(seq)),
            Some(Amendment::EraseByAuthor { .. }) => panic!("the model has no moderator"),
        };
        if let Some(target) = edits.or(erases) {
            if target <= self.trimmed as u64 || target > self.entries.len() as u64 {
                return Outcome::NoSuchEntry;
            }
            let entry = &self.entries[target as usize - 1];
            if self.originals[target as usize - 1].0 != append.person
                || entry.erased
                || entry.is_amendment()
            {
                return Outcome::Forbidden;
            }
            self.rewrite(target, &append.text, erases.is_some());
        }
        let seq = self.entries.len() as u64 + 1;
        let entry = Arc::new(Entry {
            room: append.room.as_str().into(),
            seq,
            at: append.at,
            from: append.from,
            tag: append.tag,
            text: append.text,
            action: append.action,
            reply_to: append.reply_to,
            edits,
            erases: erases.into_iter().collect(),
            edited: false,
            erased: false,
        });
        self.originals.push(said);
        self.ids.insert(claim, seq);
        self.entries.push(entry.clone());
        Outcome::Stored(entry)
    }

    /// An entry and all its edits have this text from now on.
    fn rewrite(&mut self, target: u64, text: &str, erased: bool) {
        for entry in &mut self.entries[target as usize - 1..] {
            if entry.seq == target || entry.edits == Some(target) {
                let entry = Arc::make_mut(entry);
                entry.text = text.into();
                entry.edited = entry.seq == target && !erased;
                entry.erased = entry.seq == target && erased;
            }
        }
    }

    fn tail(&self) -> RoomHead {
        let from = self.trimmed.max(self.entries.len().saturating_sub(RECENT));
        RoomHead {
            name: RoomName::lobby(),
            seq: self.entries.len() as u64,
            oldest: self.oldest(),
            entries: self.entries[from..].to_vec(),
            owner: None,
        }
    }

    fn page(&self, span: PageRequest, limit: usize) -> Page {
        let PageRequest::After(after) = span else {
            panic!("the model does not read backwards")
        };
        let from = self.trimmed.max(after as usize).min(self.entries.len());
        let to = (from + limit).min(self.entries.len());
        Page {
            oldest: self.oldest(),
            entries: self.entries[from..to].to_vec(),
            more: to < self.entries.len(),
        }
    }
}

impl History for ReferenceHistory {
    fn epoch(&self) -> Arc<str> {
        self.log.epoch.clone()
    }

    fn epoch_was_read(&self) -> bool {
        self.epoch_is_old
    }

    fn count(&self) -> u64 {
        0
    }

    fn submit(&mut self, requests: Vec<HistoryRequest>) {
        for request in requests {
            let answer = match request {
                HistoryRequest::Append(append) => {
                    let id = append.id.clone();
                    let room = append.room.clone();
                    HistoryReply::Appended(append.request_id, id, room, self.log.append(append))
                }
                HistoryRequest::RoomHead(room) => {
                    HistoryReply::RoomHead(room, Some(self.log.tail()))
                }
                HistoryRequest::Page(ticket, room, span, limit) => {
                    HistoryReply::Page(ticket, room, Some(self.log.page(span, limit)))
                }
                HistoryRequest::SaveModeration(..) => panic!("the model has no moderator"),
                HistoryRequest::BeginEpoch => {
                    self.begin_epoch();
                    HistoryReply::EpochBegan(Some(self.log.epoch.clone()))
                }
                HistoryRequest::Search(..) => panic!("the model does not search"),
            };
            let _ = self.sender.send(answer);
        }
    }

    fn replies(&self) -> &Receiver<HistoryReply> {
        &self.receiver
    }
}
