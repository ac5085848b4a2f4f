//! Coming in: a name, a room, and servers that are none.

use super::*;

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
fn whoever_never_answers_is_no_chat() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    desk.happens(Event::Opened);
    desk.effects.clear();
    desk.waits(10_000);
    assert!(desk.shown()[0].starts_with("! O que responde em 127.0.0.1:9000 não é um servidor"));
    assert_eq!(desk.did(), [Effect::Close, Effect::Exit(Exit::Unreachable)]);
}

#[test]
fn a_name_that_is_asked_for_need_not_be_given() {
    for (name, leaves) in [(None, Event::Submitted("/sair".into())), (None, Event::InputEnded)] {
        let mut desk = Desk::new(PERSON, name);
        desk.happens(leaves);
        assert_eq!(desk.did(), [Effect::Exit(Exit::Fine)]);
    }
    let mut desk = Desk::new(PERSON, Some("Bruno"));
    desk.happens(Event::Opened);
    desk.happens(Event::InputEnded);
    desk.effects.clear();
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert!(desk.did().contains(&Effect::Close), "nobody will write another name");
}

#[test]
fn who_insists_is_told_once_what_is_being_waited_for() {
    let mut desk = Desk::new(Habits { insists: true, ..SCRIPT }, Some("robô"));
    for _ in 0..3 {
        desk.happens(Event::Gone(Gone::Failed(Failure::Refused)));
    }
    assert!(desk.did().iter().all(|effect| !matches!(effect, Effect::Exit(_))));
    let mut desk = Desk::new(Habits { insists: true, ..SCRIPT }, Some("robô"));
    desk.happens(Event::Gone(Gone::Failed(Failure::Refused)));
    assert!(desk.shown()[0].starts_with("! Não encontrei nenhum servidor em 127.0.0.1:9000."));
    desk.happens(Event::Gone(Gone::Failed(Failure::Refused)));
    assert_eq!(desk.shown(), [""; 0]);
}
