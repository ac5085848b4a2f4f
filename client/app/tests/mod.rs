//! The core in conversations: what the server sends, what the person types, what is shown and sent.

mod edits;
mod entering;
mod leaving;
mod messages;
mod moderation;
mod outages;
mod random_events;
mod rooms;
mod scripts;

use super::*;
use crate::app::output::{MessageChange, MessageState, Severity};
use crate::app::strings;
use crate::net::connection::ConnectError;
use crate::net::session::DisconnectCause;
use papo::protocol::{
    Enter, Entry, ErrorCode, FetchHistory, Join, Limits, Member, PageRequest, Refusal, RoomInfo,
    RoomState, Say, ServerMessage, Whisper,
};
use std::sync::Arc;

const INTERACTIVE: Mode = Mode {
    interactive: true,
    keep_listening: false,
    reconnect: false,
};
const SCRIPT: Mode = Mode {
    interactive: false,
    keep_listening: false,
    reconnect: false,
};

/// The core with a clock set by hand; effects are collected until they are taken.
struct AppHarness {
    app: App,
    now: Instant,
    effects: Vec<AppEffect>,
}

impl AppHarness {
    fn new(mode: Mode, name: Option<&str>) -> Self {
        let app = App::new(AppSetup {
            address: Address::new("127.0.0.1", 9000),
            mode,
            name: name.map(|name| Name::new(name).unwrap()),
            initial_room: RoomName::lobby(),
            token: Token::new(&"t".repeat(32)).unwrap(),
            id_prefix: "x".into(),
            credentials: Credentials::default(),
        });
        let mut harness = Self {
            app,
            now: Instant::now(),
            effects: Vec::new(),
        };
        harness.handle(AppEvent::Started);
        harness
    }

    /// Ana, in the lobby with Bruno; the effects of entering are cleared.
    fn in_lobby(mode: Mode) -> Self {
        let mut harness = Self::new(mode, Some("Ana"));
        harness.enter("e1", 0, &[]);
        harness.effects.clear();
        harness
    }

    fn handle(&mut self, event: AppEvent) {
        self.effects.extend(self.app.handle(event, self.now));
    }

    fn receive(&mut self, message: ServerMessage) {
        self.handle(AppEvent::Received(message));
    }

    fn submit(&mut self, text: &str) {
        self.handle(AppEvent::Submitted(text.into()));
    }

    fn advance(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.handle(AppEvent::Tick);
    }

    fn enter(&mut self, epoch: &str, seq: u64, entries: &[Arc<Entry>]) {
        self.handle(AppEvent::Connected);
        self.receive(welcome("Ana"));
        self.receive(joined("geral", epoch, seq, entries, false));
    }

    /// What was shown since the last call.
    fn take_shown(&mut self) -> Vec<String> {
        let shown = self
            .effects
            .extract_if(.., |effect| matches!(effect, AppEffect::Show(_)));
        let text = |effect| match effect {
            AppEffect::Show(Output::Message {
                room,
                from,
                action,
                text,
                ..
            }) => {
                let room = match room.as_str() {
                    "geral" => String::new(),
                    other => format!("#{other} "),
                };
                vec![if action {
                    format!("{room}* {from} {text}")
                } else {
                    format!("{room}{from}: {text}")
                }]
            }
            AppEffect::Show(Output::Amended {
                from,
                change: MessageChange::Edited { seq, text },
                ..
            }) => {
                vec![format!("{from} edits {seq}: {text}")]
            }
            AppEffect::Show(Output::Amended {
                from,
                change: MessageChange::Erased(seqs),
                ..
            }) => {
                vec![format!("{from} erases {seqs:?}")]
            }
            AppEffect::Show(Output::Amended {
                change: MessageChange::Superseded,
                ..
            }) => vec![],
            AppEffect::Show(Output::Whisper { from, to, text, .. }) => {
                vec![format!("{from} → {to}: {text}")]
            }
            AppEffect::Show(Output::Presence {
                joined,
                left,
                renamed,
                ..
            }) => strings::presence_sentences(&joined, &left, &renamed),
            AppEffect::Show(
                Output::RoomOpened { .. }
                | Output::RoomClosed { .. }
                | Output::RoomSwitched { .. }
                | Output::RoomState { .. }
                | Output::MissedMarker { .. },
            ) => vec![],
            AppEffect::Show(Output::Notice(Severity::Problem, text)) => vec![format!("! {text}")],
            AppEffect::Show(
                Output::Notice(_, text) | Output::People(text) | Output::Help(text),
            ) => {
                vec![text]
            }
            AppEffect::Show(Output::RoomNotice { room, text }) => vec![format!("({room}) {text}")],
            other => panic!("{other:?}"),
        };
        shown.flat_map(text).collect()
    }

