//! Nobody at the keyboard: lines in, lines out, an exit code.

use super::*;

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
    desk.hears(ServerMessage::Rooms {
        rooms: vec![RoomInfo {
            room: "geral".into(),
            online: 2,
            seq: 0,
        }],
    });
    assert_eq!(
        desk.shown(),
        ["Salas:\n#geral  2 pessoas (você escreve aqui)"]
    );
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
    desk.happens(Event::Gone(Gone::Failed(ConnectError::Refused)));
    assert_eq!(desk.did().pop(), Some(Effect::Exit(Exit::Unreachable)));
}
