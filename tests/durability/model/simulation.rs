//! A server and its clients in one thread: the real core, a history, and connections on which messages wait until they
//! are delivered.

use super::Step;
use crate::log_entry::EntryChange;
use crate::model::backend::{HistoryBackend, SavedHistory};
use crate::model::completions::Completions;
use crate::model::oracle::{ExpectedLog, assert_refusal_allowed, assert_up_to_date};
use crate::support::Deadline;
use crate::transcript::Transcript;
use papo::history::{History, HistoryReply, HistoryRequest, Outcome, RequestId};
use papo::name::Name;
use papo::protocol::{ClientMessage, Credentials, Enter, ServerMessage, Token};
use papo::testing::{Chat, ClientAddr, ConnId, Effect, Event, Now, RoomId};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How far the time of an entry may be ahead of the clock, in milliseconds: a room's time does not follow small steps back.
const MAX_AHEAD_MS: u64 = 120_000;

/// A connection, with what is on its way in both directions.
pub struct ModelConn {
    to_server: VecDeque<ClientMessage>,
    pub to_client: VecDeque<ServerMessage>,
    /// Whether the person still is at the other end.
    peer_alive: bool,
}

/// A person in the model.
pub struct ModelClient {
    pub transcript: Transcript,
    conn: Option<ConnId>,
    /// Whether the lobby is open, and how many of the messages without an `ack` went out through this connection.
    joined: bool,
    sent: usize,
}

/// The server, its history, and all people.
pub struct Simulation {
    pub backend: HistoryBackend,
    pub chat: Chat,
    pub now: Now,
    pub people: Vec<ModelClient>,
    pub conns: BTreeMap<ConnId, ModelConn>,
    next_conn_id: u64,
    pub subscribers: HashMap<RoomId, Vec<ConnId>>,
    pub write_queue: VecDeque<HistoryRequest>,
    pub read_queue: VecDeque<HistoryRequest>,
    pub replies: VecDeque<HistoryReply>,
    pub completions: Completions,
    pub log: ExpectedLog,
    /// A saved state of the log.
    pub saved: Option<(SavedHistory, ExpectedLog)>,
    /// Connections that made a false claim, and how many there have been.
    pub claimants: Vec<ConnId>,
    pub claim_count: usize,
}

