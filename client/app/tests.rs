//! Conversations as the state lives them: what the server says, what the person types, what is shown and sent.

use super::*;
use crate::line::Tone;
use crate::words;
use papo::protocol::{Entry, ErrorCode, Limits, Member, Refusal, RoomInfo, Span};
use std::sync::Arc;

const PERSON: Habits = Habits { attended: true, stays: false, insists: false };
const SCRIPT: Habits = Habits { attended: false, stays: false, insists: false };

/// Somebody at the client, and a clock turned by hand.
struct Desk {
    app: App,
    now: Instant,
    effects: Vec<Effect>,
}

impl Desk {
    fn new(habits: Habits, name: Option<&str>) -> Self {
        let address = Address::new("127.0.0.1", 9000);
        let name = name.map(|name| Name::new(name).unwrap());
        let token = Token::new(&"t".repeat(32)).unwrap();
        let app = App::new(address, habits, name, RoomName::lobby(), token, "x".into());
        let mut desk = Self { app, now: Instant::now(), effects: Vec::new() };
        desk.happens(Event::Started);
        desk
    }

    /// Ana, in the lobby with Bruno; what led there is forgotten.
    fn talking(habits: Habits) -> Self {
        let mut desk = Self::new(habits, Some("Ana"));
        desk.enters("e1", 0, &[]);
        desk.effects.clear();
        desk
    }

    fn happens(&mut self, event: Event) {
        self.effects.extend(self.app.handle(event, self.now));
    }

    fn hears(&mut self, message: ServerMessage) {
        self.happens(Event::Said(message));
    }

    fn types(&mut self, text: &str) {
        self.happens(Event::Submitted(text.into()));
    }

    fn waits(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.happens(Event::Tick);
    }

    fn enters(&mut self, epoch: &str, seq: u64, entries: &[Arc<Entry>]) {
        self.happens(Event::Opened);
        self.hears(welcome("Ana"));
        self.hears(joined("geral", epoch, seq, entries, false));
    }

    /// What was shown since the last time.
    fn shown(&mut self) -> Vec<String> {
        let shown = self.effects.extract_if(.., |effect| matches!(effect, Effect::Show(_)));
        let text = |effect| match effect {
            Effect::Show(Line::Message { room, from, action, text, .. }) => {
                let room = room.map(|room| format!("{room} ")).unwrap_or_default();
                vec![if action { format!("{room}* {from} {text}") } else { format!("{room}{from}: {text}") }]
            }
            Effect::Show(Line::Whisper { from, to, text, .. }) => vec![format!("{from} → {to}: {text}")],
            Effect::Show(Line::Presence { came, went, renamed, .. }) => words::presence(&came, &went, &renamed),
            Effect::Show(Line::Here { .. } | Line::Missed { .. }) => vec![],
            Effect::Show(Line::Notice(Tone::Problem, text)) => vec![format!("! {text}")],
            Effect::Show(Line::Notice(_, text)) => vec![text],
            other => panic!("{other:?}"),
        };
        shown.flat_map(text).collect()
    }

    /// What was sent since the last time, in few words.
    fn sent(&mut self) -> Vec<String> {
        let sent = self.effects.extract_if(.., |effect| matches!(effect, Effect::Send(_)));
        let words = |effect| match effect {
            Effect::Send(ClientMessage::Enter { name, since, .. }) => format!("enter {name} {:?}", since.after),
            Effect::Send(ClientMessage::Join { room, since }) => format!("join {room} {:?}", since.after),
            Effect::Send(ClientMessage::Say { room, id, text, .. }) => format!("{room} {id} {text}"),
            Effect::Send(ClientMessage::Whisper { to, id, text }) => format!("→{to} {id} {text}"),
            Effect::Send(ClientMessage::History { room, span: Span::After(seq), .. }) => format!("after {room} {seq}"),
            Effect::Send(other) => format!("{other:?}"),
            other => panic!("{other:?}"),
        };
        sent.map(words).collect()
    }

