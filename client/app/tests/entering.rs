//! Coming in: a name, a room, and servers that are none.

use super::*;

#[test]
fn somebody_enters_and_is_told_who_is_there() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    assert_eq!(desk.shown(), ["Conectando a 127.0.0.1:9000…"]);
    assert_eq!(desk.did(), [AppEffect::Connect]);
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
    assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Name));
    desk.types("<b>");
    assert!(desk.shown()[0].starts_with("! Este nome não serve"));
    desk.types("Bruno");
    desk.happens(AppEvent::Connected);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Name));
    assert_eq!(desk.sent(), ["enter Bruno None"]);
    desk.types("Ana");
    assert_eq!(desk.sent(), ["enter Ana None"], "on the same connection");
    desk.hears(welcome("Ana"));
    assert_eq!(desk.app.view_model(desk.now).prompt, None);
}

#[test]
fn the_server_loses_patience_while_a_name_is_thought_about() {
    let mut desk = Desk::new(PERSON, Some("Bruno"));
    desk.happens(AppEvent::Connected);
    desk.hears(refuses(ErrorCode::NameTaken, None));
    desk.effects.clear();
    desk.hears(ServerMessage::Bye {
        code: ByeCode::Idle,
        text: "Demorou.".into(),
        retry_after_ms: None,
    });
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.did(), []);
    desk.types("Ana");
    assert!(desk.did().contains(&AppEffect::Connect));
}

#[test]
fn whoever_never_answers_is_no_chat() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    desk.happens(AppEvent::Connected);
    desk.effects.clear();
    desk.waits(10_000);
    assert!(desk.shown()[0].starts_with("! O que responde em 127.0.0.1:9000 não é um servidor"));
    assert_eq!(
        desk.did(),
        [AppEffect::Close, AppEffect::Exit(Exit::Unreachable)]
    );
}

#[test]
fn a_name_that_is_asked_for_need_not_be_given() {
    for (name, leaves) in [
        (None, AppEvent::Submitted("/sair".into())),
        (None, AppEvent::InputEnded),
    ] {
        let mut desk = Desk::new(PERSON, name);
        desk.happens(leaves);
        assert_eq!(desk.did(), [AppEffect::Exit(Exit::Success)]);
    }
    let mut desk = Desk::new(PERSON, Some("Bruno"));
    desk.happens(AppEvent::Connected);
    desk.happens(AppEvent::InputEnded);
    desk.effects.clear();
    desk.hears(refuses(ErrorCode::NameTaken, None));
    assert!(
        desk.did().contains(&AppEffect::Close),
        "nobody will write another name"
    );
}

#[test]
fn who_insists_is_told_once_what_is_being_waited_for() {
    let mut desk = Desk::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    for _ in 0..3 {
        desk.happens(AppEvent::Disconnected(Disconnect::ConnectFailed(
            ConnectError::Refused,
        )));
    }
    assert!(
        desk.did()
            .iter()
            .all(|effect| !matches!(effect, AppEffect::Exit(_)))
    );
    let mut desk = Desk::new(
        Mode {
            reconnect: true,
            ..SCRIPT
        },
        Some("robô"),
    );
    desk.happens(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert!(desk.shown()[0].starts_with("! Não encontrei nenhum servidor em 127.0.0.1:9000."));
    desk.happens(AppEvent::Disconnected(Disconnect::ConnectFailed(
        ConnectError::Refused,
    )));
    assert_eq!(desk.shown(), [""; 0]);
}

#[test]
fn a_password_is_asked_for_until_it_is_right() {
    let mut desk = Desk::new(PERSON, Some("Ana"));
    desk.happens(AppEvent::Connected);
    for code in [
        ErrorCode::PasswordRequired,
        ErrorCode::PasswordWrong,
        ErrorCode::TooFast,
    ] {
        desk.hears(refuses(code, None));
        assert_eq!(desk.app.view_model(desk.now).prompt, Some(Prompt::Password));
        desk.types("girassol");
        assert_eq!(
            desk.sent().last().unwrap(),
            "enter Ana None",
            "on the same connection"
        );
    }
    desk.hears(ServerMessage::Error(
        Refusal::new(ErrorCode::PasswordRequired).with_room("geral".into()),
    ));
    assert_eq!(
        desk.app.view_model(desk.now).prompt,
        Some(Prompt::RoomPassword)
    );
    desk.effects.clear();
    desk.types("miosótis");
    let Some(AppEffect::Send(ClientMessage::Enter {
        credentials: secrets,
        ..
    })) = desk.did().pop()
    else {
        panic!("no enter")
    };
    assert_eq!(
        (secrets.password, secrets.room_password),
        (Password::new("girassol"), Password::new("miosótis"))
    );
}

#[test]
fn a_script_without_the_password_is_told_how_to_give_it() {
    let mut desk = Desk::new(SCRIPT, Some("robô"));
    desk.happens(AppEvent::Connected);
    desk.hears(refuses(ErrorCode::PasswordRequired, None));
    assert_eq!(desk.shown(), ["! Não. Assim: cliente --senha SENHA"]);
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    assert_eq!(desk.did().pop(), Some(AppEffect::Exit(Exit::Refused)));
}

#[test]
fn a_room_is_opened_again_with_its_password() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/entrar lab girassol");
    desk.hears(joined("lab", "e1", 0, &[], false));
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    desk.effects.clear();
    desk.enters("e1", 0, &[]);
    let passwords = desk.did().into_iter().filter_map(|effect| match effect {
        AppEffect::Send(ClientMessage::Join { room_password, .. }) => room_password,
        _ => None,
    });
    assert_eq!(
        passwords.collect::<Vec<_>>(),
        [Password::new("girassol").unwrap()]
    );
}
