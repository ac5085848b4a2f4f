//! The rules of the conversation: who is present, in which rooms, who may say what, and who receives it.
//!
//! A pure state machine and the only owner of people and rooms. Events go in with their time, effects come out in order;
//! it never waits: what the history replies is another event.
//! Knows people, rooms and rules; never knows TCP, HTTP, SQL, the clock or how anything is sent.

mod completion;
mod conns;
mod edits;
mod entry;
mod epoch;
pub(crate) mod limits;
mod membership;
mod message_budget;
mod messages;
mod moderation;
mod people;
mod presence;
mod rename;
mod requests;
mod room_log;
mod room_updates;
mod rooms;
mod space;

use crate::history::{HistoryReply, HistoryRequest};
use crate::ids::{ClientAddr, ConnId, RoomId};
use crate::password_thread::{PasswordReply, PasswordRequest};
use crate::protocol::{ByeCode, ClientRequest, Refusal, ServerMessage};
use completion::PendingRequests;
use conns::{Conn, Conns};
use epoch::LogEpoch;
use limits::{MAX_ENTRY_EXTENSIONS, Rules};
use moderation::ModerationState;
use people::{People, PersonKey};
use room_updates::UpdateQueue;
use rooms::Rooms;
use space::Space;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Log target for moderation actions; logged at every verbosity, so that moderators are accountable.
pub const AUDIT_LOG: &str = "papo::organizacao";

/// A moment, by both clocks: one for measuring, one for showing.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Never goes back; all rules use this one.
    pub instant: Instant,
    /// Unix milliseconds, as shown to people.
    pub unix_ms: u64,
}

impl Now {
    /// A later moment by the wall clock, in Unix milliseconds.
    fn unix_ms_of(self, later: Instant) -> u64 {
        let ahead = later.saturating_duration_since(self.instant).as_millis();
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        self.unix_ms.saturating_add(ahead)
    }
}

/// The input of the state machine.
#[derive(Debug)]
pub enum Event {
    /// A connection was upgraded and may send requests.
    Connected(ConnId, ClientAddr),
    /// A connection sent a valid request.
    Request(ConnId, ClientRequest),
    /// A connection sent a frame that is no valid request.
    Malformed(ConnId, Refusal),
    /// A connection is over. True if the peer closed it with the code 1000.
    Disconnected(ConnId, bool),
    /// The history replied to a request.
    HistoryReplied(HistoryReply),
    /// The password thread replied to a request.
    PasswordReplied(PasswordReply),
    /// The server stops.
    Stop,
}

/// The output of the state machine, to be carried out in order.
#[derive(Debug)]
pub enum Effect {
    /// Send to one connection.
    Send(ConnId, ServerMessage),
    /// Send the same to several connections.
    Multicast(Vec<ConnId>, ServerMessage),
    /// Send to all subscribers of a room but, if given, one connection.
    Broadcast(RoomId, ServerMessage, Option<ConnId>),
    /// From now on the connection receives the room's broadcasts.
    Subscribe(ConnId, RoomId),
    /// From now on the connection receives no more of them.
    Unsubscribe(ConnId, RoomId),
    /// A request to the history.
    Submit(HistoryRequest),
    /// A request to the password thread.
    Password(PasswordRequest),
    /// A request with an id is answered: the connection may send another.
    RequestDone(ConnId),
    /// A bulk request (enter, join, history, search) is answered.
    BulkDone(ConnId),
    /// Close these connections with this close code, after this message.
    Close(Vec<ConnId>, u16, ServerMessage),
}

/// A person who makes a request, and its connection. Both exist while the request is handled.
#[derive(Debug, Clone, Copy)]
struct Speaker {
    conn: ConnId,
    person: PersonKey,
}