    /// What was sent since the last call, in short.
    fn take_sent(&mut self) -> Vec<String> {
        let sent = self
            .effects
            .extract_if(.., |effect| matches!(effect, AppEffect::Send(_)));
        let describe = |effect| match effect {
            AppEffect::Send(ClientMessage::Enter(Enter { name, resume, .. })) => {
                format!("enter {name} {:?}", resume.after)
            }
            AppEffect::Send(ClientMessage::Join(Join { room, resume, .. })) => {
                format!("join {room} {:?}", resume.after)
            }
            AppEffect::Send(ClientMessage::Say(Say { room, id, text, .. })) => {
                format!("{room} {id} {text}")
            }
            AppEffect::Send(ClientMessage::Whisper(Whisper { to, id, text })) => {
                format!("→{to} {id} {text}")
            }
            AppEffect::Send(ClientMessage::History(FetchHistory {
                room,
                page: PageRequest::After(seq),
                ..
            })) => format!("after {room} {seq}"),
            AppEffect::Send(other) => format!("{other:?}"),
            other => panic!("{other:?}"),
        };
        sent.map(describe).collect()
    }

    /// All effects since the last call.
    fn take_effects(&mut self) -> Vec<AppEffect> {
        std::mem::take(&mut self.effects)
    }
}

fn member(name: &str) -> Member {
    Member {
        name: name.into(),
        tag: format!("tag-{name}").into(),
        moderator: false,
    }
}

fn welcome(name: &str) -> ServerMessage {
    ServerMessage::Welcome {
        name: name.into(),
        tag: format!("tag-{name}").into(),
        token: Token::new(&"t".repeat(32)).unwrap(),
        protocol: 1,
        server: "teste".into(),
        limits: Limits {
            text: 20,
            name: 24,
            room: 32,
            rate: 5.0,
            burst: 20,
        },
        heartbeat_ms: 20_000,
        moderator: false,
        locked: false,
        id: None,
    }
}

fn joined(room: &str, epoch: &str, seq: u64, entries: &[Arc<Entry>], more: bool) -> ServerMessage {
    ServerMessage::Joined {
        room: room.into(),
        epoch: epoch.into(),
        seq,
        oldest: 1,
        online: 2,
        members: vec![member("Bruno"), member("Ana")],
        entries: entries.to_vec(),
        more,
        reset: false,
        state: RoomState::default(),
        id: None,
    }
}

fn entry(seq: u64, from: &str, text: &str) -> Arc<Entry> {
    Arc::new(Entry {
        room: "geral".into(),
        seq,
        at: seq,
        from: from.into(),
        tag: format!("tag-{from}").into(),
        text: text.into(),
        ..Entry::default()
    })
}

fn message(seq: u64, from: &str, text: &str) -> ServerMessage {
    ServerMessage::Message(entry(seq, from, text))
}

fn whisper(from: &str, text: &str) -> ServerMessage {
    ServerMessage::Whisper {
        from: from.into(),
        tag: format!("tag-{from}").into(),
        to: "Ana".into(),
        at: 2,
        text: text.into(),
    }
}

fn presence(joined: &[&str], left: &[&str]) -> ServerMessage {
    ServerMessage::Presence {
        room: "geral".into(),
        online: 3,
        joined: joined.iter().copied().map(member).collect(),
        left: left.iter().copied().map(member).collect(),
        renamed: vec![],
    }
}

/// The last page of the lobby's log.
fn history(entries: Vec<Arc<Entry>>) -> ServerMessage {
    ServerMessage::History {
        room: "geral".into(),
        epoch: "e1".into(),
        oldest: 1,
        entries,
        more: false,
        id: None,
    }
}

fn ack(id: &str, seq: u64) -> ServerMessage {
    ServerMessage::Ack {
        id: id.into(),
        room: Some("geral".into()),
        seq: Some(seq),
        at: seq,
        duplicate: false,
        text: None,
    }
}

fn refusal(code: ErrorCode, id: Option<&str>) -> ServerMessage {
    let refusal = Refusal::with_text(code, "Não.");
    ServerMessage::Error(match id {
        Some(id) => refusal.with_id(id),
        None => refusal,
    })
}
