//! The rules of the conversation: who is there, in which rooms, who may say what, and who hears of it.
//!
//! A plain state machine. Events go in with the time they happened at, effects come out in the order they must be
//! carried out; its rules are tested by calling [`Hub::handle`] with a hand-turned clock. It is the only owner of people
//! and rooms. It never waits: what the history has to answer comes back as another event.
//!
//! Knows people, rooms and rules; never knows TCP, HTTP, SQL, the clock or how anything is sent.

mod closing;
mod edits;
mod entry;
pub mod limits;
mod membership;
mod messages;
mod moderation;
mod people;
mod presence;
mod rename;
mod room_log;
mod rooms;

use crate::history::{HistoryReply, HistoryRequest};
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::protocol::{ByeCode, ClientMessage, ErrorCode, Refusal, ServerMessage, Token};
use crate::rate::TokenBucket;
use limits::{MAX_MALFORMED, Rules};
use moderation::{ModerationState, notices};
use people::{People, PersonKey};
use rooms::Rooms;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Under this name the log is told what hosts do. It is written down however little else is asked for: whoever keeps
/// order in public answers for it.
pub const AUDIT_LOG: &str = "papo::organizacao";

/// A moment, by both clocks: one for measuring, one for showing.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Never goes back; every rule counts with this one.
    pub instant: Instant,
    /// Unix milliseconds, as shown to people.
    pub unix_ms: u64,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A connection was upgraded and may speak.
    Connected(ConnId, ClientAddr),
    /// A connection said something that makes sense.
    Request(ConnId, ClientMessage),
    /// A connection said something that makes none.
    Malformed(ConnId, Refusal),
    /// A connection is over. True if it said goodbye: a close frame with the code 1000.
    Disconnected(ConnId, bool),
    /// The history answered.
    HistoryReplied(HistoryReply),
    /// The server stops.
    Stop,
}

/// Something to be carried out.
#[derive(Debug)]
pub enum Effect {
    /// Send to one connection.
    Send(ConnId, ServerMessage),
    /// Send to everybody in a room but, if given, one connection.
    Broadcast(RoomId, ServerMessage, Option<ConnId>),
    /// From now on the connection hears the room.
    Subscribe(ConnId, RoomId),
    /// From now on the connection doesn't hear the room.
    Unsubscribe(ConnId, RoomId),
    /// Something for the history.
    Submit(HistoryRequest),
    /// One message of this connection has its answer: it may send another.
    RequestDone(ConnId),
    /// One errand of this connection (entering, opening a room, a page, a search) has its answer.
    BulkDone(ConnId),
    /// Say goodbye with this close code.
    Close(ConnId, u16, ServerMessage),
}

/// One upgraded connection.
struct Conn {
    address: ClientAddr,
    /// Who entered through it.
    person: Option<PersonKey>,
    /// The secret it entered with, told again when the name changes. Never printed, never stored.
    token: Option<Token>,
    rooms: Vec<RoomId>,
    /// Rooms asked for that the history has not opened yet.
    pending_joins: usize,
    /// `None` is without limit.
    request_bucket: Option<TokenBucket>,
    malformed_count: u32,
    malformed_since: Instant,
    closing: bool,
}

/// The state of the conversation.
pub struct Chat {
    rules: Rules,
    epoch: Arc<str>,
    conns: HashMap<ConnId, Conn>,
    people: People,
    rooms: Rooms,
    moderation: ModerationState,
    /// Connections in the order in which they must have entered.
    entry_deadlines: VecDeque<(Instant, ConnId)>,
    /// When the places and names of dropped people are given up; entries may be outdated.
    grace_queue: BinaryHeap<Reverse<(Instant, PersonKey)>>,
    /// Rooms whose gathered changes are to be told; a room is in here at most once.
    presence_queue: VecDeque<(Instant, RoomId)>,
    effects: Vec<Effect>,
    stopping: bool,
}

