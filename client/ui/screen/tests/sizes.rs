//! One conversation in windows of every size.

use super::*;

#[test]
fn conversation_fits_eighty_columns() {
    let mut harness = conversation(80, 14);
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas                               /ajuda  F2



─────────────────────────── terça-feira, 3 de março ────────────────────────────
09:00           +João +Rita −Bruno
09:05    Célia  alguém revisa o hub.rs? @Ana
                é curtinho 🙂
09:06    Bruno  eu olho depois do almoço, agora estou numa reunião que não
                termina nunca
─────────────────────────────── novas mensagens ────────────────────────────────
09:11    Célia  @Ana viu?
 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn conversation_fits_forty_columns() {
    let mut harness = conversation(40, 12);
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas
09:00 +João +Rita −Bruno
09:05 Célia: alguém revisa o hub.rs?
      @Ana
      é curtinho 🙂
09:06 Bruno: eu olho depois do almoço,
      agora estou numa reunião que não
      termina nunca
─────────── novas mensagens ────────────
09:11 Célia: @Ana viu?
 Célia está digitando…
 Ana › estou revisando
",
    );
}

#[test]
fn narrow_window_separates_time_and_name() {
    let mut harness = conversation(20, 8);
    harness.assert_screen(
        "
 ● Ana · 4 pessoas
      nunca
─ novas mensagens ──
09:11 Célia: @Ana
      viu?
 Célia está digit…
 Ana › estou revisa
       ndo
",
    );
}

#[test]
fn wide_window_uses_the_full_width() {
    let mut harness = conversation(200, 60);
    let rule = |word: &str| {
        let free = 198 - super::super::wrap::width(word);
        format!(
            "{} {word} {}",
            "─".repeat(free / 2),
            "─".repeat(free - free / 2)
        )
    };
    let mut expected = vec![format!(
        " ● {:186}/ajuda  F2",
        "192.168.0.10:9000 · Ana · 4 pessoas"
    )];
    expected.extend(vec![String::new(); 50]);
    expected.extend([
        rule("terça-feira, 3 de março"),
        "09:00           +João +Rita −Bruno".into(),
        "09:05    Célia  alguém revisa o hub.rs? @Ana".into(),
        "                é curtinho 🙂".into(),
        "09:06    Bruno  eu olho depois do almoço, agora estou numa reunião que não termina nunca"
            .into(),
        rule("novas mensagens"),
        "09:11    Célia  @Ana viu?".into(),
        " Célia está digitando…".into(),
        " Ana › estou revisando".into(),
    ]);
    harness.assert_screen(&expected.join("\n"));
}

#[test]
fn every_screen_is_complete_during_resizing() {
    let mut harness = conversation(80, 24);
    for step in 0..120_u16 {
        // Both sides shrink and grow again.
        let columns = 200 - (step * 9) % 181;
        let rows = 60 - (step * 7) % 56;
        harness.view.resize(columns, rows);
        let screen = harness.screen();
        assert_eq!(screen.len(), usize::from(rows));
        assert!(
            screen
                .iter()
                .all(|row| super::super::wrap::width(row) <= usize::from(columns))
        );
        assert!(
            screen.iter().rev().take(3).any(|row| row.contains('›')),
            "{columns}×{rows}: {screen:#?}"
        );
        if rows > 12 && columns >= 40 {
            let last = usize::from(rows) - harness.view.input_rows - 2;
            assert!(
                screen[last].ends_with("@Ana viu?"),
                "{columns}×{rows}: {screen:#?}"
            );
        }
    }
    harness.view.resize(80, 14);
    let screen = harness.screen();
    assert_eq!(screen, conversation(80, 14).screen());
}

#[test]
fn scrolled_view_keeps_its_top_message_after_resize() {
    let mut harness = ScreenHarness::new(80, 12);
    harness.say_numbered(0..40);
    for _ in 0..4 {
        harness
            .view
            .scroll(Direction::Backward, None, &harness.model);
    }
    let top = harness.screen()[1]
        .split_whitespace()
        .last()
        .unwrap()
        .to_owned();
    for (columns, rows) in [(40, 12), (200, 30), (80, 8)] {
        harness.view.resize(columns, rows);
        assert!(harness.screen()[1].ends_with(&top), "{columns}×{rows}");
    }
}

#[test]
fn tiny_window_still_shows_the_input() {
    let mut harness = conversation(19, 5);
    harness.assert_screen(
        "
A janela é pequena
demais para mostrar
a conversa.

› estou revisando
",
    );
    for (columns, rows) in (1..24).flat_map(|columns| (1..8).map(move |rows| (columns, rows))) {
        harness.view.resize(columns, rows);
        assert_eq!(harness.screen().len(), usize::from(rows));
    }
}

#[test]
fn resize_keeps_the_last_message_at_the_bottom() {
    let mut harness = conversation(80, 14);
    let last = |harness: &mut ScreenHarness| {
        let screen = harness.screen();
        screen[screen.len() - 3].clone()
    };
    for (columns, rows, expected) in [
        (80, 14, "09:11    Célia  @Ana viu?"),
        (40, 12, "09:11 Célia: @Ana viu?"),
        (61, 6, "09:11    Célia  @Ana viu?"),
    ] {
        harness.view.resize(columns, rows);
        assert_eq!(last(&mut harness), expected);
    }
}
