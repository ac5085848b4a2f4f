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
    harness.advance(29_999);
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
        id: None,
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

/// Whatever a server does not answer, a script ends.
#[test]
fn script_waits_thirty_seconds_for_an_answer() {
    for typed in ["oi", "/salas", "/entrar lab", "/nome Bia"] {
        let mut harness = AppHarness::in_lobby(SCRIPT);
        harness.submit(typed);
        harness.receive(message(1, "Bruno", "enquanto isso"));
        harness.advance(29_999);
        assert!(!harness.take_effects().contains(&AppEffect::Close));
        harness.advance(1);
        assert_eq!(
            harness.take_shown()[0],
            "! O servidor não respondeu em 30 s. Tente de novo mais tarde."
        );
        harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
        assert_eq!(
            harness.take_effects().last(),
            Some(&AppEffect::Exit(Exit::ConnectionLost)),
            "{typed}"
        );
    }
}

/// A server that always puts off what it is sent is answered by an end, too.
#[test]
fn script_whose_messages_are_always_put_off_ends() {
    let mut harness = AppHarness::in_lobby(SCRIPT);
    harness.submit("oi");
    for _ in 0..10 {
        assert!(!harness.take_effects().contains(&AppEffect::Close));
        let refusal = Refusal::too_fast(60_000).with_id("x-1");
        harness.receive(ServerMessage::Error(refusal));
        harness.advance(60_000);
    }
    assert_eq!(
        harness.take_shown().last().map(String::as_str),
        Some("! O servidor não aceitou nenhuma mensagem em 10 minutos. Tente de novo mais tarde.")
    );
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::ConnectionLost))
    );
}

/// The lines after it would have been said in the room before.
#[test]
fn refused_join_ends_a_script() {
    for (code, room, exit) in [
        (ErrorCode::PasswordRequired, Some("cofre"), Exit::Refused),
        (ErrorCode::TooManyRooms, None, Exit::Refused),
        (ErrorCode::HistoryUnavailable, None, Exit::Unreachable),
    ] {
        let mut harness = AppHarness::in_lobby(SCRIPT);
        harness.submit("/entrar cofre");
        let start = harness.now;
        while !harness.effects.contains(&AppEffect::Close) {
            if !harness.take_sent().is_empty() {
                let refusal = Refusal::new(code);
                harness.receive(ServerMessage::Error(match room {
                    Some(room) => refusal.with_room(room.into()),
                    None => refusal,
                }));
            }
            assert!(!harness.app.wants_input());
            harness.advance(500);
            assert!(harness.now - start <= Duration::from_secs(32));
        }
        harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
        assert_eq!(
            harness.take_effects().last(),
            Some(&AppEffect::Exit(exit)),
            "{code:?}"
        );
    }
}

#[test]
fn listening_script_may_hear_nothing_for_an_hour() {
    let mut harness = AppHarness::in_lobby(Mode {
        keep_listening: true,
        ..SCRIPT
    });
    harness.handle(AppEvent::InputEnded);
    harness.advance(3_600_000);
    assert_eq!(harness.take_effects(), []);
}
