//! Entering: names, passwords, and addresses without a chat server.

use super::*;
use papo::protocol::{Enter, Join};

#[test]
fn entering_shows_the_people_present() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    assert_eq!(harness.take_shown(), ["Conectando a 127.0.0.1:9000…"]);
    assert_eq!(harness.take_effects(), [AppEffect::Connect]);
    harness.enter("e1", 1, &[entry(1, "Bruno", "cheguei cedo")]);
    assert_eq!(harness.take_sent(), ["enter Ana None"]);
    let expected = [
        "Bruno: cheguei cedo",
        "Você entrou como Ana. 1 pessoa na conversa: Bruno.",
        "Para ver os comandos, digite /ajuda.",
    ];
    assert_eq!(harness.take_shown(), expected);
}

#[test]
fn name_prompt_repeats_until_a_name_is_accepted() {
    let mut harness = AppHarness::new(INTERACTIVE, None);
    assert_eq!(
        harness.app.view_model(harness.now).prompt,
        Some(Prompt::Name)
    );
    harness.submit("<b>");
    assert!(harness.take_shown()[0].starts_with("! Este nome não serve"));
    harness.submit("Bruno");
    harness.handle(AppEvent::Connected);
    harness.receive(refusal(ErrorCode::NameTaken, None));
    assert_eq!(
        harness.app.view_model(harness.now).prompt,
        Some(Prompt::Name)
    );
    assert_eq!(harness.take_sent(), ["enter Bruno None"]);
    harness.submit("Ana");
    assert_eq!(
        harness.take_sent(),
        ["enter Ana None"],
        "on the same connection"
    );
    harness.receive(welcome("Ana"));
    assert_eq!(harness.app.view_model(harness.now).prompt, None);
}

#[test]
fn idle_bye_during_the_name_prompt_is_silent() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Bruno"));
    harness.handle(AppEvent::Connected);
    harness.receive(refusal(ErrorCode::NameTaken, None));
    harness.effects.clear();
    harness.receive(ServerMessage::Bye {
        code: ByeCode::Idle,
        text: "Demorou.".into(),
        retry_after_ms: None,
    });
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_effects(), []);
    harness.submit("Ana");
    assert!(harness.take_effects().contains(&AppEffect::Connect));
}

#[test]
fn unanswered_enter_fails_as_not_a_chat() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    harness.handle(AppEvent::Connected);
    harness.effects.clear();
    harness.advance(10_000);
    assert!(
        harness.take_shown()[0].starts_with("! O que responde em 127.0.0.1:9000 não é um servidor")
    );
    assert_eq!(
        harness.take_effects(),
        [AppEffect::Close, AppEffect::Exit(Exit::Unreachable)]
    );
}

#[test]
fn name_prompt_can_be_left() {
    for (name, leaves) in [
        (None, AppEvent::Submitted("/sair".into())),
        (None, AppEvent::InputEnded),
    ] {
        let mut harness = AppHarness::new(INTERACTIVE, name);
        harness.handle(leaves);
        assert_eq!(harness.take_effects(), [AppEffect::Exit(Exit::Success)]);
    }
    let mut harness = AppHarness::new(INTERACTIVE, Some("Bruno"));
    harness.handle(AppEvent::Connected);
    harness.handle(AppEvent::InputEnded);
    harness.effects.clear();
    harness.receive(refusal(ErrorCode::NameTaken, None));
    assert!(
        harness.take_effects().contains(&AppEffect::Close),
        "no other name will come"
    );
}

#[test]
fn reconnecting_script_reports_the_failure_once() {
    let mut harness = AppHarness::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    for _ in 0..3 {
        harness.handle(AppEvent::Disconnected(DisconnectCause::ConnectFailed(
            ConnectError::Refused,
        )));
    }
    assert!(
        harness
            .take_effects()
            .iter()
            .all(|effect| !matches!(effect, AppEffect::Exit(_)))
    );
    let mut harness = AppHarness::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    harness.handle(AppEvent::Disconnected(DisconnectCause::ConnectFailed(
        ConnectError::Refused,
    )));
    assert!(
        harness.take_shown()[0].starts_with("! Não encontrei nenhum servidor em 127.0.0.1:9000.")
    );
    harness.handle(AppEvent::Disconnected(DisconnectCause::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(harness.take_shown(), [""; 0]);
}

#[test]
fn password_prompt_repeats_until_it_is_right() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    harness.handle(AppEvent::Connected);
    for code in [ErrorCode::PasswordRequired, ErrorCode::PasswordWrong] {
        harness.receive(refusal(code, None));
        assert_eq!(
            harness.app.view_model(harness.now).prompt,
            Some(Prompt::Password)
        );
        harness.submit("girassol");
        assert_eq!(
            harness.take_sent().last().unwrap(),
            "enter Ana None",
            "on the same connection"
        );
    }
    harness.receive(ServerMessage::Error(
        Refusal::new(ErrorCode::PasswordRequired).with_room("geral".into()),
    ));
    assert_eq!(
        harness.app.view_model(harness.now).prompt,
        Some(Prompt::RoomPassword)
    );
    harness.effects.clear();
    harness.submit("miosótis");
    let Some(AppEffect::Send(ClientMessage::Enter(Enter { credentials, .. }))) =
        harness.take_effects().pop()
    else {
        panic!("no enter")
    };
    assert_eq!(
        (credentials.password, credentials.room_password),
        (Password::new("girassol"), Password::new("miosótis"))
    );
}

#[test]
fn script_without_password_is_told_the_option() {
    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    harness.handle(AppEvent::Connected);
    harness.receive(refusal(ErrorCode::PasswordRequired, None));
    assert_eq!(
        harness.take_shown(),
        ["! Não. Assim: cliente --senha SENHA"]
    );
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().pop(),
        Some(AppEffect::Exit(Exit::Refused))
    );
}

