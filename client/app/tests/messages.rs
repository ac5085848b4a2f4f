//! Messages, whispers, typing, and the people present.

use super::*;

#[test]
fn own_message_is_shown_at_the_position_of_its_ack() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("oi");
    assert_eq!(harness.take_sent(), ["geral x-1 oi"]);
    assert!(harness.take_shown().is_empty());
    harness.receive(message(1, "Bruno", "antes"));
    harness.receive(ack("x-1", 2));
    assert_eq!(harness.take_shown(), ["Bruno: antes", "Ana: oi"]);
}

/// The server cleans more than this client knows of.
#[test]
fn own_message_is_shown_as_it_was_stored() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    for (id, text) in [("x-1", "guardada"), ("x-2", "mudada\x1b[2J")] {
        harness.submit(if id == "x-1" { "dita" } else { "/editar dita" });
        harness.receive(ServerMessage::Ack {
            id: id.into(),
            room: Some("geral".into()),
            seq: Some(if id == "x-1" { 1 } else { 2 }),
            at: 1,
            text: Some(text.into()),
            duplicate: false,
        });
    }
    assert_eq!(
        harness.take_shown(),
        ["Ana: guardada", "Ana edits 1: mudada␛[2J"]
    );
}

#[test]
fn refused_message_is_shown_with_its_text() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("segredo");
    harness.receive(refusal(ErrorCode::Forbidden, Some("x-1")));
    assert_eq!(harness.take_shown(), ["! Não. Não enviada: “segredo”"]);
    harness.submit("/msg bruno psiu");
    harness.receive(refusal(ErrorCode::NoSuchPerson, Some("x-2")));
    assert_eq!(harness.take_shown(), ["! Não. Não enviada a Bruno: “psiu”"]);
    harness.submit("mais do que vinte caracteres");
    assert_eq!(
        harness.take_shown(),
        ["! A mensagem passou 8 caracteres do limite."]
    );
    assert!(harness.take_effects().contains(&AppEffect::RestoreInput(
        "mais do que vinte caracteres".into()
    )));
}

#[test]
fn too_fast_messages_are_resent_in_order() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("um");
    harness.submit("dois");
    assert_eq!(harness.take_sent(), ["geral x-1 um", "geral x-2 dois"]);
    for id in ["x-1", "x-2"] {
        let refusal = Refusal::too_fast(400).with_id(id);
        harness.receive(ServerMessage::Error(refusal));
    }
    harness.submit("três");
    assert!(harness.take_sent().is_empty());
    assert_eq!(
        harness.app.deadline(harness.now),
        Some(harness.now + Duration::from_millis(400))
    );
    harness.advance(400);
    assert_eq!(harness.take_sent(), ["geral x-1 um"]);
    harness.receive(ack("x-1", 1));
    harness.advance(400);
    assert_eq!(harness.take_sent(), ["geral x-2 dois"]);
    assert_eq!(harness.take_shown(), ["Ana: um"]);
}

#[test]
fn presence_is_shown_without_oneself() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(presence(&["João", "Ana"], &[]));
    harness.receive(presence(&["Célia\x1b[2J"], &["Bruno"]));
    harness.submit("/quem");
    let expected = [
        "João entrou",
        "Célia␛[2J entrou",
        "Bruno saiu",
        "Pessoas (3): Ana (você), Célia␛[2J, João",
    ];
    assert_eq!(harness.take_shown(), expected);
}

#[test]
fn whisper_finds_names_with_spaces() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(presence(&["Maria Clara", "Maria"], &[]));
    harness.effects.clear();
    harness.submit("/msg maria clara  oi");
    harness.submit("/w Maria tudo bem?");
    harness.submit("/msg “Zé Ninguém” psiu");
    assert_eq!(
        harness.take_sent(),
        [
            "→Maria Clara x-1 oi",
            "→Maria x-2 tudo bem?",
            "→Zé Ninguém x-3 psiu"
        ]
    );
    harness.submit("/msg bruno");
    assert_eq!(harness.take_shown(), ["! Escreva assim: /msg NOME TEXTO"]);
}

#[test]
fn whispers_are_explained_once_and_can_be_answered() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/msg Maria Clara oi");
    harness.receive(ServerMessage::Ack {
        id: "x-1".into(),
        room: None,
        seq: None,
        at: 1,
        duplicate: false,
        text: None,
    });
    harness.receive(whisper("Bruno", "e eu?"));
    let hint =
        "Só vocês dois veem as linhas com →, e elas não ficam guardadas. Para responder: /r TEXTO";
    assert_eq!(
        harness.take_shown(),
        ["você → Maria: Clara oi", hint, "Bruno → você: e eu?"]
    );
    harness.effects.clear();
    harness.submit("/r já vai");
    assert_eq!(harness.take_sent(), ["→Bruno x-2 já vai"]);
}

#[test]
fn typing_is_sent_at_most_every_three_seconds() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    let sent_after = |harness: &mut AppHarness, ms: u64| {
        harness.advance(ms);
        harness.handle(AppEvent::Typing);
        harness
            .take_sent()
            .iter()
            .filter(|message| message.starts_with("Typing"))
            .count()
    };
    assert_eq!(
        [
            sent_after(&mut harness, 0),
            sent_after(&mut harness, 1000),
            sent_after(&mut harness, 1999),
            sent_after(&mut harness, 1)
        ],
        [1, 0, 0, 1]
    );
    harness.submit("oi");
    assert_eq!(
        [sent_after(&mut harness, 500), sent_after(&mut harness, 500)],
        [0, 0]
    );
    assert_eq!(sent_after(&mut harness, 2000), 1);
}

#[test]
fn whisper_from_a_person_named_voce_is_not_own() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(whisper("você", "psiu"));
    let shown = harness
        .take_effects()
        .into_iter()
        .find_map(|effect| match effect {
            AppEffect::Show(Output::Whisper { own, .. }) => Some(own),
            _ => None,
        });
    assert_eq!(shown, Some(false));
}

#[test]
fn mentioned_and_listed_rooms_can_be_completed() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(message(1, "Bruno", "vamos para #laboratorio"));
    let info = |room: &str| RoomInfo {
        room: room.into(),
        online: 1,
        seq: 1,
        password: false,
    };
    harness.receive(ServerMessage::Rooms {
        rooms: vec![info("geral"), info("café")],
        id: None,
    });
    assert_eq!(
        harness.app.view_model(harness.now).known_rooms,
        ["geral", "café", "laboratorio"]
    );
}
