//! The page's copy of the protocol equals the library's.

use papo::name::{LOBBY, MAX_NAME, Name, RoomName};
use papo::protocol::{
    ByeCode, ClientMessage, ClientRequest, Credentials, Edit, Enter, Entry, Erase, EraseRecent,
    ErrorCode, FetchHistory, Join, Leave, Limits, MAX_MEMBERS, MAX_TEXT, ModerationAction,
    PageRequest, Password, Refusal, Rename, ResumePoint, RoomState, Say, Search, ServerMessage,
    SetRoomPassword, Token, Typing, Whisper,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub fn read_file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The literal of a constant in the page's mirror, from its opening to its closing bracket.
fn literal(name: &str) -> String {
    let script = read_file("html/protocol.js");
    let start = script
        .split(&format!("const {name} = "))
        .nth(1)
        .unwrap_or_else(|| panic!("{name} is missing"));
    start.split(";\n").next().unwrap().to_owned()
}

/// All quoted words in a text, in order.
fn quoted_words(text: &str) -> Vec<String> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// A literal of the form `{ kind: ["field", …], … }`.
fn kinds(name: &str) -> BTreeMap<String, Vec<String>> {
    let literal = literal(name);
    let lines = literal
        .lines()
        .filter_map(|line| line.trim().split_once(": ["));
    lines
        .map(|(kind, fields)| (kind.to_owned(), sorted(quoted_words(fields))))
        .collect()
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

/// The kinds and fields that these messages have.
pub fn fields_by_kind(messages: &[impl Serialize]) -> BTreeMap<String, Vec<String>> {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in messages {
        let message = serde_json::to_value(message).unwrap();
        let fields = message
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "type")
            .cloned();
        let known = kinds
            .entry(message["type"].as_str().unwrap().to_owned())
            .or_default();
        known.extend(fields);
        known.sort();
        known.dedup();
    }
    kinds
}

fn token() -> Token {
    Token::new("0123456789abcdef").unwrap()
}

/// Every kind of request, with all its fields.
pub fn client_requests() -> Vec<ClientRequest> {
    let messages = client_messages().into_iter();
    messages
        .map(|message| ClientRequest::with_id(message, "a1"))
        .collect()
}

fn client_messages() -> Vec<ClientMessage> {
    let name = || Name::new("Ana").unwrap();
    let id = || "a1".to_owned();
    let text = || "oi".to_owned();
    let room = RoomName::lobby;
    let password = || Password::new("abre-te");
    let since = || ResumePoint {
        epoch: Some("e".into()),
        after: Some(1),
    };
    vec![
        ClientMessage::Enter(Enter {
            name: name(),
            token: Some(token()),
            room: Some(room()),
            resume: since(),
            local_key: Some(text()),
            credentials: Credentials {
                password: password(),
                moderator_key: password(),
                room_password: password(),
            },
        }),
        ClientMessage::Join(Join {
            room: room(),
            resume: since(),
            room_password: password(),
        }),
        ClientMessage::Leave(Leave { room: room() }),
        ClientMessage::Say(Say {
            room: room(),
            id: id(),
            text: text(),
            action: true,
            reply_to: Some(1),
        }),
        ClientMessage::Edit(Edit {
            room: room(),
            id: id(),
            seq: 1,
            text: text(),
        }),
        ClientMessage::Erase(Erase {
            room: room(),
            id: id(),
            seq: 1,
        }),
        ClientMessage::Whisper(Whisper {
            to: name(),
            id: id(),
            text: text(),
        }),
        ClientMessage::Typing(Typing { room: room() }),
        ClientMessage::History(FetchHistory {
            room: room(),
            page: PageRequest::Before(1),
            limit: Some(1),
        }),
        ClientMessage::History(FetchHistory {
            room: room(),
            page: PageRequest::After(1),
            limit: Some(1),
        }),
        ClientMessage::Search(Search {
            room: room(),
            query: text(),
            limit: Some(1),
        }),
        ClientMessage::Rename(Rename { name: name() }),
        ClientMessage::RoomPassword(SetRoomPassword {
            room: room(),
            password: password(),
        }),
        ClientMessage::Moderate(ModerationAction::ModeratorsOnly {
            room: room(),
            on: Some(true),
        }),
        ClientMessage::Moderate(ModerationAction::Erase(EraseRecent {
            room: room(),
            id: id(),
            name: name(),
            seconds: 1,
        })),
        ClientMessage::Moderate(ModerationAction::Announce { text: text() }),
        ClientMessage::Rooms,
        ClientMessage::Ping,
    ]
}

/// The state of a room, with all its fields.
pub fn room_state() -> RoomState {
    RoomState {
        moderators_only: true,
        slow_ms: 10_000,
        password: true,
        locked: true,
        muted_until: Some(1),
    }
}

/// Every kind of server message, with all its fields.
pub fn server_messages() -> Vec<ServerMessage> {
    let s = || -> Arc<str> { "x".into() };
    let entry = Entry {
        room: s(),
        seq: 1,
        at: 1,
        from: s(),
        tag: s(),
        text: "x".into(),
        action: true,
        reply_to: Some(1),
        edits: Some(1),
        erases: vec![1],
        edited: true,
        erased: true,
    };
    let limits = Limits {
        text: 1,
        name: 1,
        room: 1,
        rate: 1.0,
        burst: 1,
    };
    let id = || Some("a1".to_owned());
    let refusal = Refusal::too_fast(1).with_room(s()).with_id("a1");
    vec![
        ServerMessage::Welcome {
            name: s(),
            tag: s(),
            token: token(),
            protocol: 1,
            server: "papo".into(),
            limits,
            heartbeat_ms: 1,
            moderator: true,
            locked: true,
            id: id(),
        },
        ServerMessage::Joined {
            room: s(),
            epoch: s(),
            seq: 1,
            oldest: 1,
            online: 1,
            members: Vec::new(),
            entries: Vec::new(),
            more: false,
            reset: false,
            state: room_state(),
            id: id(),
        },
        ServerMessage::Left {
            room: s(),
            id: id(),
        },
        ServerMessage::Message(Arc::new(entry)),
        ServerMessage::Ack {
            id: "a1".into(),
            room: Some(s()),
            seq: Some(1),
            at: 1,
            duplicate: true,
            text: Some("x".into()),
        },
        ServerMessage::Presence {
            room: s(),
            online: 1,
            joined: Vec::new(),
            left: Vec::new(),
            renamed: Vec::new(),
        },
        ServerMessage::Whisper {
            from: s(),
            tag: s(),
            to: s(),
            at: 1,
            text: "x".into(),
        },
        ServerMessage::Role {
            name: s(),
            tag: s(),
            moderator: true,
        },
        ServerMessage::RoomState {
            room: s(),
            state: room_state(),
        },
        ServerMessage::Notice {
            at: 1,
            text: "x".into(),
            room: Some(s()),
            from: Some(s()),
            id: id(),
        },
        ServerMessage::Typing {
            room: s(),
            name: s(),
        },
        ServerMessage::History {
            room: s(),
            epoch: s(),
            oldest: 1,
            entries: Vec::new(),
            more: false,
            id: id(),
        },
        ServerMessage::Found {
            room: s(),
            query: "x".into(),
            entries: Vec::new(),
            more: false,
            id: id(),
        },
        ServerMessage::Rooms {
            rooms: Vec::new(),
            id: id(),
        },
        ServerMessage::Pong { id: id() },
        ServerMessage::Error(refusal),
        ServerMessage::Bye {
            code: ByeCode::TooSlow,
            text: "x".into(),
            retry_after_ms: Some(1),
        },
    ]
}

#[test]
fn page_knows_every_message_kind_and_field() {
    assert_eq!(kinds("CLIENT_MESSAGES"), fields_by_kind(&client_requests()));
    let known: Vec<String> = fields_by_kind(&server_messages()).into_keys().collect();
    assert_eq!(sorted(quoted_words(&literal("SERVER_MESSAGES"))), known);
}

/// The codes as they are on the wire.
pub fn code_names(codes: &[impl Serialize]) -> BTreeSet<String> {
    let json = serde_json::to_string(codes).unwrap();
    quoted_words(&json).into_iter().collect()
}

#[test]
fn page_uses_only_codes_that_the_server_sends() {
    let mut given = code_names(&ErrorCode::ALL);
    given.extend(code_names(&ByeCode::ALL));
    let mut acted_on = Vec::new();
    for script in std::fs::read_dir(format!("{}/html", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let script = std::fs::read_to_string(script.unwrap().path()).unwrap();
        let compared = script
            .split("code === \"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned());
        acted_on.extend(compared);
        let listed = script
            .split("const FINAL_BYES = ")
            .nth(1)
            .and_then(|rest| rest.split(";\n").next());
        acted_on.extend(listed.map(quoted_words).unwrap_or_default());
    }
    for code in [
        "too_fast",
        "id_reused",
        "password_wrong",
        "shutdown",
        "kicked",
    ] {
        assert!(
            acted_on.iter().any(|known| known == code),
            "{code} is not acted on: {acted_on:?}"
        );
    }
    assert!(
        acted_on.iter().all(|code| given.contains(code)),
        "{acted_on:?}"
    );
}

#[test]
fn page_limits_equal_server_limits() {
    let literal = literal("LIMITS");
    for (name, value) in [
        ("text", MAX_TEXT),
        ("name", MAX_NAME),
        ("members", MAX_MEMBERS),
    ] {
        assert!(
            literal
                .split(['{', ',', '}'])
                .any(|limit| limit.trim() == format!("{name}: {value}")),
            "{name}: {value}\n{literal}"
        );
    }
    assert_eq!(quoted_words(&self::literal("LOBBY")), [LOBBY]);
}