    /// What else was done since the last time.
    fn did(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}

fn member(name: &str) -> Member {
    Member { name: name.into(), tag: format!("tag-{name}").into() }
}

fn welcome(name: &str) -> ServerMessage {
    ServerMessage::Welcome {
        name: name.into(),
        tag: format!("tag-{name}").into(),
        token: Token::new(&"t".repeat(32)).unwrap(),
        protocol: 1,
        server: "teste".into(),
        limits: Limits { text: 20, name: 24, room: 32, rate: 5.0, burst: 20 },
        heartbeat_ms: 20_000,
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
    }
}

fn entry(seq: u64, from: &str, text: &str) -> Arc<Entry> {
    let tag = format!("tag-{from}").into();
    let (room, from) = ("geral".into(), from.into());
    Arc::new(Entry { room, seq, at: seq, from, tag, text: text.into(), action: false, reply_to: None })
}

fn says(seq: u64, from: &str, text: &str) -> ServerMessage {
    ServerMessage::Message(entry(seq, from, text))
}

fn ack(id: &str, seq: u64) -> ServerMessage {
    ServerMessage::Ack { id: id.into(), room: Some("geral".into()), seq: Some(seq), at: seq, duplicate: false }
}

fn refuses(code: ErrorCode, id: Option<&str>) -> ServerMessage {
    let refusal = Refusal::with_text(code, "Não.");
    ServerMessage::Error(match id {
        Some(id) => refusal.of(id),
        None => refusal,
    })
}

#[test]
fn somebody_enters_and_is_told_who_is_there() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    assert_eq!(desk.shown(), ["Conectando a 127.0.0.1:9000…"]);
    assert_eq!(desk.did(), [Effect::Connect]);
    desk.enters("e1", 1, &[entry(1, "Bruno", "cheguei cedo")]);
    assert_eq!(desk.sent(), ["enter Ana None"]);
    let expected = [
        "Bruno: cheguei cedo",
        "Você entrou como Ana. 1 pessoa na conversa: Bruno.",
        "Para ver os comandos, digite /ajuda.",
    ];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn a_name_is_asked_for_until_one_serves() {
    let mut desk = Desk::new(PERSON, None);
    assert!(desk.app.status(desk.now).asking_name);
    desk.types("<b>");
    assert!(desk.shown()[0].starts_with("! Este nome não serve"));
    desk.types("Bruno");
    desk.happens(Event::Opened);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert!(desk.app.status(desk.now).asking_name);
    assert_eq!(desk.sent(), ["enter Bruno None"]);
    desk.types("Ana");
    assert_eq!(desk.sent(), ["enter Ana None"], "on the same connection");
    desk.hears(welcome("Ana"));
    assert!(!desk.app.status(desk.now).asking_name);
}

#[test]
fn the_server_loses_patience_while_a_name_is_thought_about() {
    let mut desk = Desk::new(PERSON, Some("Bruno"));
    desk.happens(Event::Opened);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    desk.effects.clear();
    desk.hears(ServerMessage::Bye { code: ByeCode::Idle, text: "Demorou.".into(), retry_after_ms: None });
    desk.happens(Event::Gone(Gone::Ended));
    assert_eq!(desk.did(), []);
    desk.types("Ana");
    assert!(desk.did().contains(&Effect::Connect));
}

#[test]
fn the_own_message_stands_where_the_server_put_it() {
    let mut desk = Desk::talking(PERSON);
    desk.types("oi");
    assert_eq!(desk.sent(), ["geral x-1 oi"]);
    assert!(desk.shown().is_empty());
    desk.hears(says(1, "Bruno", "antes"));
    desk.hears(ack("x-1", 2));
    assert_eq!(desk.shown(), ["Bruno: antes", "Ana: oi"]);
}

#[test]
fn what_is_refused_is_shown_with_its_text() {
    let mut desk = Desk::talking(PERSON);
    desk.types("segredo");
    desk.hears(refuses(ErrorCode::Forbidden, Some("x-1")));
    assert_eq!(desk.shown(), ["! Não. Não enviada: “segredo”"]);
    desk.types("mais do que vinte caracteres");
    assert_eq!(desk.shown(), ["! A mensagem passou 8 caracteres do limite."]);
    assert!(desk.did().contains(&Effect::GiveBack("mais do que vinte caracteres".into())));
}

#[test]
fn too_fast_is_waited_for_and_said_again_in_order() {
    let mut desk = Desk::talking(PERSON);
    ["um", "dois"].into_iter().for_each(|text| desk.types(text));
    assert_eq!(desk.sent(), ["geral x-1 um", "geral x-2 dois"]);
    for id in ["x-1", "x-2"] {
        let refusal = Refusal::too_fast(400).of(id);
        desk.hears(ServerMessage::Error(refusal));
    }
    desk.types("três");
    assert!(desk.sent().is_empty());
    assert_eq!(desk.app.deadline(desk.now), Some(desk.now + Duration::from_millis(400)));
    desk.waits(400);
    assert_eq!(desk.sent(), ["geral x-1 um"]);
    desk.hears(ack("x-1", 1));
    desk.waits(400);
    assert_eq!(desk.sent(), ["geral x-2 dois"]);
    assert_eq!(desk.shown(), ["Ana: um"]);
}

#[test]
fn a_cut_is_survived_without_loss_or_repetition() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(says(1, "Bruno", "um"));
    desk.types("chegou");
    desk.types("não chegou");
    desk.happens(Event::Gone(Gone::Ended));
    assert!(desk.did().contains(&Effect::Retry(None)));
    desk.types("escrita sem conexão");
    assert!(desk.sent().is_empty());
    desk.enters("e1", 3, &[entry(2, "Ana", "chegou"), entry(3, "Bruno", "perdida")]);
    assert_eq!(
        desk.sent(),
        ["enter Ana Some(1)", "geral x-1 chegou", "geral x-2 não chegou", "geral x-3 escrita sem conexão"]
    );
    desk.hears(ack("x-1", 2));
    desk.hears(ack("x-2", 4));
    desk.hears(ack("x-3", 5));
    assert_eq!(desk.shown(), ["Ana: chegou", "Bruno: perdida", "Ana: não chegou", "Ana: escrita sem conexão"]);
}

