//! Moderation: the commands, and their effects on everyone.

use super::*;
use papo::protocol::Renamed;

fn notice(text: &str, room: Option<&str>, from: Option<&str>) -> ServerMessage {
    ServerMessage::Notice {
        at: 1,
        text: text.into(),
        room: room.map(Arc::from),
        from: from.map(Arc::from),
        id: None,
    }
}

#[test]
fn notices_stay_on_one_line() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(notice(
        "Bruno trancou a conversa: ninguém novo entra.",
        None,
        None,
    ));
    harness.receive(notice(
        "Bruno desligou o modo lento na sala geral.",
        Some("geral"),
        None,
    ));
    harness.receive(notice("pausa\n09:05 Célia: oi\x1b[2J", None, Some("Bruno")));
    let expected = [
        "Bruno trancou a conversa: ninguém novo entra.",
        "(geral) Bruno desligou o modo lento na sala geral.",
        "Aviso de Bruno: pausa 09:05 Célia: oi␛[2J",
    ];
    assert_eq!(harness.take_shown(), expected);
}

#[test]
fn moderator_has_a_star_until_demoted() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(ServerMessage::Role {
        name: "Bruno".into(),
        tag: "tag-Bruno".into(),
        moderator: true,
    });
    let renamed = Renamed {
        from: "Bruno".into(),
        to: "Zé".into(),
        tag: "tag-Zé".into(),
    };
    harness.receive(ServerMessage::Presence {
        room: "geral".into(),
        online: 2,
        joined: vec![],
        left: vec![],
        renamed: vec![renamed],
    });
    harness.submit("/quem");
    assert_eq!(
        harness.take_shown(),
        ["Bruno agora é Zé", "Pessoas (2): Ana (você), Zé ★"]
    );
    harness.receive(ServerMessage::Role {
        name: "Zé".into(),
        tag: "tag-Zé".into(),
        moderator: false,
    });
    assert!(
        harness
            .app
            .view_model(harness.now)
            .people
            .iter()
            .all(|person| !person.moderator)
    );
}

#[test]
fn kicked_or_banned_client_is_told_and_exits() {
    for code in [ByeCode::Kicked, ByeCode::Banned] {
        let mut harness = AppHarness::in_lobby(INTERACTIVE);
        harness.receive(ServerMessage::Bye {
            code,
            text: "Até outro dia.".into(),
            retry_after_ms: Some(1000),
        });
        harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
        assert_eq!(harness.take_shown(), ["! Até outro dia."]);
        assert_eq!(
            harness.take_effects(),
            [AppEffect::Close, AppEffect::Exit(Exit::Refused)]
        );
    }
}

#[test]
fn each_moderation_command_sends_one_action() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    let cases = [
        (
            "/silenciar bruno 30s",
            r#""act":"mute","name":"bruno","seconds":30"#,
        ),
        (
            "/silenciar Ana 2",
            r#""act":"mute","name":"Ana","seconds":120"#,
        ),
        (
            "/mute “Zé Ninguém”",
            r#""act":"mute","name":"Zé Ninguém","seconds":600"#,
        ),
        ("/ouvir Bruno", r#""act":"unmute","name":"Bruno""#),
        (
            "/silenciar-todos",
            r#""act":"moderators_only","room":"geral""#,
        ),
        (
            "/silenciar-todos não",
            r#""act":"moderators_only","room":"geral","on":false"#,
        ),
        ("/lento 10s", r#""act":"slow","room":"geral","seconds":10"#),
        ("/lento 0", r#""act":"slow","room":"geral","seconds":0"#),
        ("/trancar", r#""act":"lock""#),
        ("/trancar sim", r#""act":"lock","on":true"#),
        (
            "/expulsar Maria Clara",
            r#""act":"kick","name":"Maria Clara""#,
        ),
        (
            "/banir Bruno 1h",
            r#""act":"ban","name":"Bruno","seconds":3600"#,
        ),
        ("/perdoar Bruno", r#""act":"unban","name":"Bruno""#),
        (
            "/avisar pausa de dez minutos",
            r#""act":"announce","text":"pausa de dez minutos""#,
        ),
        ("/promover Bruno", r#""act":"promote","name":"Bruno""#),
        ("/rebaixar Bruno", r#""act":"demote","name":"Bruno""#),
    ];
    for (typed, act) in cases {
        harness.submit(typed);
        let Some(AppEffect::Send(message)) = harness.take_effects().into_iter().next() else {
            panic!("{typed}")
        };
        assert_eq!(
            message.to_json(),
            format!(r#"{{"type":"moderate",{act}}}"#),
            "{typed}"
        );
    }
    for wrong in ["/expulsar", "/lento logo", "/silenciar", "/trancar talvez"] {
        harness.submit(wrong);
        assert!(
            harness.take_shown()[0].starts_with("! Escreva assim: /"),
            "{wrong}"
        );
    }
}

#[test]
fn script_waits_until_its_action_is_done() {
    let mut harness = AppHarness::in_lobby(SCRIPT);
    harness.submit("/expulsar Bruno");
    assert!(!harness.app.wants_input());
    harness.receive(refusal(ErrorCode::Forbidden, None));
    harness.receive(ServerMessage::Pong { id: None });
    assert!(harness.app.wants_input());
    assert_eq!(harness.take_shown(), ["! Não."]);
}

#[test]
fn moderator_erasure_is_fetched_from_the_log() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.receive(message(1, "Bruno", "spam"));
    harness.submit("/apagar bruno 1h");
    harness.effects.clear();
    harness.receive(ack("x-1", 2));
    harness.receive(message(3, "Bruno", "ora"));
    assert_eq!(harness.take_sent(), ["after geral 1"]);
    let erasure = Entry {
        erases: vec![1],
        ..Entry::clone(&entry(2, "Ana", ""))
    };
    harness.receive(history(vec![Arc::new(erasure)]));
    assert_eq!(harness.take_shown(), ["Ana erases [1]", "Bruno: ora"]);
}

#[test]
fn room_state_follows_its_room() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    harness.receive(joined("lab", "e7", 0, &[], false));
    harness.effects.clear();
    let slow = RoomState {
        slow_ms: 30_000,
        ..RoomState::default()
    };
    harness.receive(ServerMessage::RoomState {
        room: "geral".into(),
        state: slow.clone(),
    });
    assert_eq!(
        harness.app.view_model(harness.now).state,
        RoomState::default()
    );
    harness.submit("/entrar geral");
    assert_eq!(harness.app.view_model(harness.now).state, slow);
    // The notice beside it says who did it; the state is no line of its own.
    assert_eq!(harness.take_shown(), ["Agora você escreve em #geral."]);
    // The state after a reconnect replaces it.
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.enter("e1", 0, &[]);
    assert_eq!(
        harness.app.view_model(harness.now).state,
        RoomState::default()
    );
}
