//! The durable log without a server: ten senders keep it as busy as the hub would, and one reader.

use crate::load::proc::status_kib;
use crate::load::process::own_proc_dir;
use crate::load::text::Sentences;
use papo::auth::PersonId;
use papo::history::sqlite::SqliteHistory;
use papo::history::{Append, History, HistoryReply, HistoryRequest, Outcome, RequestId};
use papo::name::RoomName;
use papo::protocol::PageRequest;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SENDERS: u64 = 10;
/// Messages without an answer: each sender's window.
const IN_FLIGHT: u64 = SENDERS * 32;
/// One of so many messages has the rare word, and the first.
const RARE_EVERY: u64 = 100_000;

/// An open log and how much was written to it.
pub struct LogDriver {
    history: SqliteHistory,
    room: RoomName,
    people: Vec<(PersonId, Arc<str>)>,
    asked: u64,
    stored: u64,
    sentences: Sentences,
}

impl LogDriver {
    /// Opens or begins a log.
    pub fn open(path: &Path) -> Self {
        let history = SqliteHistory::open(path, None).expect("the log can be opened");
        let people = (0..SENDERS)
            .map(|n| (person(n as u8), format!("p{n}").into()))
            .collect();
        let count = history.count();
        Self {
            history,
            room: RoomName::lobby(),
            people,
            asked: count,
            stored: count,
            sentences: Sentences::new(1),
        }
    }

    /// Stores messages until there are so many.
    pub fn grow_to(&mut self, entries: u64) {
        while self.stored < entries {
            self.ask_to_store(IN_FLIGHT.min(entries - self.stored));
            self.take_stored();
        }
    }

    /// Stores this many messages more, exactly so many in each transaction: the log can't begin with a part of them while
    /// this other connection to its file holds the lock.
    pub fn store_in_batches(&mut self, messages: u64, batch: u64, lock: &Connection) {
        let entries = self.stored + messages;
        while self.stored < entries {
            let run = |sql| lock.execute_batch(sql).expect("the file can be locked");
            if batch > 1 {
                run("BEGIN IMMEDIATE");
            }
            self.ask_to_store(batch.min(entries - self.stored));
            if batch > 1 {
                run("ROLLBACK");
            }
            while self.stored < self.asked {
                self.take_stored();
            }
        }
    }

    /// Submits messages until so many wait for their answer.
    fn ask_to_store(&mut self, in_flight: u64) {
        let mut requests = Vec::new();
        while self.asked - self.stored < in_flight {
            self.asked += 1;
            requests.push(self.message());
        }
        self.history.submit(requests);
    }

    /// Takes the answers that are there, at least one.
    fn take_stored(&mut self) {
        let first = self.history.replies().recv().expect("the log answers");
        let more: Vec<HistoryReply> = self.history.replies().try_iter().collect();
        for answer in std::iter::once(first).chain(more) {
            let HistoryReply::Appended(_, _, _, Outcome::Stored(entry)) = answer else {
                panic!("{answer:?}")
            };
            self.stored += 1;
            assert_eq!(entry.seq, self.stored, "an entry out of place");
        }
    }

    fn message(&mut self) -> HistoryRequest {
        let text = self.text();
        let (person, from) = self.people[(self.asked % SENDERS) as usize].clone();
        HistoryRequest::Append(Append {
            request_id: RequestId(self.asked % SENDERS),
            person,
            id: format!("{:016x}", self.asked),
            room: self.room.clone(),
            room_owner: None,
            from,
            tag: "aaaaaaaa".into(),
            text,
            action: false,
            reply_to: None,
            amends: None,
            any_author: false,
            refused: None,
            at: 1_700_000_000_000 + self.asked,
        })
    }

    /// About 128 bytes.
    fn text(&mut self) -> String {
        let mut text = String::with_capacity(140);
        if self.asked == 1 || self.asked.is_multiple_of(RARE_EVERY) {
            text.push_str("jabuticaba que ");
        }
        self.sentences.extend(&mut text, 122);
        text
    }

    /// How long the room's state takes to come.
    pub fn room_head(&mut self) -> Duration {
        let (answer, time) = self.ask(HistoryRequest::RoomHead(self.room.clone()));
        let HistoryReply::RoomHead(_, Some(tail)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(
            tail.seq, self.stored,
            "the log is shorter than what was stored"
        );
        time
    }

    /// How long a page takes to come; it must end with this entry.
    pub fn page(&mut self, request: PageRequest, last: u64) -> Duration {
        let (answer, time) = self.ask(HistoryRequest::Page(
            RequestId(0),
            self.room.clone(),
            request,
            200,
        ));
        let HistoryReply::Page(_, _, Some(page)) = answer else {
            panic!("{answer:?}")
        };
        let seqs: Vec<u64> = page.entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(
            seqs,
            (last + 1 - seqs.len() as u64..=last).collect::<Vec<_>>(),
            "a page with a hole"
        );
        time
    }

    /// How long a search takes; it must find something.
    pub fn search(&mut self, query: &str) -> Duration {
        let (answer, time) = self.ask(HistoryRequest::Search(
            RequestId(0),
            self.room.clone(),
            query.into(),
            50,
        ));
        let HistoryReply::Found(_, _, _, Some(page)) = answer else {
            panic!("{answer:?}")
        };
        assert!(!page.entries.is_empty(), "{query} was not found");
        time
    }

    fn ask(&mut self, request: HistoryRequest) -> (HistoryReply, Duration) {
        let start = Instant::now();
        self.history.submit(vec![request]);
        let answer = self.history.replies().recv().expect("the log answers");
        (answer, start.elapsed())
    }

    /// This process's memory in MiB.
    pub fn resident(&self) -> f64 {
        status_kib(own_proc_dir(), "VmRSS:") as f64 / 1024.0
    }
}

fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}