#[test]
fn a_blink_is_not_mentioned_but_an_outage_is() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(Event::Gone(Gone::Ended));
    desk.waits(500);
    desk.enters("e1", 0, &[]);
    assert!(desk.shown().is_empty());
    desk.happens(Event::Gone(Gone::Ended));
    desk.waits(2000);
    assert!(desk.app.status(desk.now).offline);
    desk.enters("e1", 0, &[]);
    let expected = ["Sem conexão. Suas mensagens serão enviadas quando a conexão voltar.", "Conexão restabelecida."];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn a_long_absence_is_fetched_in_pages_and_in_order() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(says(1, "Bruno", "um"));
    desk.happens(Event::Gone(Gone::Ended));
    desk.happens(Event::Opened);
    desk.hears(welcome("Ana"));
    desk.effects.clear();
    desk.hears(joined("geral", "e1", 4, &[entry(2, "Bruno", "dois")], true));
    assert_eq!(desk.sent(), ["after geral 2"]);
    desk.hears(says(5, "Bruno", "cinco"));
    let page = vec![entry(3, "Bruno", "três"), entry(4, "Bruno", "quatro")];
    let (room, epoch) = ("geral".into(), "e1".into());
    desk.hears(ServerMessage::History { room, epoch, oldest: 1, entries: page, more: false });
    assert_eq!(desk.shown(), ["Bruno: dois", "Bruno: três", "Bruno: quatro", "Bruno: cinco"]);
}

#[test]
fn a_server_that_stops_says_when_to_come_back() {
    let mut desk = Desk::talking(PERSON);
    let text = "O servidor foi desligado.".to_owned();
    desk.hears(ServerMessage::Bye { code: ByeCode::Shutdown, text, retry_after_ms: Some(3000) });
    desk.happens(Event::Gone(Gone::Ended));
    assert_eq!(desk.shown(), ["O servidor foi desligado."]);
    assert_eq!(desk.did(), [Effect::Retry(Some(Duration::from_secs(3)))]);
}

