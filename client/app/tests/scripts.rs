//! Nobody at the keyboard: lines in, lines out, an exit code.

use super::*;

#[test]
fn script_leaves_after_the_last_ack() {
    let mut desk = AppHarness::new(SCRIPT, Some("robô"));
    assert!(!desk.app.wants_input());
    desk.enter("e1", 1, &[entry(1, "Bruno", "de ontem")]);
    assert!(desk.app.wants_input());
    desk.effects.clear();
    desk.submit("backup pronto");
    desk.handle(AppEvent::InputEnded);
    desk.advance(60_000);
    desk.receive(ack("x-1", 2));
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.take_shown(), ["Ana: backup pronto"]);
    assert_eq!(
        desk.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Success))
    );
}

#[test]
fn script_waits_for_replies_before_it_leaves() {
    let mut desk = AppHarness::in_lobby(SCRIPT);
    desk.submit("/salas");
    assert!(!desk.app.wants_input());
    desk.handle(AppEvent::InputEnded);
    assert!(!desk.take_effects().contains(&AppEffect::Close));
    desk.receive(ServerMessage::Rooms {
        rooms: vec![RoomInfo {
            room: "geral".into(),
            online: 2,
            seq: 0,
        }],
    });
    assert_eq!(
        desk.take_shown(),
        ["Salas:\n#geral  2 pessoas (você escreve aqui)"]
    );
    assert_eq!(desk.take_effects(), [AppEffect::Close]);
}

#[test]
fn script_exit_code_tells_what_failed() {
    let lost = |desk: &mut AppHarness| {
        desk.handle(AppEvent::Disconnected(Disconnect::Closed));
        desk.take_effects().pop()
    };
    let mut desk = AppHarness::in_lobby(SCRIPT);
    desk.submit("oi");
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::ConnectionLost)));

    let mut desk = AppHarness::in_lobby(SCRIPT);
    desk.submit("/xyz");
    desk.handle(AppEvent::InputEnded);
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::Usage)));

    let mut desk = AppHarness::new(SCRIPT, Some("Ana"));
    desk.handle(AppEvent::Connected);
    desk.receive(refusal(ErrorCode::NameTaken, None));
    assert_eq!(
        desk.take_shown(),
        ["! Não. Tente: cliente --nome \"Ana 2\""]
    );
    assert_eq!(lost(&mut desk), Some(AppEffect::Exit(Exit::Refused)));

    let mut desk = AppHarness::new(SCRIPT, Some("Ana"));
    desk.handle(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(
        desk.take_effects().pop(),
        Some(AppEffect::Exit(Exit::Unreachable))
    );
}
