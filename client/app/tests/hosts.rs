//! Those who keep the conversation in order: what they do, and what is seen of it.

use super::*;

fn notice(text: &str, room: Option<&str>, from: Option<&str>) -> ServerMessage {
    ServerMessage::Notice { at: 1, text: text.into(), room: room.map(Arc::from), from: from.map(Arc::from) }
}

#[test]
fn notices_stand_apart_and_stay_one_line() {
    let mut desk = Desk::talking(PERSON);
    desk.hears(notice("Bruno trancou a conversa: ninguém novo entra.", None, None));
    desk.hears(notice("Bruno desligou o modo lento na sala geral.", Some("geral"), None));
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
    desk.hears(ServerMessage::Host { name: "Bruno".into(), tag: "tag-Bruno".into(), host: true });
    let (from, to, tag) = ("Bruno".into(), "Zé".into(), "tag-Zé".into());
    let renamed = vec![papo::protocol::Renamed { from, to, tag }];
    desk.hears(ServerMessage::Presence { room: "geral".into(), online: 2, joined: vec![], left: vec![], renamed });
    desk.types("/quem");
    assert_eq!(desk.shown(), ["Bruno agora é Zé", "Pessoas (2): Ana (você), Zé ★"]);
    desk.hears(ServerMessage::Host { name: "Zé".into(), tag: "tag-Zé".into(), host: false });
    assert!(desk.app.status(desk.now).people.iter().all(|face| !face.host));
}

#[test]
fn who_is_sent_out_is_told_and_does_not_come_back_by_itself() {
    for code in [ByeCode::Kicked, ByeCode::Banned] {
        let mut desk = Desk::talking(PERSON);
        desk.hears(ServerMessage::Bye { code, text: "Até outro dia.".into(), retry_after_ms: Some(1000) });
        desk.happens(Event::Gone(Gone::Ended));
        assert_eq!(desk.shown(), ["! Até outro dia."]);
        assert_eq!(desk.did(), [Effect::Close, Effect::Exit(Exit::Refused)]);
    }
}