#[test]
fn who_is_sent_out_does_not_come_back() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(ServerMessage::Bye { code: ByeCode::Kicked, text: "Até outro dia.".into(), retry_after_ms: None });
    desk.happens(Event::Gone(Gone::Ended));
    assert_eq!(desk.shown(), ["! Até outro dia."]);
    assert_eq!(desk.did(), [Effect::Close, Effect::Exit(Exit::Refused)]);
}

#[test]
fn people_come_and_go() {
    let mut desk = Desk::talking(PERSON);
    let presence = |joined: &[&str], left: &[&str]| ServerMessage::Presence {
        room: "geral".into(),
        online: 3,
        joined: joined.iter().copied().map(member).collect(),
        left: left.iter().copied().map(member).collect(),
        renamed: vec![],
    };
    desk.hears(presence(&["João", "Ana"], &[]));
    desk.hears(presence(&["Célia\x1b[2J"], &["Bruno"]));
    desk.types("/quem");
    let expected = ["João entrou", "Célia␛[2J entrou", "Bruno saiu", "Pessoas (3): Ana (você), Célia␛[2J, João"];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn private_words_find_names_with_spaces() {
    let mut desk = Desk::talking(PERSON);
    let room = "geral".into();
    let joined = vec![member("Maria Clara"), member("Maria")];
    desk.hears(ServerMessage::Presence { room, online: 4, joined, left: vec![], renamed: vec![] });
    desk.types("/msg maria clara  oi");
    desk.types("/w Maria tudo bem?");
    desk.types("/msg “Zé Ninguém” psiu");
    desk.types("/msg bruno");
    assert_eq!(desk.sent(), ["→Maria Clara x-1 oi", "→Maria x-2 tudo bem?", "→Zé Ninguém x-3 psiu"]);
    assert_eq!(desk.shown().last().unwrap(), "! Escreva assim: /msg NOME TEXTO");
    desk.hears(ServerMessage::Ack { id: "x-1".into(), room: None, seq: None, at: 1, duplicate: false });
    let (from, tag, to, text) = ("Bruno".into(), "tag-Bruno".into(), "Ana".into(), "e eu?".to_owned());
    desk.hears(ServerMessage::Whisper { from, tag, to, at: 2, text });
    desk.types("/r já vai");
    assert_eq!(desk.shown(), ["você → Maria Clara: oi", "Bruno → você: e eu?"]);
    assert_eq!(desk.sent(), ["→Bruno x-4 já vai"]);
}

#[test]
fn several_rooms_are_told_apart() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/deixar");
    assert_eq!(desk.shown(), ["! Esta é a única sala aberta. Para sair da conversa, digite /sair."]);
    desk.types("/entrar #Lab");
    desk.types("já escrevo aqui");
    assert_eq!(desk.sent(), ["join Lab None", "Lab x-1 já escrevo aqui"]);
    desk.hears(joined("Lab", "e7", 0, &[], false));
    desk.hears(says(1, "Bruno", "oi"));
    desk.types("/entrar geral");
    desk.types("/deixar lab");
    desk.hears(ServerMessage::Left { room: "Lab".into() });
    let expected = [
        "Você entrou em #Lab. 1 pessoa na sala: Bruno.",
        "#geral Bruno: oi",
        "Agora você escreve em #geral.",
        "Você saiu de #Lab. Agora você escreve em #geral.",
    ];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn all_rooms_are_open_again_before_anything_is_said_in_them() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/entrar lab");
    desk.hears(joined("lab", "e7", 0, &[], false));
    desk.happens(Event::Gone(Gone::Ended));
    desk.types("no laboratório");
    desk.effects.clear();
    desk.enters("e1", 0, &[]);
    assert_eq!(desk.sent(), ["enter Ana Some(0)", "join lab Some(0)", "lab x-1 no laboratório"]);
}

#[test]
fn leaving_waits_for_the_last_confirmation() {
    let mut desk = Desk::talking(PERSON);
    desk.types("tchau");
    desk.types("/sair");
    assert!(!desk.did().contains(&Effect::Close));
    desk.hears(ack("x-1", 1));
    assert_eq!(desk.did().last(), Some(&Effect::Close));
    desk.happens(Event::Gone(Gone::Ended));
    assert_eq!(desk.shown(), ["Até logo."]);
    assert_eq!(desk.did(), [Effect::Exit(Exit::Fine)]);
}

