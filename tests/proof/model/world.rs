//! A server and its clients in one thread: the real hub, a log, and wires on which everything waits until it is carried.

use super::Step;
use super::home::Home;
use super::truth::{Form, are_up_to_date, may_be_refused};
use crate::line::{EntryChange, LogEntry};
use crate::stage::Deadline;
use crate::transcript::Transcript;
use papo::delivery::RoomId;
use papo::history::{History, HistoryReply, HistoryRequest, Outcome};
use papo::hub::{Chat, Effect, Event, Now};
use papo::link::{ClientAddr, ConnId};
use papo::name::Name;
use papo::protocol::{ClientMessage, Credentials, ServerMessage, Token};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

/// A connection, with what is on its way in both directions.
struct ModelConn {
    to_server: VecDeque<ClientMessage>,
    to_client: VecDeque<ServerMessage>,
    /// Whether the person still is at the other end.
    peer_alive: bool,
}

/// Somebody in the model.
pub struct ModelClient {
    pub transcript: Transcript,
    conn: Option<ConnId>,
    /// Whether the lobby is open, and how many of the messages without an `ack` went out through this wire.
    joined: bool,
    sent: usize,
}

/// The server, its log, and everybody around it.
pub struct World {
    pub home: Home,
    hub: Chat,
    now: Now,
    pub people: Vec<ModelClient>,
    wires: BTreeMap<ConnId, ModelConn>,
    next: u64,
    hears: HashMap<RoomId, Vec<ConnId>>,
    to_store: VecDeque<HistoryRequest>,
    to_read: VecDeque<HistoryRequest>,
    answers: VecDeque<HistoryReply>,
    /// What the log must hold, from what was stored; and up to where it was trimmed.
    pub truth: Vec<LogEntry>,
    pub trimmed: u64,
    /// Each line of the log in all the forms that it ever had, the first one first.
    pub forms: Vec<Vec<Form>>,
}