impl Chat {
    /// An empty conversation whose log has this epoch.
    pub fn new(rules: Rules, epoch: Arc<str>) -> Self {
        Self {
            rules,
            epoch,
            conns: HashMap::new(),
            people: People::default(),
            rooms: Rooms::default(),
            moderation: ModerationState::default(),
            entry_deadlines: VecDeque::new(),
            grace_queue: BinaryHeap::new(),
            presence_queue: VecDeque::new(),
            effects: Vec::new(),
            stopping: false,
        }
    }

    /// People who are there, dropped ones within their grace included.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// People who can be told something now.
    pub fn people_connected(&self) -> usize {
        self.people.connected()
    }

    /// Rooms that are open.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// What is to be carried out since this was last called, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes in one event.
    pub fn handle(&mut self, event: Event, now: Now) {
        match event {
            Event::Connected(conn, address) => self.connected(conn, address, now),
            Event::Request(conn, message) => self.handle_request(conn, message, now),
            Event::Malformed(conn, refusal) => self.malformed(conn, refusal, now),
            Event::Disconnected(conn, clean) => self.disconnected(conn, clean, now),
            Event::HistoryReplied(reply) => self.history_replied(reply, now),
            Event::Stop => self.stop(),
        }
    }

    /// When [`Hub::tick`] has something to do.
    pub fn next_tick(&self) -> Option<Instant> {
        let entry = self.entry_deadlines.front().map(|(at, _)| *at);
        let grace = self.grace_queue.peek().map(|Reverse((at, _))| *at);
        let presence = self.presence_queue.front().map(|(at, _)| *at);
        [entry, grace, presence].into_iter().flatten().min()
    }

    /// Does what is due: closes who has not entered, gives up who has not come back, tells what was gathered.
    pub fn tick(&mut self, now: Now) {
        while let Some((at, conn)) = self.entry_deadlines.front().copied() {
            let entered = self
                .conns
                .get(&conn)
                .is_none_or(|conn| conn.person.is_some());
            if !entered && at > now.instant {
                break;
            }
            self.entry_deadlines.pop_front();
            if !entered {
                let text =
                    "Você não entrou na conversa a tempo. Conecte-se de novo quando quiser entrar.";
                self.close(conn, 1008, ByeCode::Idle, text);
            }
        }
        self.expire_grace(now);
        self.publish_due(now);
    }

    fn connected(&mut self, conn: ConnId, address: ClientAddr, now: Now) {
        let state = Conn {
            address,
            person: None,
            token: None,
            rooms: Vec::new(),
            pending_joins: 0,
            request_bucket: self.rules.request_bucket(now.instant),
            malformed_count: 0,
            malformed_since: now.instant,
            closing: false,
        };
        self.conns.insert(conn, state);
        if self.stopping {
            self.send_shutdown(conn, 1000);
        } else {
            self.entry_deadlines
                .push_back((now.instant + self.rules.entry_timeout, conn));
        }
    }

    fn handle_request(&mut self, conn: ConnId, message: ClientMessage, now: Now) {
        let id = message.id().map(str::to_owned);
        let bulk = message.is_bulk();
        if let Err(refusal) = self.dispatch(conn, message, now) {
            let refusal = match &id {
                Some(id) => refusal.with_id(id),
                None => refusal,
            };
            let banned = (refusal.code == ErrorCode::Banned).then_some(refusal.retry_after_ms);
            self.send(conn, ServerMessage::Error(refusal));
            if let Some(retry_after_ms) = banned {
                self.close_with(conn, 1008, notices::bye_banned(retry_after_ms));
            }
            if id.is_some() {
                self.effects.push(Effect::RequestDone(conn));
            }
            if bulk {
                self.effects.push(Effect::BulkDone(conn));
            }
        }
    }

