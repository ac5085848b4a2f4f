//! Several rooms at once.

use super::*;

#[test]
fn several_rooms_are_told_apart() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/deixar");
    assert_eq!(
        desk.shown(),
        ["! Esta é a única sala aberta. Para sair da conversa, digite /sair."]
    );
    desk.types("/entrar #Lab");
    desk.types("já escrevo aqui");
    assert_eq!(desk.sent(), ["join Lab None", "Lab x-1 já escrevo aqui"]);
    desk.hears(joined("Lab", "e7", 0, &[], false));
    desk.hears(says(1, "Bruno", "oi"));
    desk.types("/entrar geral");
    desk.types("/deixar lab");
    desk.hears(ServerMessage::Left { room: "Lab".into() });
    let expected = [
        "Você entrou em #Lab. 1 pessoa na sala: Bruno.",
        "#geral Bruno: oi",
        "Agora você escreve em #geral.",
        "Você saiu de #Lab. Agora você escreve em #geral.",
    ];
    assert_eq!(desk.shown(), expected);
}

#[test]
fn all_rooms_are_open_again_before_anything_is_said_in_them() {
    let mut desk = Desk::talking(PERSON);
    desk.types("/entrar lab");
    desk.hears(joined("lab", "e7", 0, &[], false));
    desk.happens(AppEvent::Disconnected(Disconnect::Closed));
    desk.types("no laboratório");
    desk.effects.clear();
    desk.enters("e1", 0, &[]);
    assert_eq!(
        desk.sent(),
        [
            "enter Ana Some(0)",
            "join lab Some(0)",
            "lab x-1 no laboratório"
        ]
    );
}

#[test]
fn what_was_cleared_can_be_read_back_to() {
    let mut desk = Desk::talking(PERSON);
    (1..=3).for_each(|seq| desk.hears(says(seq, "Bruno", "antes")));
    desk.types("/limpar");
    desk.happens(AppEvent::LoadEarlier);
    let asked = desk.sent();
    assert!(asked[0].contains("Before(4)"), "{asked:?}");
}