#[test]
fn leaving_without_connection_says_what_was_left_behind() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(Event::Gone(Gone::Ended));
    ["um", "dois", "três"].into_iter().for_each(|text| desk.types(text));
    desk.effects.clear();
    desk.happens(Event::Leave);
    assert_eq!(desk.shown(), ["! 3 mensagens não foram enviadas."]);
    assert_eq!(desk.did(), [Effect::Exit(Exit::Lost)]);
}

#[test]
fn ctrl_c_asks_for_two_seconds() {
    let mut desk = Desk::talking(PERSON);
    desk.happens(Event::Interrupt);
    assert!(desk.app.status(desk.now).confirming);
    desk.waits(2000);
    assert!(!desk.app.status(desk.now).confirming);
    desk.happens(Event::Interrupt);
    assert_eq!(desk.did(), []);
    desk.happens(Event::Interrupt);
    desk.happens(Event::Gone(Gone::Ended));
    assert!(desk.did().contains(&Effect::Exit(Exit::Interrupted)));
}

#[test]
fn a_script_speaks_waits_and_leaves() {
    let mut desk = Desk::new(SCRIPT, Some("robô"));
    assert!(!desk.app.wants_input());
    desk.enters("e1", 1, &[entry(1, "Bruno", "de ontem")]);
    assert!(desk.app.wants_input());
    desk.effects.clear();
    desk.types("backup pronto");
    desk.happens(Event::InputEnded);
    desk.waits(60_000);
    desk.hears(ack("x-1", 2));
    desk.happens(Event::Gone(Gone::Ended));
    assert_eq!(desk.shown(), ["Ana: backup pronto"]);
    assert_eq!(desk.did().last(), Some(&Effect::Exit(Exit::Fine)));
}

#[test]
fn a_script_hears_the_answers_to_its_questions_before_it_leaves() {
    let mut desk = Desk::talking(SCRIPT);
    desk.types("/salas");
    assert!(!desk.app.wants_input());
    desk.happens(Event::InputEnded);
    assert!(!desk.did().contains(&Effect::Close));
    desk.hears(ServerMessage::Rooms { rooms: vec![RoomInfo { room: "geral".into(), online: 2, seq: 0 }] });
    assert_eq!(desk.shown(), ["Salas:\n#geral  2 pessoas (você escreve aqui)"]);
    assert_eq!(desk.did(), [Effect::Close]);
}

#[test]
fn a_script_is_told_by_its_exit_what_went_wrong() {
    let lost = |desk: &mut Desk| {
        desk.happens(Event::Gone(Gone::Ended));
        desk.did().pop()
    };
    let mut desk = Desk::talking(SCRIPT);
    desk.types("oi");
    assert_eq!(lost(&mut desk), Some(Effect::Exit(Exit::Lost)));

    let mut desk = Desk::talking(SCRIPT);
    desk.types("/xyz");
    desk.happens(Event::InputEnded);
    assert_eq!(lost(&mut desk), Some(Effect::Exit(Exit::Usage)));

    let mut desk = Desk::new(SCRIPT, Some("Ana"));
    desk.happens(Event::Opened);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert_eq!(desk.shown(), ["! Não. Tente: cliente --nome \"Ana 2\""]);
    assert_eq!(lost(&mut desk), Some(Effect::Exit(Exit::Refused)));

    let mut desk = Desk::new(SCRIPT, Some("Ana"));
    desk.happens(Event::Gone(Gone::Failed(Failure::Refused)));
    assert_eq!(desk.did().pop(), Some(Effect::Exit(Exit::Unreachable)));
}

#[test]
fn whoever_never_answers_is_no_chat() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    desk.happens(Event::Opened);
    desk.effects.clear();
    desk.waits(10_000);
    assert!(desk.shown()[0].starts_with("! O que responde em 127.0.0.1:9000 não é um servidor"));
    assert_eq!(desk.did(), [Effect::Close, Effect::Exit(Exit::Unreachable)]);
}