/// The state of the conversation.
pub struct Chat {
    rules: Rules,
    epoch: LogEpoch,
    space: Space,
    conns: Conns,
    people: People,
    rooms: Rooms,
    moderation: ModerationState,
    pending: PendingRequests,
    /// Connections in the order in which they must have entered.
    entry_deadlines: VecDeque<(Instant, ConnId)>,
    /// When the memberships and names of dropped people expire; entries may be outdated.
    grace_queue: BinaryHeap<Reverse<(Instant, PersonKey)>>,
    /// The rooms whose changed state is to be sent.
    update_queue: UpdateQueue,
    effects: Vec<Effect>,
    stopping: bool,
}

impl Chat {
    /// An empty conversation whose log has this epoch.
    pub fn new(rules: Rules, epoch: Arc<str>) -> Self {
        Self {
            rules,
            epoch: LogEpoch::new(epoch),
            space: Space::default(),
            conns: Conns::default(),
            people: People::default(),
            rooms: Rooms::default(),
            moderation: ModerationState::default(),
            pending: PendingRequests::default(),
            entry_deadlines: VecDeque::new(),
            grace_queue: BinaryHeap::new(),
            update_queue: UpdateQueue::default(),
            effects: Vec::new(),
            stopping: false,
        }
    }

    /// People who are present, dropped ones within their grace period included.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// People who have a connection now.
    pub(crate) fn people_connected(&self) -> usize {
        self.people.connected()
    }

    /// Rooms that are open.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// The effects since the last call, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes in one event.
    pub fn handle(&mut self, event: Event, now: Now) {
        match event {
            Event::Connected(conn, address) => self.connected(conn, address, now),
            Event::Request(conn, request) => self.handle_request(conn, request, now),
            Event::Malformed(conn, refusal) => self.malformed(conn, refusal, now),
            Event::Disconnected(conn, clean) => self.disconnected(conn, clean, now),
            Event::HistoryReplied(reply) => self.history_replied(reply, now),
            Event::PasswordReplied(reply) => self.password_replied(reply, now),
            Event::Stop => self.stop(),
        }
    }

    /// When [`Chat::tick`] has something to do.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        let entry = self.entry_deadlines.front().map(|(at, _)| *at);
        let grace = self.grace_queue.peek().map(|Reverse((at, _))| *at);
        let update = self.update_queue.next_due();
        [entry, grace, update, self.epoch.due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due: closes connections that have not entered in time, expires grace periods, sends rooms their changed state.
    pub fn tick(&mut self, now: Now) {
        self.enforce_entry_deadlines(now);
        self.expire_grace(now);
        self.send_due_updates(now);
        self.send_resets(now);
    }

    fn enforce_entry_deadlines(&mut self, now: Now) {
        while let Some((at, conn)) = self.entry_deadlines.front().copied() {
            let pending = self
                .conns
                .get_mut(conn)
                .filter(|state| state.person.is_none() && !state.closing);
            if pending.is_some() && at > now.instant {
                return;
            }
            self.entry_deadlines.pop_front();
            let Some(state) = pending else { continue };
            // It is not idle: it waits for the server. If it is refused then, it has time for another try.
            let waits = state.waiting_requests > 0;
            if waits && state.entry_extensions < MAX_ENTRY_EXTENSIONS {
                state.entry_extensions += 1;
                self.add_entry_deadline(conn, now);
                continue;
            }
            let text =
                "Você não entrou na conversa a tempo. Conecte-se de novo quando quiser entrar.";
            self.close(conn, ByeCode::Idle, text);
        }
    }

    /// The time is the same for all connections, so the queue stays in order.
    fn add_entry_deadline(&mut self, conn: ConnId, now: Now) {
        let at = now.instant + self.rules.entry_timeout;
        self.entry_deadlines.push_back((at, conn));
    }

    fn connected(&mut self, conn: ConnId, address: ClientAddr, now: Now) {
        let bucket = self.rules.request_bucket(now.instant);
        let state = Conn::new(address, bucket, now.instant);
        self.conns.insert(conn, state);
        if self.stopping {
            self.send_shutdown(vec![conn], 1000);
        } else {
            self.add_entry_deadline(conn, now);
        }
    }

    fn history_replied(&mut self, reply: HistoryReply, now: Now) {
        match reply {
            HistoryReply::Appended(request, id, room, outcome) => {
                let completion = self.pending.remove(request);
                self.appended(completion, id, &room, outcome, now);
            }
            HistoryReply::ModerationSaved(request, saved) => {
                self.moderation_saved(request, saved, now);
            }
            HistoryReply::RoomHead(room, head) => self.room_loaded(&room, head, now),
            HistoryReply::Page(request, room, page) => {
                let completion = self.pending.remove(request);
                self.page_loaded(completion, &room, page);
            }
            HistoryReply::Found(request, room, query, page) => {
                let completion = self.pending.remove(request);
                self.search_done(completion, &room, query, page);
            }
            HistoryReply::EpochBegan(epoch) => self.epoch_began(epoch, now),
            HistoryReply::Space(warning) => self.space_changed(warning, now),
            HistoryReply::Trimmed(room, oldest) => {
                if let Some(id) = self.rooms.named(&room) {
                    self.rooms[id].log.trim(oldest);
                }
            }
        }
    }

    fn password_replied(&mut self, reply: PasswordReply, now: Now) {
        match reply {
            PasswordReply::Hashed(request, stored) => self.password_hashed(request, stored, now),
            PasswordReply::Verified(check, right) => self.password_verified(check, right, now),
        }
    }

    fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.effects.push(Effect::Send(conn, message));
    }

