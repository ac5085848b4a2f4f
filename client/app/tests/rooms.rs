//! Several rooms at once.

use super::*;

#[test]
fn messages_name_the_room_they_belong_to() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/deixar");
    assert_eq!(
        harness.take_shown(),
        ["! Esta é a única sala aberta. Para sair da conversa, digite /sair."]
    );
    harness.submit("/entrar #Lab");
    harness.submit("já escrevo aqui");
    assert_eq!(harness.take_sent(), ["join Lab None"]);
    harness.receive(joined("Lab", "e7", 0, &[], false));
    assert_eq!(harness.take_sent(), ["Lab x-1 já escrevo aqui"]);
    harness.receive(message(1, "Bruno", "oi"));
    let in_lab = Entry {
        room: "Lab".into(),
        ..Entry::clone(&entry(1, "Bruno", "olá"))
    };
    harness.receive(ServerMessage::Message(Arc::new(in_lab)));
    harness.submit("/entrar geral");
    harness.submit("/deixar lab");
    harness.receive(ServerMessage::Left {
        room: "Lab".into(),
        id: None,
    });
    let expected = [
        "Você entrou em #Lab. 1 pessoa na sala: Bruno.",
        "Bruno: oi",
        "#Lab Bruno: olá",
        "Agora você escreve em #geral.",
        "Você saiu de #Lab. Agora você escreve em #geral.",
    ];
    assert_eq!(harness.take_shown(), expected);
}

#[test]
fn room_gets_its_queue_only_once_it_is_joined_again() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    harness.receive(joined("lab", "e7", 0, &[], false));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.submit("no laboratório");
    harness.effects.clear();
    harness.enter("e1", 0, &[]);
    assert_eq!(
        harness.take_sent(),
        ["enter Ana Some(0)", "join lab Some(0)"]
    );
    // Sent too early, it would have been refused as for a room that one is not in.
    harness.receive(refusal(ErrorCode::HistoryUnavailable, None));
    assert_eq!(harness.take_shown(), ["! Não. Nova tentativa em 1 s."]);
    harness.advance(999);
    assert!(harness.take_sent().is_empty());
    harness.advance(1);
    assert_eq!(harness.take_sent(), ["join lab Some(0)"]);
    harness.receive(refusal(ErrorCode::HistoryUnavailable, None));
    harness.advance(2000);
    harness.receive(joined("lab", "e7", 0, &[], false));
    assert_eq!(
        harness.take_sent(),
        ["join lab Some(0)", "lab x-1 no laboratório"]
    );
    assert!(harness.take_shown().is_empty());
}

#[test]
fn refused_join_gives_back_what_was_meant_for_the_room() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar cofre");
    harness.submit("o segredo é 42");
    harness.submit("/msg Bruno oi");
    harness.receive(ServerMessage::Error(
        Refusal::new(ErrorCode::PasswordRequired).with_room("cofre".into()),
    ));
    let sentence = "! A sala “cofre” tem senha. Escreva a senha para entrar nela.";
    assert_eq!(
        harness.take_shown(),
        [
            format!("{sentence} Não enviada: “o segredo é 42”"),
            format!("{sentence} Assim: /entrar SALA SENHA"),
        ]
    );
    harness.submit("de volta");
    assert_eq!(
        harness.take_sent(),
        ["join cofre None", "→Bruno x-2 oi", "geral x-3 de volta"]
    );
}

#[test]
fn join_of_a_new_room_is_given_up_after_five_times() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    for _ in 0..5 {
        harness.receive(refusal(ErrorCode::HistoryUnavailable, None));
        harness.advance(10_000);
    }
    assert_eq!(harness.take_sent(), ["join lab None"; 5]);
    assert_eq!(
        harness.take_shown(),
        ["! Não. Nova tentativa em 1 s.", "! Não."]
    );
    harness.submit("aqui mesmo");
    assert_eq!(harness.take_sent(), ["geral x-1 aqui mesmo"]);
}

#[test]
fn cleared_messages_can_be_loaded_again() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    for seq in 1..=3 {
        harness.receive(message(seq, "Bruno", "antes"));
    }
    harness.submit("/limpar");
    harness.handle(AppEvent::LoadEarlier);
    let sent = harness.take_sent();
    assert!(sent[0].contains("Before(4)"), "{sent:?}");
}
