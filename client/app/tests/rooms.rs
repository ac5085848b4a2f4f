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
    assert_eq!(
        harness.take_sent(),
        ["join Lab None", "Lab x-1 já escrevo aqui"]
    );
    harness.receive(joined("Lab", "e7", 0, &[], false));
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
fn reconnect_joins_all_rooms_before_sending() {
    let mut harness = AppHarness::in_lobby(INTERACTIVE);
    harness.submit("/entrar lab");
    harness.receive(joined("lab", "e7", 0, &[], false));
    harness.handle(AppEvent::Disconnected(DisconnectCause::Closed));
    harness.submit("no laboratório");
    harness.effects.clear();
    harness.enter("e1", 0, &[]);
    assert_eq!(
        harness.take_sent(),
        [
            "enter Ana Some(0)",
            "join lab Some(0)",
            "lab x-1 no laboratório"
        ]
    );
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
