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
    for code in [
        ErrorCode::PasswordRequired,
        ErrorCode::PasswordWrong,
        ErrorCode::TooFast,
    ] {
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