impl World {
    pub fn new(mut home: Home, people: usize) -> Self {
        let hub = home.hub();
        let mut world = Self {
            home,
            hub,
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_000_000,
            },
            people: Vec::new(),
            wires: BTreeMap::new(),
            next: 1,
            hears: HashMap::new(),
            to_store: VecDeque::new(),
            to_read: VecDeque::new(),
            answers: VecDeque::new(),
            truth: Vec::new(),
            trimmed: 0,
            forms: Vec::new(),
        };
        (0..people).for_each(|_| world.add_person());
        world
    }

    /// Somebody more, who holds nothing yet.
    pub fn add_person(&mut self) {
        let mut log = Transcript::new(&format!("Pessoa {}", self.people.len()));
        // Small pages, so that there are many.
        log.page_limit = Some(7);
        self.people.push(ModelClient {
            transcript: log,
            conn: None,
            joined: false,
            sent: 0,
        });
    }

    /// Takes one step.
    pub fn happens(&mut self, step: Step) {
        match step {
            Step::Say(person, times) => {
                (0..times).for_each(|_| drop(self.people[person].transcript.say("")));
                self.send_unsent(person);
            }
            Step::Edit(person, which) => self.amend(person, which, EntryChange::Edit),
            Step::Erase(person, which) => self.amend(person, which, EntryChange::Erase),
            Step::Connect(person) => self.connect(person),
            Step::Cut(person) => {
                let _ = self.let_go(person);
            }
            Step::Leave(person) => {
                if let Some(conn) = self.let_go(person) {
                    self.wires.remove(&conn);
                    self.event(Event::Disconnected(conn, true));
                }
            }
            Step::Carry(number, times) => {
                let conn = self
                    .wires
                    .keys()
                    .nth(number % self.wires.len().max(1))
                    .copied();
                conn.into_iter().for_each(|conn| self.carry(conn, times));
            }
            Step::Hear(person, times) => {
                let _ = (0..times).take_while(|_| self.hear(person)).count();
            }
            Step::Store(times) => self.work(times, |world| &mut world.to_store),
            Step::Read(times) => self.work(times, |world| &mut world.to_read),
            Step::Tell(times) => {
                let _ = (0..times).take_while(|_| self.tell()).count();
            }
            Step::Trim(count) => self.trim(count),
            Step::Crash => self.crash(),
            Step::Settle => self.settle(),
            Step::Wait => {
                self.now.instant += Duration::from_secs(40);
                self.now.unix_ms += 40_000;
                self.hub.tick(self.now);
                self.carry_out();
            }
        }
    }

    /// A person wants to change one of the last lines that they see, whosever it is.
    fn amend(&mut self, person: usize, which: usize, change: fn(u64) -> EntryChange) {
        let log = &mut self.people[person].transcript;
        let Some(line) = log.entries.iter().rev().nth(which) else {
            return;
        };
        let change = change(line.seq);
        log.amend(change);
        self.send_unsent(person);
    }

    fn connect(&mut self, person: usize) {
        if self.people[person].conn.is_some() {
            return;
        }
        let conn = ConnId(self.next);
        self.next += 1;
        self.event(Event::Connected(conn, ClientAddr::LOCAL));
        let log = &self.people[person].transcript;
        let (name, token) = (
            Name::new(&log.name).unwrap(),
            Token::new(&format!("{person}-0123456789abcdef")),
        );
        let enter = ClientMessage::Enter {
            name,
            token,
            room: None,
            resume: log.since(),
            local_key: None,
            credentials: Credentials::default(),
        };
        self.wires.insert(
            conn,
            ModelConn {
                to_server: [enter].into(),
                to_client: VecDeque::new(),
                peer_alive: true,
            },
        );
        let state = &mut self.people[person];
        (state.conn, state.joined, state.sent) = (Some(conn), false, 0);
        // Nobody waits with the first word, or the hub would close the connection.
        self.carry(conn, 1);
    }

    /// The person loses the connection, and with it everything not heard yet.
    fn let_go(&mut self, person: usize) -> Option<ConnId> {
        let conn = self.people[person].conn.take()?;
        self.people[person].joined = false;
        if let Some(wire) = self.wires.get_mut(&conn) {
            wire.peer_alive = false;
        }
        Some(conn)
    }

    fn carry(&mut self, conn: ConnId, times: usize) {
        for _ in 0..times {
            let Some(wire) = self.wires.get_mut(&conn) else {
                return;
            };
            match wire.to_server.pop_front() {
                Some(message) => self.event(Event::Request(conn, message)),
                None if wire.peer_alive => return,
                None => {
                    self.wires.remove(&conn);
                    self.event(Event::Disconnected(conn, false));
                }
            }
        }
    }

    /// A person hears one word; false when there is none.
    fn hear(&mut self, person: usize) -> bool {
        let state = &mut self.people[person];
        let Some(wire) = state.conn.and_then(|conn| self.wires.get_mut(&conn)) else {
            return false;
        };
        let Some(word) = wire.to_client.pop_front() else {
            return false;
        };
        assert!(!matches!(word, ServerMessage::Bye { .. }), "{word:?}");
        let (waited, held) = (
            state.transcript.unacked.len(),
            state.transcript.entries.len(),
        );
        if let ServerMessage::Error(refusal) = &word {
            let change = state.transcript.take_refused(refusal);
            may_be_refused(
                &self.truth,
                self.trimmed,
                &state.transcript.name,
                refusal,
                change,
            );
        }
        match &word {
            ServerMessage::Joined { seq, entries, .. } => {
                are_up_to_date(&self.forms, entries, *seq)
            }
            ServerMessage::History { entries, .. } => {
                are_up_to_date(
                    &self.forms,
                    entries,
                    entries.last().map_or(0, |entry| entry.seq),
                );
            }
            _ => {}
        }
        let page = state.transcript.receive(&word);
        state.sent = state
            .sent
            .saturating_sub(waited - state.transcript.unacked.len());
        state.joined |= matches!(word, ServerMessage::Joined { .. });
        wire.to_server
            .extend(state.transcript.next_page_request().filter(|_| page));
        let reset = matches!(word, ServerMessage::Joined { reset: true, .. });
        for line in &state.transcript.entries[if reset { 0 } else { held }..] {
            let forms = self.forms.get(line.seq as usize - 1);
            assert!(
                forms.is_some_and(|forms| forms.iter().any(|form| form.line == *line)),
                "shown, and not stored like that: {line:?}"
            );
        }
        if let ServerMessage::Joined { oldest, .. } | ServerMessage::History { oldest, .. } = word {
            assert!(
                oldest <= self.trimmed + 1,
                "{oldest} is not the oldest: only {} are gone",
                self.trimmed
            );
        }
        self.send_unsent(person);
        true
    }

    fn send_unsent(&mut self, person: usize) {
        let state = &mut self.people[person];
        let Some(wire) = state
            .conn
            .filter(|_| state.joined)
            .and_then(|conn| self.wires.get_mut(&conn))
        else {
            return;
        };
        for said in state.transcript.unacked.iter().skip(state.sent) {
            wire.to_server.push_back(said.to_request());
        }
        state.sent = state.transcript.unacked.len();
    }

    /// The log does so many of the jobs that wait in one of its queues.
    fn work(&mut self, times: usize, queue: fn(&mut Self) -> &mut VecDeque<HistoryRequest>) {
        let queue = queue(self);
        let jobs: Vec<HistoryRequest> = queue.drain(..times.min(queue.len())).collect();
        let (mut waiting, deadline, mut stored) =
            (jobs.len(), Deadline::within_seconds(60), Vec::new());
        let history = self.home.history();
        history.submit(jobs);
        while waiting > 0 {
            let answer = history.replies().recv_timeout(deadline.left()).unwrap();
            waiting -= usize::from(!matches!(answer, HistoryReply::Trimmed(..)));
            if let HistoryReply::Appended(_, _, _, Outcome::Stored(entry)) = &answer {
                stored.push(entry.clone());
            }
            self.answers.push_back(answer);
        }
        stored.iter().for_each(|entry| self.store(entry));
    }

    /// The hub hears one answer of the log; false when there is none.
    fn tell(&mut self) -> bool {
        let Some(answer) = self.answers.pop_front() else {
            return false;
        };
        self.event(Event::HistoryReplied(answer));
        true
    }

    fn trim(&mut self, count: usize) {
        let Home::Shelf(shelf) = &mut self.home else {
            return;
        };
        shelf.trim(count);
        self.trimmed = (self.trimmed + count as u64).min(self.truth.len() as u64);
        self.answers.extend(shelf.replies().try_iter());
    }

    /// The server ends: what was not stored is lost, and so is every answer that nobody heard.
    fn crash(&mut self) {
        for person in 0..self.people.len() {
            let _ = self.let_go(person);
        }
        self.wires.clear();
        self.hears.clear();
        self.to_store.clear();
        self.to_read.clear();
        self.answers.clear();
        self.home.crash();
        self.hub = self.home.hub();
        if matches!(self.home, Home::Memory(_)) {
            (self.truth, self.trimmed, self.forms) = (Vec::new(), 0, Vec::new());
        }
    }

    /// Does everything that waits anywhere, until nothing does.
    pub fn settle(&mut self) {
        loop {
            let wires: Vec<ConnId> = self.wires.keys().copied().collect();
            wires
                .into_iter()
                .for_each(|conn| self.carry(conn, usize::MAX));
            self.work(usize::MAX, |world| &mut world.to_store);
            self.work(usize::MAX, |world| &mut world.to_read);
            while self.tell() {}
            let heard = (0..self.people.len())
                .map(|person| {
                    std::iter::repeat_with(|| self.hear(person))
                        .take_while(|heard| *heard)
                        .count()
                })
                .sum::<usize>();
            if heard == 0
                && self.to_store.is_empty()
                && self.to_read.is_empty()
                && self.wires.values().all(|wire| wire.to_server.is_empty())
            {
                return;
            }
        }
    }

    fn event(&mut self, event: Event) {
        self.hub.handle(event, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        for effect in self.hub.take_effects() {
            match effect {
                Effect::Send(conn, message) | Effect::Close(conn, _, message) => {
                    self.down(conn, message)
                }
                Effect::Broadcast(channel, message, except) => {
                    for conn in self.hears.get(&channel).cloned().unwrap_or_default() {
                        if Some(conn) != except {
                            self.down(conn, message.clone());
                        }
                    }
                }
                Effect::Subscribe(conn, channel) => {
                    self.hears.entry(channel).or_default().push(conn)
                }
                Effect::Unsubscribe(conn, channel) => {
                    self.hears
                        .entry(channel)
                        .or_default()
                        .retain(|other| *other != conn);
                }
                Effect::Submit(job @ HistoryRequest::Append(_)) => self.to_store.push_back(job),
                Effect::Submit(job) => self.to_read.push_back(job),
                Effect::RequestDone(_) | Effect::BulkDone(_) => {}
            }
        }
    }

    fn down(&mut self, conn: ConnId, message: ServerMessage) {
        if let Some(wire) = self.wires.get_mut(&conn).filter(|wire| wire.peer_alive) {
            wire.to_client.push_back(message);
        }
    }
}