    fn multicast(&mut self, conns: Vec<ConnId>, message: ServerMessage) {
        if !conns.is_empty() {
            self.effects.push(Effect::Multicast(conns, message));
        }
    }

    /// Closes all connections because the server stops.
    fn stop(&mut self) {
        self.stopping = true;
        // The more clients reconnect, the longer they spread out: a hundred a second, over at most 15 s.
        let spread_ms = (1000 + 10 * self.conns.len() as u64).min(15_000);
        let mut conns: Vec<ConnId> = self.conns.iter().map(|(conn, _)| conn).collect();
        conns.sort_unstable();
        self.send_shutdown(conns, spread_ms);
    }

    fn send_shutdown(&mut self, conns: Vec<ConnId>, retry_after_ms: u64) {
        let bye = ServerMessage::Bye {
            code: ByeCode::Shutdown,
            text: "O servidor foi desligado.".to_owned(),
            retry_after_ms: Some(retry_after_ms),
        };
        self.close_with(conns, 1001, bye);
    }

    /// Closes a connection that broke a rule.
    fn close(&mut self, conn: ConnId, code: ByeCode, text: &str) {
        let bye = ServerMessage::Bye {
            code,
            text: text.into(),
            retry_after_ms: None,
        };
        self.close_with(vec![conn], 1008, bye);
    }

    /// Closes those of the connections that are not closing already.
    fn close_with(&mut self, mut conns: Vec<ConnId>, code: u16, bye: ServerMessage) {
        conns.retain(|&conn| !std::mem::replace(&mut self.conns[conn].closing, true));
        if !conns.is_empty() {
            self.effects.push(Effect::Close(conns, code, bye));
        }
    }
}

impl Drop for Chat {
    /// Abandons the requests that still wait for something when the server ends.
    fn drop(&mut self) {
        self.pending.abandon_all();
        let checks = self.moderation.checks.take_waiting();
        let claimants = self.epoch.take_waiting();
        let waiting = self.rooms.take_waiting().chain(checks).chain(claimants);
        for request in waiting {
            request.completion.abandon();
        }
    }
}

fn too_fast(wait: Duration) -> Refusal {
    Refusal::too_fast(ceil_millis(wait))
}

/// In milliseconds, rounded up, so that a client that waits exactly this long is not refused again.
fn ceil_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis())
        .unwrap_or(u64::MAX)
        .saturating_add(1)
}

#[cfg(test)]
mod tests;
