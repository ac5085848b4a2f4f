//! Edited and erased messages.

use super::*;
use crate::app::output::MessageChange;

fn amended(change: MessageChange) -> Output {
    Output::Amended {
        room: "geral".into(),
        at: NINE,
        from: "Bruno".into(),
        change,
    }
}

#[test]
fn edit_and_erasure_change_the_message_in_place() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.say(1, "Bruno", "rascunho");
    harness.say(2, "Célia", "segredo");
    harness.say(3, "João", "boa");
    harness.view.show(&amended(MessageChange::Edited {
        seq: 1,
        text: "uma frase que não cabe numa só linha desta janela".into(),
    }));
    harness.view.show(&amended(MessageChange::Erased(vec![2])));
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas           /ajuda  F2
───────────────── terça-feira, 3 de março ──────────────────
09:01    Bruno  uma frase que não cabe numa só linha desta
                janela (editada)
09:02    Célia  (mensagem apagada)
09:03     João  boa

 Ana ›
",
    );
    let terminal = harness.render();
    let buffer = terminal.backend().buffer();
    let dim_text = |y: u16| -> String {
        (6..60)
            .filter(|&x| buffer[(x, y)].modifier.contains(Modifier::DIM))
            .map(|x| buffer[(x, y)].symbol())
            .collect()
    };
    assert_eq!(
        [dim_text(3), dim_text(4)],
        ["(editada)", "(mensagem apagada)"]
    );
    assert_eq!(harness.view.total_unread(), 0);
}

#[test]
fn erasure_also_applies_to_search_results() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.view.show(&Output::Found {
        room: "geral".into(),
        query: "seg".into(),
        messages: vec![message("geral", NINE + 2 * MINUTE, "Célia", "segredo")],
        more: false,
    });
    harness.view.show(&amended(MessageChange::Erased(vec![2])));
    let screen = harness.screen();
    assert_eq!(screen[5], " 03/03 09:02 Célia: (mensagem apagada)");
}