impl Simulation {
    pub fn new(mut backend: HistoryBackend, people: usize) -> Self {
        let chat = backend.new_chat();
        let mut simulation = Self {
            backend,
            chat,
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_700_000_000_000,
            },
            people: Vec::new(),
            conns: BTreeMap::new(),
            next_conn_id: 1,
            subscribers: HashMap::new(),
            write_queue: VecDeque::new(),
            read_queue: VecDeque::new(),
            replies: VecDeque::new(),
            completions: Completions::default(),
            log: ExpectedLog::default(),
            saved: None,
            claimants: Vec::new(),
            claim_count: 0,
        };
        (0..people).for_each(|_| simulation.add_person());
        simulation
    }

    /// Adds a person who holds nothing yet.
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
    pub fn apply(&mut self, step: Step) {
        match step {
            Step::Say(person, times) => {
                (0..times).for_each(|_| drop(self.people[person].transcript.say("")));
                self.send_unsent(person);
            }
            Step::Edit(person, which) => self.amend(person, which, EntryChange::Edit),
            Step::Erase(person, which) => self.amend(person, which, EntryChange::Erase),
            Step::Connect(person) => self.connect(person),
            Step::Cut(person) => {
                let _ = self.disconnect(person);
            }
            Step::Leave(person) => {
                if let Some(conn) = self.disconnect(person) {
                    self.conns.remove(&conn);
                    self.event(Event::Disconnected(conn, true));
                }
            }
            Step::DeliverUp(number, times) => {
                let conn = self
                    .conns
                    .keys()
                    .nth(number % self.conns.len().max(1))
                    .copied();
                conn.into_iter()
                    .for_each(|conn| self.deliver_up(conn, times));
            }
            Step::DeliverDown(person, times) => {
                let _ = (0..times).take_while(|_| self.deliver_down(person)).count();
            }
            Step::Store(times) => {
                self.process_queue(times, |simulation| &mut simulation.write_queue);
            }
            Step::Read(times) => self.process_queue(times, |simulation| &mut simulation.read_queue),
            Step::DeliverReply(times) => {
                let _ = (0..times).take_while(|_| self.deliver_reply()).count();
            }
            Step::Trim(count) => self.trim(count),
            Step::Crash => self.crash(),
            Step::Save => self.save(),
            Step::GoBack => self.go_back(),
            Step::GoBackUnnoticed => self.go_back_unnoticed(),
            Step::FalseClaim => self.claim_falsely(),
            Step::JumpClock(hours) => {
                self.now.unix_ms = self.now.unix_ms.saturating_add_signed(hours * 3_600_000);
            }
            Step::Drain => self.drain(),
            Step::Elapse => {
                self.now.instant += Duration::from_secs(40);
                self.now.unix_ms += 40_000;
                self.chat.tick(self.now);
                self.run_effects();
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
        let log = &mut self.people[person].transcript;
        let enter = ClientMessage::Enter(Enter {
            name: Name::new(&log.name).unwrap(),
            token: Token::new(&format!("{person}-0123456789abcdef")),
            room: None,
            resume: log.since(),
            local_key: None,
            credentials: Credentials::default(),
        });
        let conn = self.new_conn(enter);
        let state = &mut self.people[person];
        state.conn = Some(conn);
        state.joined = false;
        state.sent = 0;
        // At once: a connection that does not enter is closed.
        self.deliver_up(conn, 1);
    }

    /// A new connection whose first message is on its way.
    fn new_conn(&mut self, enter: ClientMessage) -> ConnId {
        let conn = ConnId(self.next_conn_id);
        self.next_conn_id += 1;
        self.event(Event::Connected(conn, ClientAddr::LOCAL));
        self.conns.insert(
            conn,
            ModelConn {
                to_server: [enter].into(),
                to_client: VecDeque::new(),
                peer_alive: true,
            },
        );
        conn
    }

    /// A connection of nobody in the model, which enters at once.
    pub fn open_conn(&mut self, enter: ClientMessage) -> ConnId {
        let conn = self.new_conn(enter);
        self.deliver_up(conn, 1);
        conn
    }

    /// The person loses the connection, and with it everything not received yet.
    fn disconnect(&mut self, person: usize) -> Option<ConnId> {
        let conn = self.people[person].conn.take()?;
        self.people[person].joined = false;
        if let Some(model_conn) = self.conns.get_mut(&conn) {
            model_conn.peer_alive = false;
        }
        Some(conn)
    }

    fn deliver_up(&mut self, conn: ConnId, times: usize) {
        for _ in 0..times {
            let Some(model_conn) = self.conns.get_mut(&conn) else {
                return;
            };
            match model_conn.to_server.pop_front() {
                Some(message) => self.event(Event::Request(conn, message.into())),
                None if model_conn.peer_alive => return,
                None => {
                    self.conns.remove(&conn);
                    self.event(Event::Disconnected(conn, false));
                }
            }
        }
    }

    /// A person receives one message; false when there is none.
    fn deliver_down(&mut self, person: usize) -> bool {
        let state = &mut self.people[person];
        let Some(model_conn) = state.conn.and_then(|conn| self.conns.get_mut(&conn)) else {
            return false;
        };
        let Some(message) = model_conn.to_client.pop_front() else {
            return false;
        };
        assert!(!matches!(message, ServerMessage::Bye { .. }), "{message:?}");
        let waited = state.transcript.unacked.len();
        let held = state.transcript.entries.len();
        if let ServerMessage::Error(refusal) = &message {
            let change = state.transcript.take_refused(refusal);
            assert_refusal_allowed(&self.log, &state.transcript.name, refusal, change);
        }
        match &message {
            ServerMessage::Joined { seq, entries, .. } => {
                assert_up_to_date(&self.log, entries, *seq);
            }
            ServerMessage::History { entries, .. } => {
                assert_up_to_date(
                    &self.log,
                    entries,
                    entries.last().map_or(0, |entry| entry.seq),
                );
            }
            _ => {}
        }
        let page = state.transcript.receive(&message);
        state.sent = state
            .sent
            .saturating_sub(waited - state.transcript.unacked.len());
        state.joined |= matches!(message, ServerMessage::Joined { .. });
        model_conn
            .to_server
            .extend(state.transcript.next_page_request().filter(|_| page));
        let reset = matches!(message, ServerMessage::Joined { reset: true, .. });
        for line in &state.transcript.entries[if reset { 0 } else { held }..] {
            let forms = self.log.versions.get(line.seq as usize - 1);
            assert!(
                forms.is_some_and(|forms| forms.iter().any(|form| form.entry == *line)),
                "shown, and not stored like that: {line:?}"
            );
        }
        if let ServerMessage::Joined { oldest, .. } | ServerMessage::History { oldest, .. } =
            message
        {
            assert!(
                oldest <= self.log.trimmed + 1,
                "{oldest} is not the oldest: only {} are gone",
                self.log.trimmed
            );
        }
        self.send_unsent(person);
        true
    }

    fn send_unsent(&mut self, person: usize) {
        let state = &mut self.people[person];
        let Some(model_conn) = state
            .conn
            .filter(|_| state.joined)
            .and_then(|conn| self.conns.get_mut(&conn))
        else {
            return;
        };
        for said in state.transcript.unacked.iter().skip(state.sent) {
            model_conn.to_server.push_back(said.to_request());
        }
        state.sent = state.transcript.unacked.len();
    }

    /// The history answers so many of the requests that wait in one of its queues.
    fn process_queue(
        &mut self,
        times: usize,
        queue: fn(&mut Self) -> &mut VecDeque<HistoryRequest>,
    ) {
        let queue = queue(self);
        let requests: Vec<HistoryRequest> = queue.drain(..times.min(queue.len())).collect();
        let mut waiting = requests.len();
        let times: HashMap<RequestId, u64> = requests.iter().filter_map(appended_at).collect();
        let mut stored = Vec::new();
        let deadline = Deadline::of_one_event();
        let history = self.backend.history();
        history.submit(requests);
        while waiting > 0 {
            let answer = history.replies().recv_timeout(deadline.left()).unwrap();
            waiting -= usize::from(!matches!(answer, HistoryReply::Trimmed(..)));
            if let HistoryReply::Appended(request, _, _, Outcome::Stored(entry)) = &answer {
                let late = entry.at.checked_sub(times[request]);
                assert!(
                    late.is_some_and(|late| late <= MAX_AHEAD_MS),
                    "a time from another clock: {entry:?}"
                );
                stored.push(entry.clone());
            }
            self.replies.push_back(answer);
        }
        stored
            .iter()
            .for_each(|entry| self.log.record_stored(entry));
    }

    /// The core gets one reply of the history; false when there is none.
    fn deliver_reply(&mut self) -> bool {
        let Some(answer) = self.replies.pop_front() else {
            return false;
        };
        self.event(Event::HistoryReplied(answer));
        true
    }

    fn trim(&mut self, count: usize) {
        let HistoryBackend::Reference(history) = &mut self.backend else {
            return;
        };
        history.trim(count);
        self.log.trimmed = (self.log.trimmed + count as u64).min(self.log.length());
        self.replies.extend(history.replies().try_iter());
    }

    /// Does everything that waits anywhere, until nothing does.
    pub fn drain(&mut self) {
        loop {
            let conns: Vec<ConnId> = self.conns.keys().copied().collect();
            conns
                .into_iter()
                .for_each(|conn| self.deliver_up(conn, usize::MAX));
            self.process_queue(usize::MAX, |simulation| &mut simulation.write_queue);
            self.process_queue(usize::MAX, |simulation| &mut simulation.read_queue);
            while self.deliver_reply() {}
            self.chat.tick(self.now);
            self.run_effects();
            self.deliver_to_claimants();
            let received = (0..self.people.len())
                .map(|person| {
                    std::iter::repeat_with(|| self.deliver_down(person))
                        .take_while(|received| *received)
                        .count()
                })
                .sum::<usize>();
            if received == 0
                && self.write_queue.is_empty()
                && self.read_queue.is_empty()
                && self.conns.values().all(|conn| conn.to_server.is_empty())
            {
                self.completions.assert_complete();
                return;
            }
        }
    }

    fn event(&mut self, event: Event) {
        if let Event::Request(conn, request) = &event {
            self.completions.requested(*conn, &request.message);
        }
        self.chat.handle(event, self.now);
        self.run_effects();
    }

    fn run_effects(&mut self) {
        for effect in self.chat.take_effects() {
            match effect {
                Effect::Send(conn, message) => self.send_down(conn, message),
                Effect::Multicast(conns, message) | Effect::Close(conns, _, message) => {
                    for conn in conns {
                        self.send_down(conn, message.clone());
                    }
                }
                Effect::Broadcast(channel, message, except) => {
                    for conn in self.subscribers.get(&channel).cloned().unwrap_or_default() {
                        if Some(conn) != except {
                            self.send_down(conn, message.clone());
                        }
                    }
                }
                Effect::Subscribe(conn, channel) => {
                    self.subscribers.entry(channel).or_default().push(conn);
                }
                Effect::Unsubscribe(conn, channel) => {
                    self.subscribers
                        .entry(channel)
                        .or_default()
                        .retain(|other| *other != conn);
                }
                Effect::Submit(job @ (HistoryRequest::Append(_) | HistoryRequest::BeginEpoch)) => {
                    self.write_queue.push_back(job);
                }
                Effect::Password(_) => panic!("the model sets no password"),
                Effect::Submit(job) => self.read_queue.push_back(job),
                Effect::RequestDone(conn) => self.completions.request_done(conn),
                Effect::BulkDone(conn) => self.completions.bulk_done(conn),
            }
        }
    }

    fn send_down(&mut self, conn: ConnId, message: ServerMessage) {
        if let Some(model_conn) = self.conns.get_mut(&conn).filter(|conn| conn.peer_alive) {
            model_conn.to_client.push_back(message);
        }
    }
}

/// The time with which a message was submitted.
fn appended_at(request: &HistoryRequest) -> Option<(RequestId, u64)> {
    match request {
        HistoryRequest::Append(append) => Some((append.request_id, append.at)),
        _ => None,
    }
}
