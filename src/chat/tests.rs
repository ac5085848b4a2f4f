//! The rules of the conversation, tested with a manual clock and without sockets.

use super::*;
use crate::auth::{PasswordHash, StoredPassword};
use crate::chat::limits::{MAX_MALFORMED, ROOM_UPDATE_INTERVAL};
use crate::history::memory::MemoryHistory;
use crate::history::{History, Outcome, SavedState};
use crate::name::RoomName;
use crate::password_thread::{PasswordReply, PasswordRequest};
use crate::protocol::{ClientMessage, Entry, ErrorCode, Password, RoomState};
use std::collections::HashMap;

mod bans;
mod edits;
mod entering;
mod epochs;
mod limits;
mod messages;
mod moderation;
mod password_checks;
mod passwords;
mod presence;
mod restart;
mod room_state;
mod room_updates;
mod speaking;

const ANA: ConnId = ConnId(1);
const BRUNO: ConnId = ConnId(2);
const CELIA: ConnId = ConnId(3);

/// A chat with a history in memory, and what every connection was sent.
struct ChatHarness {
    chat: Chat,
    history: MemoryHistory,
    now: Now,
    /// The connections that receive each room's broadcasts.
    subscribers: HashMap<RoomId, Vec<ConnId>>,
    /// All messages but the states of rooms.
    inbox: HashMap<ConnId, Vec<ServerMessage>>,
    /// The states of rooms that every connection was sent.
    states: HashMap<ConnId, Vec<(String, RoomState)>>,
    closed: Vec<(ConnId, u16)>,
    /// When set, the history replies that it can't store.
    disk_full: bool,
    /// When set, the password thread takes its time.
    passwords_paused: bool,
    password_requests: VecDeque<PasswordRequest>,
    /// What the history begins when it is asked to begin a new epoch.
    next_epoch: Option<Arc<str>>,
    /// How often it was asked.
    epochs_asked: usize,
    /// When set, the history replies that it can't read a room's log.
    rooms_unreadable: bool,
    /// When set, the heads of rooms that the history replied with wait in `held_heads`.
    hold_heads: bool,
    held_heads: Vec<HistoryReply>,
    /// A search was submitted and has no reply yet.
    awaiting_search: bool,
}

impl ChatHarness {
    fn new() -> Self {
        Self::with_rules(Rules::default())
    }

