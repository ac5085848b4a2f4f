//! Scripts: lines in, lines out, an exit code.

use super::*;

#[test]
fn script_leaves_after_the_last_ack() {
    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    assert!(!harness.app.wants_input());
    harness.enter("e1", 1, &[entry(1, "Bruno", "de ontem")]);
    assert!(harness.app.wants_input());
    harness.effects.clear();
    harness.submit("backup pronto");
    harness.handle(AppEvent::InputEnded);
    harness.advance(60_000);
    harness.receive(ack("x-1", 2));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_shown(), ["Ana: backup pronto"]);
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Success))
    );
}

#[test]
fn script_waits_for_replies_before_it_leaves() {
    let mut harness = AppHarness::in_lobby(SCRIPT);
    harness.submit("/salas");
    assert!(!harness.app.wants_input());
    harness.handle(AppEvent::InputEnded);
    assert!(!harness.take_effects().contains(&AppEffect::Close));
    harness.receive(ServerMessage::Rooms {
        rooms: vec![RoomInfo {
            room: "geral".into(),
            online: 2,
            seq: 0,
            password: false,
        }],
    });
    assert_eq!(
        harness.take_shown(),
        ["Salas:\n#geral  2 pessoas (você escreve aqui)"]
    );
    assert_eq!(harness.take_effects(), [AppEffect::Close]);
}

#[test]
fn script_exit_code_tells_what_failed() {
    let lost = |harness: &mut AppHarness| {
        harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
        harness.take_effects().pop()
    };
    let mut harness = AppHarness::in_lobby(SCRIPT);
    harness.submit("oi");
    assert_eq!(
        lost(&mut harness),
        Some(AppEffect::Exit(Exit::ConnectionLost))
    );

    let mut harness = AppHarness::in_lobby(SCRIPT);
    harness.submit("/xyz");
    harness.handle(AppEvent::InputEnded);
    assert_eq!(lost(&mut harness), Some(AppEffect::Exit(Exit::Usage)));

    let mut harness = AppHarness::new(SCRIPT, Some("Ana"));
    harness.handle(AppEvent::Connected);
    harness.receive(refusal(ErrorCode::NameTaken, None));
    assert_eq!(
        harness.take_shown(),
        ["! Não. Tente: cliente --nome \"Ana 2\""]
    );
    assert_eq!(lost(&mut harness), Some(AppEffect::Exit(Exit::Refused)));

    let mut harness = AppHarness::new(SCRIPT, Some("Ana"));
    harness.handle(AppEvent::Disconnected(DisconnectCause::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(
        harness.take_effects().pop(),
        Some(AppEffect::Exit(Exit::Unreachable))
    );
}
