//! The rules of the conversation, told as stories with a hand-turned clock and without a single socket.

use super::*;
use crate::history::memory::MemoryHistory;
use crate::history::{History, Outcome};
use crate::identity::PasswordHash;
use crate::name::RoomName;
use crate::protocol::Entry;

mod amending;
mod hosting;
mod passwords;
mod presence;
mod rules;
mod sending_out;
mod silencing;
mod talking;

const ANA: ConnId = ConnId(1);
const BRUNO: ConnId = ConnId(2);
const CELIA: ConnId = ConnId(3);

/// A hub with a history in memory, and what every connection was sent.
struct Scene {
    hub: Hub,
    history: MemoryHistory,
    now: Now,
    /// Rooms that each connection hears.
    hears: HashMap<RoomId, Vec<ConnId>>,
    got: HashMap<ConnId, Vec<ServerMessage>>,
    closed: Vec<(ConnId, u16)>,
    /// When set, the history answers that it can't store.
    disk_full: bool,
    /// A search was asked for and is not answered yet.
    searching: bool,
}

impl Scene {
    fn new() -> Self {
        Self::with_rules(Rules::default())
    }

    fn with_rules(rules: Rules) -> Self {
        let history = MemoryHistory::new().unwrap();
        Self {
            hub: Hub::new(rules, history.epoch()),
            history,
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_000_000,
            },
            hears: HashMap::new(),
            got: HashMap::new(),
            closed: Vec::new(),
            disk_full: false,
            searching: false,
        }
    }

    /// A scene in which each of these has entered; what they were sent so far is forgotten.
    fn of(names: &[(ConnId, &str)]) -> Self {
        let mut scene = Self::new();
        for (conn, name) in names {
            scene.enters(*conn, name);
        }
        scene.got.clear();
        scene
    }

    fn event(&mut self, event: Event) {
        self.hub.handle(event, self.now);
        self.carry_out();
    }

    fn wait(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix_ms += time.as_millis() as u64;
        self.hub.tick(self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        loop {
            for effect in self.hub.take_effects() {
                self.effect(effect);
            }
            // Only searches are answered later, by a thread of their own.
            let answer = match std::mem::take(&mut self.searching) {
                true => self.history.replies().recv().ok(),
                false => self.history.replies().try_recv().ok(),
            };
            let Some(mut answer) = answer else { return };
            if let (true, HistoryReply::Appended(_, _, _, outcome)) = (self.disk_full, &mut answer)
            {
                *outcome = Outcome::Unavailable;
            }
            self.hub.handle(Event::HistoryReplied(answer), self.now);
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Send(conn, message) => self.got.entry(conn).or_default().push(message),
            Effect::Broadcast(room_id, message, except) => {
                for conn in self.hears.get(&room_id).cloned().unwrap_or_default() {
                    if Some(conn) != except {
                        self.got.entry(conn).or_default().push(message.clone());
                    }
                }
            }
            Effect::Subscribe(conn, room_id) => self.hears.entry(room_id).or_default().push(conn),
            Effect::Unsubscribe(conn, room_id) => {
                self.hears
                    .entry(room_id)
                    .or_default()
                    .retain(|other| *other != conn);
            }
            Effect::Submit(job) => {
                self.searching |= matches!(job, HistoryRequest::Search(..));
                self.history.submit(vec![job]);
            }
            Effect::RequestDone(_) | Effect::BulkDone(_) => {}
            Effect::Close(conn, code, bye) => {
                self.got.entry(conn).or_default().push(bye);
                self.closed.push((conn, code));
            }
        }
    }

    /// Says one line of JSON, as a client would.
    fn says(&mut self, conn: ConnId, json: &str) {
        match ClientMessage::parse(json) {
            Ok(message) => self.event(Event::Request(conn, message)),
            Err(refusal) => self.event(Event::Malformed(conn, refusal)),
        }
    }

    /// Connects and enters; the token is made of the name, so the same name is the same person.
    fn enters(&mut self, conn: ConnId, name: &str) {
        self.enters_with(conn, name, &format!("token-of-{name}-0123456789"));
    }

    fn enters_with(&mut self, conn: ConnId, name: &str, token: &str) {
        self.event(Event::Connected(conn, ClientAddr::LOCAL));
        let token = token.replace(|c: char| !c.is_ascii_graphic(), "_");
        self.says(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"}}"#),
        );
    }

    fn say(&mut self, conn: ConnId, id: &str, text: &str) {
        self.says(
            conn,
            &format!(r#"{{"type":"say","room":"geral","id":"{id}","text":"{text}"}}"#),
        );
    }

    fn drops(&mut self, conn: ConnId) {
        self.event(Event::Disconnected(conn, false));
    }

    fn leaves(&mut self, conn: ConnId) {
        self.event(Event::Disconnected(conn, true));
    }

    /// What a connection was sent since this was last asked, as short labels.
    fn heard(&mut self, conn: ConnId) -> Vec<String> {
        self.got
            .remove(&conn)
            .unwrap_or_default()
            .iter()
            .map(label)
            .collect()
    }
}

/// What a message says, as short as a story needs it.
fn label(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Welcome { name, .. } => format!("welcome {name}"),
        ServerMessage::Joined {
            room,
            online,
            entries,
            ..
        } => format!("joined {room} {online} {}", entries.len()),
        ServerMessage::Left { room } => format!("left {room}"),
        ServerMessage::Message(entry) => said(entry),
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
        ServerMessage::Rooms { rooms } => rooms
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
            name,
            moderator: host,
            ..
        } => {
            format!("{name} {}", if *host { "hosts" } else { "no longer hosts" })
        }
        ServerMessage::Notice {
            text,
            from: Some(from),
            ..
        } => format!("{from}! {text}"),
        ServerMessage::Notice { text, .. } => format!("* {text}"),
        ServerMessage::Pong => "pong".into(),
    }
}

fn said(entry: &Entry) -> String {
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

/// The key that makes a host in these stories.
const KEY: &str = "c0ffee";

/// A scene with a host, Ana, and these guests; what they were sent so far is forgotten.
fn hosted(guests: &[(ConnId, &str)]) -> Scene {
    let mut scene = Scene::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(KEY)),
        ..Rules::default()
    });
    scene.enters_as(ANA, "Ana", &format!(r#","host_key":"{KEY}""#));
    for (conn, name) in guests {
        scene.enters(*conn, name);
    }
    scene.got.clear();
    scene
}

impl Scene {
    /// Connects and enters with more than a name.
    fn enters_as(&mut self, conn: ConnId, name: &str, more: &str) {
        self.event(Event::Connected(conn, ClientAddr::LOCAL));
        let token =
            format!("token-of-{name}-0123456789").replace(|c: char| !c.is_ascii_graphic(), "_");
        self.says(
            conn,
            &format!(r#"{{"type":"enter","name":"{name}","token":"{token}"{more}}}"#),
        );
    }

    fn acts(&mut self, conn: ConnId, act: &str) {
        self.says(conn, &format!(r#"{{"type":"host","act":{act}}}"#));
    }

    /// The refusal that a connection was sent last.
    fn refusal(&mut self, conn: ConnId) -> Refusal {
        match self.got.remove(&conn).and_then(|mut got| got.pop()) {
            Some(ServerMessage::Error(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

fn nothing() -> Vec<String> {
    Vec::new()
}
