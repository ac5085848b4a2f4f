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
    desk.happens(AppEvent::InputEnded);
    desk.waits(60_000);
    desk.hears(ack("x-1", 2));
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.shown(), ["Ana: backup pronto"]);
    assert_eq!(desk.did().last(), Some(&AppEffect::Exit(Exit::Success)));
}

#[test]
fn a_script_hears_the_answers_to_its_questions_before_it_leaves() {
    let mut desk = Desk::talking(SCRIPT);
    desk.types("/salas");
    assert!(!desk.app.wants_input());
    desk.happens(AppEvent::InputEnded);
    assert!(!desk.did().contains(&AppEffect::Close));
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
    assert_eq!(desk.did(), [AppEffect::Close]);
}

#[test]
fn a_script_is_told_by_its_exit_what_went_wrong() {
    let lost = |desk: &mut Desk| {
        desk.happens(AppEvent::Disconnected(Disconnect::Closed));
        desk.did().pop()
    };
    let mut desk = Desk::talking(SCRIPT);
    desk.types("oi");
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::ConnectionLost)));

    let mut desk = Desk::talking(SCRIPT);
    desk.types("/xyz");
    desk.happens(AppEvent::InputEnded);
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::Usage)));

    let mut desk = Desk::new(SCRIPT, Some("Ana"));
    desk.happens(AppEvent::Connected);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert_eq!(desk.shown(), ["! Não. Tente: cliente --nome \"Ana 2\""]);
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::Refused)));

    let mut desk = Desk::new(SCRIPT, Some("Ana"));
    desk.happens(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(desk.did().pop(), Some(AppEffect::Exit(Exit::Unreachable)));
}
