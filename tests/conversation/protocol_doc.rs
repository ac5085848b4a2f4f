//! `docs/protocolo.md` names every kind, field, code and limit of the wire and no other, and its examples are real.

use crate::mirror::{
    client_requests, code_names, fields_by_kind, read_file, room_state, server_messages,
};
use papo::history::PAGE_BYTES;
use papo::name::{MAX_NAME, MAX_ROOM, Name, RoomName};
use papo::protocol::{
    ByeCode, ClientMessage, Entry, EraseRecent, ErrorCode, HEARTBEAT_MS, Limits, MAX_FRAME,
    MAX_MEMBERS, MAX_PAGE, MAX_ROOMS_LISTED, MAX_TEXT, Member, ModerationAction, Password, Renamed,
    RoomInfo, RoomState, ServerMessage, Token,
};
use papo::server::Rules;
use papo::testing::{
    ConnHandle, MAX_MALFORMED, MAX_ROOMS_PER_CONNECTION, REQUEST_BURST, REQUEST_RATE,
    TEXT_BURST_BYTES, TEXT_BYTES_PER_SECOND,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Field names, each with whether it may be absent.
type Fields = BTreeMap<String, bool>;

fn document() -> String {
    read_file("docs/protocolo.md")
}

/// The rows of the first table below a heading, without its header.
fn table(heading: &str) -> Vec<Vec<String>> {
    let document = document();
    let section = document
        .split(&format!("\n{heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("{heading} is missing"));
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            let cells = row.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// The words in backticks of a cell; a `?` right after one makes it optional.
fn fields(cell: &str) -> Fields {
    let parts: Vec<&str> = cell.split('`').collect();
    parts
        .chunks(2)
        .zip(parts.iter().skip(2).step_by(2))
        .map(|(pair, after)| (pair[1].to_owned(), after.starts_with('?')))
        .collect()
}

/// The one word in backticks at the beginning of a row.
fn key(row: &[String]) -> String {
    let words = fields(&row[0]);
    assert_eq!(words.len(), 1, "{row:?}");
    words.into_keys().next().unwrap()
}

/// A table of kinds and their fields.
fn documented(heading: &str) -> BTreeMap<String, Fields> {
    let rows = table(heading);
    let kinds: BTreeMap<String, Fields> =
        rows.iter().map(|row| (key(row), fields(&row[1]))).collect();
    assert_eq!(
        kinds.len(),
        rows.len(),
        "a row of {heading} stands there twice"
    );
    kinds
}

fn names(kinds: &BTreeMap<String, Fields>) -> BTreeMap<String, Vec<String>> {
    kinds
        .iter()
        .map(|(kind, fields)| (kind.clone(), fields.keys().cloned().collect()))
        .collect()
}

/// Checks of every field of a value whether it may be absent, by leaving it out.
fn assert_optional(
    kind: &str,
    full: &Value,
    documented: &Fields,
    is_valid: impl Fn(&Value) -> bool,
) {
    assert!(is_valid(full), "{full}");
    let fields = full.as_object().unwrap().keys();
    for field in fields.filter(|field| !matches!(field.as_str(), "type" | "act")) {
        let mut without = full.clone();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(
            documented[field],
            is_valid(&without),
            "is `{field}` of `{kind}` optional?"
        );
    }
}

fn client_accepts(value: &Value) -> bool {
    ClientMessage::parse(&value.to_string()).is_ok()
}

fn reads_as<T: DeserializeOwned>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

/// The examples after this arrow; lines without an arrow continue the one before.
fn examples(arrow: char) -> Vec<String> {
    let document = document();
    let mut frames: Vec<(char, String)> = Vec::new();
    for block in document.split("```text\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.strip_prefix(['→', '←']) {
                Some(json) => {
                    frames.push((line.chars().next().unwrap(), json.trim().to_owned()));
                }
                None => frames.last_mut().unwrap().1.push_str(line.trim()),
            }
        }
    }
    let chosen = frames.into_iter().filter(|(other, _)| *other == arrow);
    chosen.map(|(_, json)| json).collect()
}

fn kinds_of(frames: &[Value]) -> BTreeSet<String> {
    frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap().to_owned())
        .collect()
}

/// Every moderation action, with all its fields.
fn moderation_actions() -> Vec<ModerationAction> {
    let name = || Name::new("Bruno").unwrap();
    let room = RoomName::lobby;
    let actions = vec![
        ModerationAction::Mute {
            name: name(),
            seconds: 60,
        },
        ModerationAction::Unmute { name: name() },
        ModerationAction::ModeratorsOnly {
            room: room(),
            on: Some(true),
        },
        ModerationAction::Slow {
            room: room(),
            seconds: 10,
        },
        ModerationAction::Lock { on: Some(true) },
        ModerationAction::Kick { name: name() },
        ModerationAction::Ban {
            name: name(),
            seconds: 60,
        },
        ModerationAction::Unban { name: name() },
        ModerationAction::Erase(EraseRecent {
            room: room(),
            id: "a1".into(),
            name: name(),
            seconds: 60,
        }),
        ModerationAction::Announce { text: "oi".into() },
        ModerationAction::Promote { name: name() },
        ModerationAction::Demote { name: name() },
    ];
    for action in &actions {
        // Without a wildcard: a new action belongs into this list.
        match action {
            ModerationAction::Mute { .. }
            | ModerationAction::Unmute { .. }
            | ModerationAction::ModeratorsOnly { .. }
            | ModerationAction::Slow { .. }
            | ModerationAction::Lock { .. }
            | ModerationAction::Kick { .. }
            | ModerationAction::Ban { .. }
            | ModerationAction::Unban { .. }
            | ModerationAction::Erase(_)
            | ModerationAction::Announce { .. }
            | ModerationAction::Promote { .. }
            | ModerationAction::Demote { .. } => {}
        }
    }
    actions
}

#[test]
fn client_table_equals_what_the_server_parses() {
    let documented = documented("## O que o cliente diz");
    let requests = client_requests();
    assert_eq!(names(&documented), fields_by_kind(&requests));
    for request in &requests {
        let full = serde_json::to_value(request).unwrap();
        let kind = full["type"].as_str().unwrap();
        // What an action needs stands in the table of actions.
        if kind != "moderate" {
            assert_optional(kind, &full, &documented[kind], client_accepts);
        }
    }
    let fields: BTreeSet<String> = documented
        .into_values()
        .flat_map(BTreeMap::into_keys)
        .collect();
    let explained: BTreeSet<String> = table("### Os campos").iter().map(|row| key(row)).collect();
    assert_eq!(explained, fields);
}

#[test]
fn action_table_equals_the_moderation_actions() {
    let documented = documented("### Os atos de quem organiza");
    let mut actions = BTreeMap::new();
    for action in moderation_actions() {
        let message = ClientMessage::Moderate(action);
        let full = serde_json::to_value(&message).unwrap();
        let act = full["act"].as_str().unwrap().to_owned();
        assert_optional(&act, &full, &documented[&act], client_accepts);
        let fields = full.as_object().unwrap().keys();
        let others = fields.filter(|field| !matches!(field.as_str(), "type" | "act"));
        actions.insert(act, others.cloned().collect::<Vec<_>>());
    }
    assert_eq!(names(&documented), actions);
}

#[test]
fn server_table_equals_what_the_server_sends() {
    let documented = documented("## O que o servidor diz");
    let messages = server_messages();
    assert_eq!(names(&documented), fields_by_kind(&messages));
    for message in &messages {
        let full = serde_json::to_value(message).unwrap();
        let kind = full["type"].as_str().unwrap();
        assert_optional(kind, &full, &documented[kind], reads_as::<ServerMessage>);
    }
}

#[test]
fn table_of_parts_equals_the_server_types() {
    let rows = table("### As partes");
    let documented: BTreeMap<&str, Fields> = rows
        .iter()
        .map(|row| (row[0].as_str(), fields(&row[1])))
        .collect();
    let parts = ["entrada", "estado", "limites", "pessoa", "sala", "troca"];
    assert_eq!(
        documented.keys().copied().collect::<Vec<_>>(),
        parts,
        "the parts"
    );
    let check = |part: &str, full: Value, is_valid: &dyn Fn(&Value) -> bool| {
        let fields: Vec<&String> = full.as_object().unwrap().keys().collect();
        assert_eq!(
            documented[part].keys().collect::<BTreeSet<_>>(),
            fields.into_iter().collect(),
            "{part}"
        );
        assert_optional(part, &full, &documented[part], is_valid);
    };
    let message = server_messages()
        .into_iter()
        .find(|message| matches!(message, ServerMessage::Message(_)));
    let mut entry = serde_json::to_value(message.unwrap()).unwrap();
    entry.as_object_mut().unwrap().remove("type");
    check("entrada", entry, &reads_as::<Entry>);
    let member = Member {
        name: "Ana".into(),
        tag: "k3v9x2ab".into(),
        moderator: true,
    };
    check(
        "pessoa",
        serde_json::to_value(member).unwrap(),
        &reads_as::<Member>,
    );
    let renamed = Renamed {
        from: "Ana".into(),
        to: "Ana Maria".into(),
        tag: "z6r2k9wb".into(),
    };
    check(
        "troca",
        serde_json::to_value(renamed).unwrap(),
        &reads_as::<Renamed>,
    );
    let room = RoomInfo {
        room: "geral".into(),
        online: 1,
        seq: 1,
        password: true,
    };
    check(
        "sala",
        serde_json::to_value(room).unwrap(),
        &reads_as::<RoomInfo>,
    );
    check(
        "estado",
        serde_json::to_value(room_state()).unwrap(),
        &reads_as::<RoomState>,
    );
    let limits = Limits {
        text: 1,
        name: 1,
        room: 1,
        rate: 1.0,
        burst: 1,
    };
    check(
        "limites",
        serde_json::to_value(limits).unwrap(),
        &reads_as::<Limits>,
    );
}

#[test]
fn code_tables_equal_the_codes_that_exist() {
    let documented =
        |heading: &str| -> BTreeSet<String> { table(heading).iter().map(|row| key(row)).collect() };
    assert_eq!(documented("### De `error`"), code_names(&ErrorCode::ALL));
    assert_eq!(
        documented("### De `bye`, e de fechamento"),
        code_names(&ByeCode::ALL)
    );
}

#[test]
fn limit_table_equals_the_constants() {
    let rules = Rules::default();
    let number = |cell: &str| -> u64 { cell.replace('.', "").parse().expect(cell) };
    let documented: BTreeMap<String, u64> = table("## Os limites")
        .iter()
        .map(|row| (row[0].replace('`', ""), number(&row[1])))
        .collect();
    let expected: [(&str, u64); 22] = [
        ("texto de uma mensagem, em caracteres", MAX_TEXT as u64),
        ("nome de pessoa, em caracteres", MAX_NAME as u64),
        ("nome de sala, em caracteres", MAX_ROOM as u64),
        ("segredo, em caracteres, no mínimo", Token::MIN as u64),
        ("segredo, em caracteres, no máximo", Token::MAX as u64),
        (
            "senha ou chave de organização, em caracteres",
            Password::MAX as u64,
        ),
        ("quadro e mensagem WebSocket, em bytes", MAX_FRAME as u64),
        ("entradas em uma página", MAX_PAGE as u64),
        ("texto em uma página, em bytes", PAGE_BYTES as u64),
        ("pessoas listadas em joined", MAX_MEMBERS as u64),
        ("salas listadas em rooms", MAX_ROOMS_LISTED as u64),
        (
            "salas abertas em uma conexão",
            MAX_ROOMS_PER_CONNECTION as u64,
        ),
        (
            "mensagens de uma pessoa, de uma vez",
            u64::from(rules.burst),
        ),
        (
            "mensagens de uma pessoa, por segundo",
            rules.rate.unwrap() as u64,
        ),
        (
            "texto de uma pessoa, em bytes, de uma vez",
            TEXT_BURST_BYTES,
        ),
        (
            "texto de uma pessoa, em bytes por segundo",
            TEXT_BYTES_PER_SECOND as u64,
        ),
        (
            "outros pedidos de uma conexão, de uma vez",
            u64::from(REQUEST_BURST),
        ),
        (
            "outros pedidos de uma conexão, por segundo",
            REQUEST_RATE as u64,
        ),
        (
            "mensagens sem resposta em uma conexão",
            u64::from(ConnHandle::MAX_IN_FLIGHT),
        ),
        (
            "mensagens sem sentido antes de fechar",
            u64::from(MAX_MALFORMED),
        ),
        ("para entrar, em segundos", rules.entry_timeout.as_secs()),
        (
            "nome e lugar de quem caiu, em segundos",
            rules.grace.as_secs(),
        ),
    ];
    let text = |length: u64| "x".repeat(length as usize);
    let bounded: [(&str, &dyn Fn(u64) -> Value); 5] = [
        (
            "epoch ou local_key, em bytes",
            &|n| json!({"type": "enter", "name": "Ana", "epoch": text(n), "local_key": text(n)}),
        ),
        (
            "id, em caracteres",
            &|n| json!({"type": "say", "room": "geral", "id": text(n), "text": "oi"}),
        ),
        (
            "busca, em caracteres",
            &|n| json!({"type": "search", "room": "geral", "query": text(n)}),
        ),
        (
            "seconds de mute, ban e erase, no máximo",
            &|n| json!({"type": "moderate", "act": "mute", "name": "Bruno", "seconds": n}),
        ),
        (
            "seconds de slow, no máximo",
            &|n| json!({"type": "moderate", "act": "slow", "room": "geral", "seconds": n}),
        ),
    ];
    for (what, value) in expected {
        assert_eq!(documented.get(what), Some(&value), "{what}");
    }
    for (what, frame) in &bounded {
        let limit = documented[*what];
        assert!(client_accepts(&frame(limit)), "{what}");
        assert!(!client_accepts(&frame(limit + 1)), "{what}");
    }
    let heartbeat = "silêncio antes de um ping, em milissegundos";
    assert_eq!(documented[heartbeat], HEARTBEAT_MS);
    assert_eq!(documented.len(), expected.len() + bounded.len() + 1);
}

#[test]
fn client_examples_parse_and_have_known_fields() {
    let mut frames = Vec::new();
    for json in examples('→') {
        let request = ClientMessage::parse(&json)
            .unwrap_or_else(|refusal| panic!("{json}: {}", refusal.text));
        let shown: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(shown, serde_json::to_value(&request).unwrap(), "{json}");
        frames.push(shown);
    }
    let kinds = documented("## O que o cliente diz").into_keys().collect();
    assert_eq!(kinds_of(&frames), kinds, "each kind has an example");
}

#[test]
fn server_examples_are_what_the_server_writes() {
    let mut frames = Vec::new();
    for json in examples('←') {
        let message: ServerMessage =
            serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let shown: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(shown, serde_json::to_value(&message).unwrap(), "{json}");
        frames.push(shown);
    }
    let kinds = documented("## O que o servidor diz").into_keys().collect();
    assert_eq!(kinds_of(&frames), kinds, "each kind has an example");
}