    fn with_rules(rules: Rules) -> Self {
        let history = MemoryHistory::new().unwrap();
        Self {
            chat: Chat::new(rules, history.epoch()),
            history,
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_000_000,
            },
            subscribers: HashMap::new(),
            inbox: HashMap::new(),
            states: HashMap::new(),
            closed: Vec::new(),
            disk_full: false,
            passwords_paused: false,
            password_requests: VecDeque::new(),
            next_epoch: None,
            epochs_asked: 0,
            rooms_unreadable: false,
            hold_heads: false,
            held_heads: Vec::new(),
            awaiting_search: false,
        }
    }

    /// A harness in which these people have entered, with empty inboxes.
    fn with_people(names: &[(ConnId, &str)]) -> Self {
        let mut harness = Self::new();
        for (conn, name) in names {
            harness.enter(*conn, name);
        }
        harness.wait_for_updates();
        harness.inbox.clear();
        harness
    }

    fn handle(&mut self, event: Event) {
        self.chat.handle(event, self.now);
        self.apply_effects();
    }

    fn advance(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_ms += time.as_millis() as u64;
        self.chat.tick(self.now);
        self.apply_effects();
    }

    /// Waits until all changes were sent and the next one in any room is sent at once.
    fn wait_for_updates(&mut self) {
        self.advance(ROOM_UPDATE_INTERVAL);
        self.advance(ROOM_UPDATE_INTERVAL);
    }

    fn apply_effects(&mut self) {
        loop {
            for effect in self.chat.take_effects() {
                self.apply(effect);
            }
            if !self.passwords_paused && self.reply_to_password() {
                continue;
            }
            // Only searches are replied to later, by a thread of their own.
            let reply = match std::mem::take(&mut self.awaiting_search) {
                true => self.history.replies().recv().ok(),
                false => self.history.replies().try_recv().ok(),
            };
            let Some(mut reply) = reply else { return };
            match &mut reply {
                HistoryReply::Appended(_, _, _, outcome) if self.disk_full => {
                    *outcome = Outcome::Unavailable;
                }
                HistoryReply::ModerationSaved(_, saved) => *saved = !self.disk_full,
                _ => {}
            }
            if let HistoryReply::EpochBegan(epoch) = &mut reply {
                epoch.clone_from(&self.next_epoch);
            }
            if let HistoryReply::RoomHead(_, head) = &mut reply {
                head.take_if(|_| self.rooms_unreadable);
                if self.hold_heads {
                    self.held_heads.push(reply);
                    continue;
                }
            }
            self.chat.handle(Event::HistoryReplied(reply), self.now);
        }
    }

    /// The password thread replies to its next request; false when there is none. Its hashes are not slow.
    fn reply_to_password(&mut self) -> bool {
        let stored = |password: &Password| {
            StoredPassword::new(&format!("hash of {}", password.expose_secret()))
        };
        let reply = match self.password_requests.pop_front() {
            Some(PasswordRequest::Hash(id, password)) => {
                PasswordReply::Hashed(id, Some(stored(&password)))
            }
            Some(PasswordRequest::Verify(id, password, expected)) => {
                PasswordReply::Verified(id, stored(&password) == expected)
            }
            None => return false,
        };
        self.chat.handle(Event::PasswordReplied(reply), self.now);
        true
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Send(conn, message) => self.deliver(conn, message),
            Effect::Multicast(conns, message) => {
                for conn in conns {
                    self.deliver(conn, message.clone());
                }
            }
            Effect::Broadcast(room_id, message, except) => {
                for conn in self.subscribers.get(&room_id).cloned().unwrap_or_default() {
                    if Some(conn) != except {
                        self.deliver(conn, message.clone());
                    }
                }
            }
            Effect::Subscribe(conn, room_id) => {
                self.subscribers.entry(room_id).or_default().push(conn);
            }
            Effect::Unsubscribe(conn, room_id) => {
                self.subscribers
                    .entry(room_id)
                    .or_default()
                    .retain(|other| *other != conn);
            }
            Effect::Submit(request) => {
                self.awaiting_search |= matches!(request, HistoryRequest::Search(..));
                self.epochs_asked += usize::from(matches!(request, HistoryRequest::BeginEpoch));
                self.history.submit(vec![request]);
            }
            Effect::Password(request) => self.password_requests.push_back(request),
            Effect::RequestDone(_) | Effect::BulkDone(_) => {}
            Effect::Close(conns, code, bye) => {
                for conn in conns {
                    self.inbox.entry(conn).or_default().push(bye.clone());
                    self.closed.push((conn, code));
                }
            }
        }
    }

    /// The history's replies about rooms arrive, those that were held and all later ones.
    fn release_heads(&mut self) {
        self.hold_heads = false;
        for reply in std::mem::take(&mut self.held_heads) {
            self.handle(Event::HistoryReplied(reply));
        }
    }

    fn deliver(&mut self, conn: ConnId, message: ServerMessage) {
        match message {
            ServerMessage::RoomState { room, state } => {
                let states = self.states.entry(conn).or_default();
                states.push((room.to_string(), state));
            }
            message => self.inbox.entry(conn).or_default().push(message),
        }
    }

    /// Sends a JSON text, as a client would.
    fn send_json(&mut self, conn: ConnId, json: &str) {
        match ClientMessage::parse(json) {
            Ok(message) => self.handle(Event::Request(conn, message)),
            Err(refusal) => self.handle(Event::Malformed(conn, refusal)),
        }
    }

    /// Connects and enters; the token is made of the name, so the same name is the same person.
    fn enter(&mut self, conn: ConnId, name: &str) {
        self.enter_with_token(conn, name, &format!("token-of-{name}-0123456789"));
    }

    fn enter_with_token(&mut self, conn: ConnId, name: &str, token: &str) {
        self.handle(Event::Connected(conn, ClientAddr::LOCAL));
        let token = token.replace(|c: char| !c.is_ascii_graphic(), "_");
        self.send_json(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#),
        );
    }

    fn say(&mut self, conn: ConnId, id: &str, text: &str) {
        self.send_json(
            conn,
            &format!(r#"{{"type":"say","room":"geral","id":"{id}","text":"{text}"}}"#),
        );
    }

    fn drop_connection(&mut self, conn: ConnId) {
        self.handle(Event::Disconnected(conn, false));
    }

    fn close_cleanly(&mut self, conn: ConnId) {
        self.handle(Event::Disconnected(conn, true));
    }

    /// What a connection was sent since the last call, as short labels.
    fn take_labels(&mut self, conn: ConnId) -> Vec<String> {
        self.inbox
            .remove(&conn)
            .unwrap_or_default()
            .iter()
            .map(label)
            .collect()
    }
}

