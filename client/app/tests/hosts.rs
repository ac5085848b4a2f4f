//! Those who keep the conversation in order: what they do, and what is seen of it.

use super::*;

fn notice(text: &str, room: Option<&str>, from: Option<&str>) -> ServerMessage {
    ServerMessage::Notice {
        at: 1,
        text: text.into(),
        room: room.map(Arc::from),
        from: from.map(Arc::from),
    }
}

#[test]
fn notices_stand_apart_and_stay_one_line() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(notice(
        "Bruno trancou a conversa: ninguém novo entra.",
        None,
        None,
    ));
    desk.hears(notice(
        "Bruno desligou o modo lento na sala geral.",
        Some("geral"),
        None,
    ));
    desk.hears(notice("pausa\n09:05 Célia: oi\x1b[2J", None, Some("Bruno")));
    let expected = [
        "Bruno trancou a conversa: ninguém novo entra.",
        "(geral) Bruno desligou o modo lento na sala geral.",
        "Aviso de Bruno: pausa 09:05 Célia: oi␛[2J",
    ];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn who_organizes_has_a_star() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(ServerMessage::Role {
        name: "Bruno".into(),
        tag: "tag-Bruno".into(),
        moderator: true,
    });
    let (from, to, tag) = ("Bruno".into(), "Zé".into(), "tag-Zé".into());
    let renamed = vec![papo::protocol::Renamed { from, to, tag }];
    desk.hears(ServerMessage::Presence {
        room: "geral".into(),
        online: 2,
        joined: vec![],
        left: vec![],
        renamed,
    });
    desk.types("/quem");
    assert_eq!(
        desk.shown(),
        ["Bruno agora é Zé", "Pessoas (2): Ana (você), Zé ★"]
    );
    desk.hears(ServerMessage::Role {
        name: "Zé".into(),
        tag: "tag-Zé".into(),
        moderator: false,
    });
    assert!(
        desk.app
            .view_model(desk.now)
            .people
            .iter()
            .all(|face| !face.moderator)
    );
}

#[test]
fn who_is_sent_out_is_told_and_does_not_come_back_by_itself() {
    for code in [ByeCode::Kicked, ByeCode::Banned] {
        let mut desk = Desk::talking(PERSON);
        desk.hears(ServerMessage::Bye {
            code,
            text: "Até outro dia.".into(),
            retry_after_ms: Some(1000),
        });
        desk.happens(AppEvent::Disconnected(Disconnect::Closed));
        assert_eq!(desk.shown(), ["! Até outro dia."]);
        assert_eq!(
            desk.did(),
            [AppEffect::Close, AppEffect::Exit(Exit::Refused)]
        );
    }
}

#[test]
fn what_hosts_ask_for_is_one_act_each() {
    let mut desk = Desk::talking(PERSON);
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
        ("/silenciar-todos", r#""act":"mute_all","room":"geral""#),
        (
            "/silenciar-todos não",
            r#""act":"mute_all","room":"geral","on":false"#,
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
            r#""act":"notify","text":"pausa de dez minutos""#,
        ),
        ("/promover Bruno", r#""act":"promote","name":"Bruno""#),
        ("/rebaixar Bruno", r#""act":"demote","name":"Bruno""#),
    ];
    for (typed, act) in cases {
        desk.types(typed);
        let Some(AppEffect::Send(message)) = desk.did().into_iter().next() else {
            panic!("{typed}")
        };
        assert_eq!(
            message.to_json(),
            format!(r#"{{"type":"host",{act}}}"#),
            "{typed}"
        );
    }
    for wrong in ["/expulsar", "/lento logo", "/silenciar", "/trancar talvez"] {
        desk.types(wrong);
        assert!(desk.shown()[0].starts_with("! Escreva assim: /"), "{wrong}");
    }
}

#[test]
fn a_script_waits_until_its_act_is_done() {
    let mut desk = Desk::talking(SCRIPT);
    desk.types("/expulsar Bruno");
    assert!(!desk.app.wants_input());
    desk.hears(refuses(ErrorCode::Forbidden, None));
    desk.hears(ServerMessage::Pong);
    assert!(desk.app.wants_input());
    assert_eq!(desk.shown(), ["! Não."]);
}

#[test]
fn what_a_host_took_back_is_fetched_from_the_log() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(says(1, "Bruno", "spam"));
    desk.types("/apagar bruno 1h");
    desk.effects.clear();
    desk.hears(ack("x-1", 2));
    desk.hears(says(3, "Bruno", "ora"));
    assert_eq!(desk.sent(), ["after geral 1"]);
    let erasure = Entry {
        erases: vec![1],
        ..Entry::clone(&entry(2, "Ana", ""))
    };
    let (room, epoch): (Arc<str>, Arc<str>) = ("geral".into(), "e1".into());
    let entries = vec![Arc::new(erasure)];
    desk.hears(ServerMessage::History {
        room,
        epoch,
        oldest: 1,
        entries,
        more: false,
    });
    assert_eq!(desk.shown(), ["Ana erases [1]", "Bruno: ora"]);
}
