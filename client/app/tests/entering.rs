//! Coming in: a name, a room, and servers that are none.

use super::*;

#[test]
fn entering_shows_the_people_present() {
    let mut desk = AppHarness::new(INTERACTIVE, Some("Ana"));
    assert_eq!(desk.take_shown(), ["Conectando a 127.0.0.1:9000…"]);
    assert_eq!(desk.take_effects(), [AppEffect::Connect]);
    desk.enter("e1", 1, &[entry(1, "Bruno", "cheguei cedo")]);
    assert_eq!(desk.take_sent(), ["enter Ana None"]);
    let expected = [
        "Bruno: cheguei cedo",
        "Você entrou como Ana. 1 pessoa na conversa: Bruno.",
        "Para ver os comandos, digite /ajuda.",
    ];
    assert_eq!(desk.take_shown(), expected);
}

#[test]
fn name_prompt_repeats_until_a_name_is_accepted() {
    let mut desk = AppHarness::new(INTERACTIVE, None);
    assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Name));
    desk.submit("<b>");
    assert!(desk.take_shown()[0].starts_with("! Este nome não serve"));
    desk.submit("Bruno");
    desk.handle(AppEvent::Connected);
    desk.receive(refusal(ErrorCode::NameTaken, None));
    assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Name));
    assert_eq!(desk.take_sent(), ["enter Bruno None"]);
    desk.submit("Ana");
    assert_eq!(
        desk.take_sent(),
        ["enter Ana None"],
        "on the same connection"
    );
    desk.receive(welcome("Ana"));
    assert_eq!(desk.app.view_model(desk.now).prompt, None);
}

#[test]
fn idle_bye_during_the_name_prompt_is_silent() {
    let mut desk = AppHarness::new(INTERACTIVE, Some("Bruno"));
    desk.handle(AppEvent::Connected);
    desk.receive(refusal(ErrorCode::NameTaken, None));
    desk.effects.clear();
    desk.receive(ServerMessage::Bye {
        code: ByeCode::Idle,
        text: "Demorou.".into(),
        retry_after_ms: None,
    });
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.take_effects(), []);
    desk.submit("Ana");
    assert!(desk.take_effects().contains(&AppEffect::Connect));
}

#[test]
fn unanswered_enter_fails_as_not_a_chat() {
    let mut desk = AppHarness::new(INTERACTIVE, Some("Ana"));
    desk.handle(AppEvent::Connected);
    desk.effects.clear();
    desk.advance(10_000);
    assert!(
        desk.take_shown()[0].starts_with("! O que responde em 127.0.0.1:9000 não é um servidor")
    );
    assert_eq!(
        desk.take_effects(),
        [AppEffect::Close, AppEffect::Exit(Exit::Unreachable)]
    );
}

#[test]
fn name_prompt_can_be_left() {
    for (name, leaves) in [
        (None, AppEvent::Submitted("/sair".into())),
        (None, AppEvent::InputEnded),
    ] {
        let mut desk = AppHarness::new(INTERACTIVE, name);
        desk.handle(leaves);
        assert_eq!(desk.take_effects(), [AppEffect::Exit(Exit::Success)]);
    }
    let mut desk = AppHarness::new(INTERACTIVE, Some("Bruno"));
    desk.handle(AppEvent::Connected);
    desk.handle(AppEvent::InputEnded);
    desk.effects.clear();
    desk.receive(refusal(ErrorCode::NameTaken, None));
    assert!(
        desk.take_effects().contains(&AppEffect::Close),
        "nobody will write another name"
    );
}

#[test]
fn reconnecting_script_reports_the_failure_once() {
    let mut desk = AppHarness::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    for _ in 0..3 {
        desk.handle(AppEvent::Disconnected(Disconnect::ConnectFailed(
            ConnectError::Refused,
        )));
    }
    assert!(
        desk.take_effects()
            .iter()
            .all(|effect| !matches!(effect, AppEffect::Exit(_)))
    );
    let mut desk = AppHarness::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    desk.handle(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert!(desk.take_shown()[0].starts_with("! Não encontrei nenhum servidor em 127.0.0.1:9000."));
    desk.handle(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(desk.take_shown(), [""; 0]);
}

#[test]
fn password_prompt_repeats_until_it_is_right() {
    let mut desk = AppHarness::new(INTERACTIVE, Some("Ana"));
    desk.handle(AppEvent::Connected);
    for code in [
        ErrorCode::PasswordRequired,
        ErrorCode::PasswordWrong,
        ErrorCode::TooFast,
    ] {
        desk.receive(refusal(code, None));
        assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Password));
        desk.submit("girassol");
        assert_eq!(
            desk.take_sent().last().unwrap(),
            "enter Ana None",
            "on the same connection"
        );
    }
    desk.receive(ServerMessage::Error(
        Refusal::new(ErrorCode::PasswordRequired).with_room("geral".into()),
    ));
    assert_eq!(
        desk.app.view_model(desk.now).prompt,
        Some(Prompt::RoomPassword)
    );
    desk.effects.clear();
    desk.submit("miosótis");
    let Some(AppEffect::Send(ClientMessage::Enter {
        credentials: secrets,
        ..
    })) = desk.take_effects().pop()
    else {
        panic!("no enter")
    };
    assert_eq!(
        (secrets.password, secrets.room_password),
        (Password::new("girassol"), Password::new("miosótis"))
    );
}

#[test]
fn script_without_password_is_told_the_option() {
    let mut desk = AppHarness::new(SCRIPT, Some("robô"));
    desk.handle(AppEvent::Connected);
    desk.receive(refusal(ErrorCode::PasswordRequired, None));
    assert_eq!(desk.take_shown(), ["! Não. Assim: cliente --senha SENHA"]);
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(
        desk.take_effects().pop(),
        Some(AppEffect::Exit(Exit::Refused))
    );
}

#[test]
fn rejoin_sends_the_remembered_room_password() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/entrar lab girassol");
    desk.receive(joined("lab", "e1", 0, &[], false));
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    desk.effects.clear();
    desk.enter("e1", 0, &[]);
    let passwords = desk
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            AppEffect::Send(ClientMessage::Join { room_password, .. }) => room_password,
            _ => None,
        });
    assert_eq!(
        passwords.collect::<Vec<_>>(),
        [Password::new("girassol").unwrap()]
    );
}