    fn dispatch(&mut self, conn: ConnId, message: ClientMessage, now: Now) -> Result<(), Refusal> {
        // A closed connection may still have words on the way; nobody waits for an answer to them.
        let Some(state) = self.conns.get(&conn).filter(|state| !state.closing) else {
            return Ok(());
        };
        let who = state.person;
        match (&message, who) {
            (ClientMessage::Ping, _) => {
                self.send(conn, ServerMessage::Pong);
                return Ok(());
            }
            (ClientMessage::Enter(_), None) => {}
            (ClientMessage::Enter(_), Some(_)) => {
                return Err(Refusal::new(ErrorCode::AlreadyEntered));
            }
            (_, None) => return Err(Refusal::new(ErrorCode::NotEntered)),
            (_, Some(_)) => {}
        }
        // What has an id is counted as speech.
        let speaks = message.id().is_some() || matches!(message, ClientMessage::Typing(_));
        if !speaks {
            self.check_request_rate(conn, now)?;
        }
        match message {
            ClientMessage::Enter(enter) => self.enter(conn, enter, now),
            ClientMessage::Join(join) => {
                let given = join.room_password.as_ref();
                self.check_room_password(conn, who, &join.room, given, now)?;
                self.join(conn, join.room, join.resume, now)
            }
            ClientMessage::Leave(leave) => self.leave(conn, &leave.room, now),
            ClientMessage::Rename(rename) => self.rename(conn, rename.name, now),
            ClientMessage::Rooms => self.list_rooms(conn),
            ClientMessage::RoomPassword(change) => {
                self.set_room_password(conn, &change.room, change.password, now)
            }
            ClientMessage::Moderate(act) => self.moderate(conn, act, now),
            message => self.dispatch_message(conn, message, now),
        }
    }

    fn check_request_rate(&mut self, conn: ConnId, now: Now) -> Result<(), Refusal> {
        let state = self.conns.get_mut(&conn);
        match state.and_then(|state| state.request_bucket.as_mut()) {
            Some(bucket) => bucket.try_take(now.instant).map_err(too_fast),
            None => Ok(()),
        }
    }

    fn malformed(&mut self, conn: ConnId, refusal: Refusal, now: Now) {
        let Some(state) = self.conns.get_mut(&conn).filter(|state| !state.closing) else {
            return;
        };
        let seconds_since = now
            .instant
            .saturating_duration_since(state.malformed_since)
            .as_secs();
        state.malformed_count = state
            .malformed_count
            .saturating_sub(u32::try_from(seconds_since).unwrap_or(u32::MAX))
            + 1;
        if seconds_since > 0 {
            state.malformed_since = now.instant;
        }
        let too_many = state.malformed_count > MAX_MALFORMED;
        self.send(conn, ServerMessage::Error(refusal));
        if too_many {
            let text =
                "Foram mensagens demais que não fazem sentido. Este programa é de outra versão?";
            self.close(conn, 1008, ByeCode::Protocol, text);
        }
    }

    fn history_replied(&mut self, reply: HistoryReply, now: Now) {
        match reply {
            HistoryReply::Appended(request_id, id, room, outcome) => {
                self.appended(ConnId(request_id.0), id, &room, outcome)
            }
            HistoryReply::RoomHead(room, head) => self.room_loaded(&room, head, now),
            HistoryReply::Page(request_id, room, page) => {
                self.page_loaded(ConnId(request_id.0), &room, page)
            }
            HistoryReply::Found(request_id, room, query, page) => {
                self.search_done(ConnId(request_id.0), &room, query, page)
            }
            HistoryReply::Trimmed(room, oldest) => {
                if let Some(room) = self
                    .rooms
                    .named(&room)
                    .and_then(|id| self.rooms.get_mut(id))
                {
                    room.log.trim(oldest);
                }
            }
        }
    }

    fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.effects.push(Effect::Send(conn, message));
    }
}

fn too_fast(wait: Duration) -> Refusal {
    // Rounded up, so that whoever waits exactly this long is not refused again.
    Refusal::too_fast(
        u64::try_from(wait.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1),
    )
}

#[cfg(test)]
mod tests;
