//! Several rooms at once.

use super::*;

#[test]
fn messages_are_labelled_when_several_rooms_are_open() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/deixar");
    assert_eq!(
        desk.take_shown(),
        ["! Esta é a única sala aberta. Para sair da conversa, digite /sair."]
    );
    desk.submit("/entrar #Lab");
    desk.submit("já escrevo aqui");
    assert_eq!(
        desk.take_sent(),
        ["join Lab None", "Lab x-1 já escrevo aqui"]
    );
    desk.receive(joined("Lab", "e7", 0, &[], false));
    desk.receive(message(1, "Bruno", "oi"));
    desk.submit("/entrar geral");
    desk.submit("/deixar lab");
    desk.receive(ServerMessage::Left { room: "Lab".into() });
    let expected = [
        "Você entrou em #Lab. 1 pessoa na sala: Bruno.",
        "#geral Bruno: oi",
        "Agora você escreve em #geral.",
        "Você saiu de #Lab. Agora você escreve em #geral.",
    ];
    assert_eq!(desk.take_shown(), expected);
}

#[test]
fn reconnect_joins_all_rooms_before_sending() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    desk.submit("/entrar lab");
    desk.receive(joined("lab", "e7", 0, &[], false));
    desk.handle(AppEvent::Disconnected(Disconnect::Closed));
    desk.submit("no laboratório");
    desk.effects.clear();
    desk.enter("e1", 0, &[]);
    assert_eq!(
        desk.take_sent(),
        [
            "enter Ana Some(0)",
            "join lab Some(0)",
            "lab x-1 no laboratório"
        ]
    );
}

#[test]
fn cleared_messages_can_be_loaded_again() {
    let mut desk = AppHarness::in_lobby(INTERACTIVE);
    (1..=3).for_each(|seq| desk.receive(message(seq, "Bruno", "antes")));
    desk.submit("/limpar");
    desk.handle(AppEvent::LoadEarlier);
    let asked = desk.take_sent();
    assert!(asked[0].contains("Before(4)"), "{asked:?}");
}