/// A message in short.
fn label(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Welcome { name, .. } => format!("welcome {name}"),
        ServerMessage::Joined {
            room,
            online,
            entries,
            ..
        } => format!("joined {room} {online} {}", entries.len()),
        ServerMessage::Left { room, .. } => format!("left {room}"),
        ServerMessage::Message(entry) => entry_label(entry),
        ServerMessage::Ack {
            id,
            seq: Some(seq),
            duplicate,
            ..
        } => {
            format!("ack {id} {seq}{}", if *duplicate { " again" } else { "" })
        }
        ServerMessage::Ack { id, duplicate, .. } => {
            format!("ack {id}{}", if *duplicate { " again" } else { "" })
        }
        ServerMessage::Presence {
            online,
            joined,
            left,
            renamed,
            ..
        } => {
            let mut label = format!("{online} online");
            joined
                .iter()
                .for_each(|member| label += &format!(" +{}", member.name));
            left.iter()
                .for_each(|member| label += &format!(" -{}", member.name));
            renamed
                .iter()
                .for_each(|renamed| label += &format!(" {}>{}", renamed.from, renamed.to));
            label
        }
        ServerMessage::Whisper { from, to, text, .. } => format!("{from}>{to}: {text}"),
        ServerMessage::Typing { name, .. } => format!("{name} types"),
        ServerMessage::Error(refusal) => {
            let code = serde_json::to_value(refusal.code).unwrap();
            format!(
                "error {}{}",
                code.as_str().unwrap(),
                refusal
                    .id
                    .as_deref()
                    .map_or(String::new(), |id| format!(" {id}"))
            )
        }
        ServerMessage::Bye { code, .. } => format!("bye {code:?}"),
        ServerMessage::Rooms { rooms, .. } => rooms
            .iter()
            .map(|room| format!("{}:{} ", room.room, room.online))
            .collect::<String>()
            .trim_end()
            .into(),
        ServerMessage::History { entries, more, .. } => {
            format!(
                "history {:?} {more}",
                entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
            )
        }
        ServerMessage::Found { entries, .. } => {
            format!(
                "found {:?}",
                entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
            )
        }
        ServerMessage::Role {
            name, moderator, ..
        } => match moderator {
            true => format!("{name} moderates"),
            false => format!("{name} no longer moderates"),
        },
        ServerMessage::Notice {
            text,
            from: Some(from),
            ..
        } => format!("{from}! {text}"),
        ServerMessage::Notice { text, .. } => format!("* {text}"),
        ServerMessage::RoomState { room, .. } => format!("state of {room}"),
        ServerMessage::Pong { .. } => "pong".into(),
    }
}

fn entry_label(entry: &Entry) -> String {
    let edits = entry.edits.map_or(String::new(), |seq| format!("{seq}="));
    let erases = if entry.erases.is_empty() {
        String::new()
    } else {
        format!("-{:?}", entry.erases)
    };
    format!(
        "{} {}: {edits}{erases}{}",
        entry.seq, entry.from, entry.text
    )
}

/// The moderator key of these tests.
const MODERATOR_KEY: &str = "c0ffee";

/// A harness with a moderator, Ana, and these guests, with empty inboxes.
fn with_moderator(guests: &[(ConnId, &str)]) -> ChatHarness {
    let mut harness = ChatHarness::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    harness.enter_with_fields(
        ANA,
        "Ana",
        &format!(r#","moderator_key":"{MODERATOR_KEY}""#),
    );
    for (conn, name) in guests {
        harness.enter(*conn, name);
    }
    harness.wait_for_updates();
    harness.inbox.clear();
    harness
}

impl ChatHarness {
    /// Connects and enters with more than a name.
    fn enter_with_fields(&mut self, conn: ConnId, name: &str, more: &str) {
        self.handle(Event::Connected(conn, ClientAddr::LOCAL));
        let token =
            format!("token-of-{name}-0123456789").replace(|c: char| !c.is_ascii_graphic(), "_");
        self.send_json(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"{more}}}"#),
        );
    }

    fn moderate(&mut self, conn: ConnId, act: &str) {
        self.send_json(conn, &format!(r#"{{"type":"moderate","act":{act}}}"#));
    }

    /// The refusal that a connection was sent last.
    fn take_refusal(&mut self, conn: ConnId) -> Refusal {
        match self.inbox.remove(&conn).and_then(|mut got| got.pop()) {
            Some(ServerMessage::Error(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

fn nothing() -> Vec<String> {
    Vec::new()
}