#[test]
fn rejoin_sends_the_remembered_room_password() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab girassol");
    harness.receive(joined("lab", "e1", 0, &[], false));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.effects.clear();
    harness.enter("e1", 0, &[]);
    let passwords = harness
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            AppEffect::Send(ClientMessage::Join(Join { room_password, .. })) => room_password,
            _ => None,
        });
    assert_eq!(
        passwords.collect::<Vec<_>>(),
        [Password::new("girassol").unwrap()]
    );
}

/// A temporary refusal, with the wait that the server asks for.
fn temporary(code: ErrorCode, retry_after_ms: Option<u64>) -> ServerMessage {
    ServerMessage::Error(Refusal {
        retry_after_ms,
        ..Refusal::with_text(code, "Agora não.")
    })
}

#[test]
fn temporary_refusal_of_enter_is_retried() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    harness.handle(AppEvent::Connected);
    harness.effects.clear();
    for (code, asked, seconds) in [
        (ErrorCode::HistoryUnavailable, None, 1),
        (ErrorCode::TooFast, Some(7000), 7),
        (ErrorCode::HistoryUnavailable, Some(u64::MAX), 60),
    ] {
        harness.receive(temporary(code, asked));
        harness.advance(seconds * 1000 - 1);
        assert!(harness.take_sent().is_empty());
        harness.advance(1);
        assert_eq!(harness.take_sent(), ["enter Ana None"]);
    }
    assert_eq!(
        harness.take_shown(),
        ["! Agora não. Nova tentativa em 1 s."],
        "the same reason once"
    );
    // The server closes meanwhile, because nobody has entered: the next try opens a new connection.
    harness.receive(temporary(ErrorCode::HistoryUnavailable, None));
    harness.receive(ServerMessage::Bye {
        code: ByeCode::Idle,
        text: "Demorou.".into(),
        retry_after_ms: None,
    });
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(harness.take_effects(), []);
    harness.submit("");
    assert_eq!(harness.take_effects(), [AppEffect::Connect]);
    harness.enter("e1", 0, &[]);
    assert!(harness.app.view_model(harness.now).connected);
}

#[test]
fn script_asks_to_enter_for_thirty_seconds() {
    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    harness.submit("aviso");
    harness.handle(AppEvent::Connected);
    let start = harness.now;
    while !harness
        .effects
        .contains(&AppEffect::Exit(Exit::Unreachable))
    {
        harness.receive(temporary(ErrorCode::HistoryUnavailable, None));
        harness.advance(500);
        assert!(harness.now - start <= Duration::from_secs(32));
    }
    assert!(harness.now - start > Duration::from_secs(15));
    assert_eq!(
        harness.take_shown(),
        [
            "! Agora não. Nova tentativa em 1 s.",
            "! Agora não. Não entrei a tempo; tente de novo mais tarde.",
            "! 1 mensagem não foi enviada."
        ]
    );
}

#[test]
fn script_does_not_wait_longer_than_it_asks() {
    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    harness.handle(AppEvent::Connected);
    harness.receive(temporary(ErrorCode::TooFast, Some(57_000)));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Unreachable))
    );
}

/// `welcome` used to count as entered: a room that could not be opened then left a script waiting for ever.
#[test]
fn welcome_without_joined_is_no_entry() {
    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    harness.handle(AppEvent::Connected);
    harness.receive(welcome("robô"));
    assert!(!harness.app.wants_input());
    harness.receive(refusal(ErrorCode::TooManyRooms, None));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Refused))
    );

    let mut harness = AppHarness::new(SCRIPT, Some("robô"));
    let start = harness.now;
    harness.handle(AppEvent::Connected);
    harness.receive(welcome("robô"));
    while !harness
        .effects
        .contains(&AppEffect::Exit(Exit::Unreachable))
    {
        harness.advance(1000);
        assert!(harness.now - start <= Duration::from_secs(32));
        if harness
            .effects
            .pop_if(|effect| *effect == AppEffect::Connect)
            .is_some()
        {
            harness.handle(AppEvent::Connected);
            harness.receive(welcome("robô"));
        }
    }
    assert!(harness.take_shown()[0].starts_with("! O servidor não abriu a sala a tempo."));
}

/// The organizer alone was thrown out when the server restarted, with what was queued.
#[test]
fn void_moderator_key_is_dropped_on_reconnect() {
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    harness.app.credentials.moderator_key = Password::new("chave-antiga");
    harness.enter("e1", 0, &[]);
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.submit("na fila");
    harness.handle(AppEvent::Connected);
    harness.effects.clear();
    harness.receive(refusal(ErrorCode::ModeratorKeyWrong, None));
    let [AppEffect::Send(ClientMessage::Enter(enter))] = &harness.effects[..] else {
        panic!("{:?}", harness.effects)
    };
    assert_eq!(enter.credentials.moderator_key, None);
    harness.receive(welcome("Ana"));
    harness.receive(joined("geral", "e1", 0, &[], false));
    assert_eq!(
        harness.take_shown(),
        ["O servidor foi religado: para organizar, use a chave nova."]
    );
    assert_eq!(harness.take_sent().last().unwrap(), "geral x-1 na fila");

    // On the first entry a wrong key is a mistake that the person must notice.
    let mut harness = AppHarness::new(INTERACTIVE, Some("Ana"));
    harness.app.credentials.moderator_key = Password::new("errada");
    harness.handle(AppEvent::Connected);
    harness.receive(refusal(ErrorCode::ModeratorKeyWrong, None));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    assert_eq!(
        harness.take_effects().last(),
        Some(&AppEffect::Exit(Exit::Refused))
    );
}
