//! Single entries: names, times, marks, and hostile texts.

use super::*;

#[test]
fn unsent_message_is_marked_at_the_right_edge() {
    let mut harness = ScreenHarness::new(60, 6);
    harness.say(0, "Ana", "vi sim");
    harness.add_unsent("e respondo já");
    let screen = harness.screen();
    assert_eq!(
        screen[3],
        format!("{:58} ⋯", "                e respondo já")
    );
}

#[test]
fn names_are_truncated_by_columns() {
    let mut harness = ScreenHarness::new(70, 6);
    harness
        .model
        .people
        .push(person("Conceição de Araújo", false));
    harness.say(0, "Conceição de Araújo", "olá");
    harness.say(1, "中村", "やあ");
    let screen = harness.screen();
    assert_eq!(screen[2], "09:00 Conceição de Ar…  olá");
    assert_eq!(screen[3], "09:01             中村  やあ");
}

#[test]
fn name_and_minute_are_shown_once_per_group() {
    let mut harness = ScreenHarness::new(60, 12);
    harness.say(0, "Bruno", "um");
    harness.say(0, "Bruno", "dois");
    harness.say(1, "Bruno", "três");
    harness.say(1, "João", "quatro");
    harness.say(9, "João", "cinco");
    harness
        .view
        .show(&message("geral", NINE + DAY, "João", "seis"));
    assert_eq!(
        harness.screen()[2..10],
        [
            "───────────────── terça-feira, 3 de março ──────────────────",
            "09:00    Bruno  um",
            "                dois",
            "09:01           três",
            "          João  quatro",
            "09:09     João  cinco",
            "───────────────── quarta-feira, 4 de março ─────────────────",
            "09:00     João  seis"
        ]
    );
}

#[test]
fn mention_reverses_only_the_name() {
    let mut harness = ScreenHarness::new(60, 6);
    harness.say(0, "Célia", "@Ana");
    let terminal = harness.render();
    let buffer = terminal.backend().buffer();
    let reversed: String = (0..60)
        .filter(|&x| {
            buffer[(x, 3)]
                .modifier
                .contains(Modifier::REVERSED | Modifier::BOLD)
        })
        .map(|x| buffer[(x, 3)].symbol())
        .collect();
    assert_eq!(reversed, "Célia");
}

#[test]
fn no_colour_mode_uses_attributes_only() {
    let mut harness = conversation(80, 14);
    harness.view.colours = false;
    let terminal = harness.render();
    let cells = &terminal.backend().buffer().content;
    assert!(
        cells
            .iter()
            .all(|cell| cell.fg == ratatui::style::Color::Reset)
    );
    assert_eq!(style::name("Ana", true, false, false), style::BOLD);
}

#[test]
fn hostile_text_leaves_the_frame_intact() {
    let hostile = [
        "\x1b[2J\x1b[H",
        "\u{9b}1;1H",
        "\u{202e}abc",
        "\r\n\r\n",
        "a\u{300}\u{301}\u{302}\u{303}",
        "\u{7}\u{8}\u{7f}",
    ];
    let mut harness = ScreenHarness::new(60, 8);
    for text in hostile {
        harness.say(0, text, text);
        let screen = harness.screen();
        assert!(
            screen[0].starts_with(" ● 192.168.0.10:9000 · Ana"),
            "{text:?}"
        );
        assert_eq!(screen[7], " Ana ›", "{text:?}");
        assert!(
            !screen.concat().chars().any(papo::text::is_unwanted),
            "{text:?}"
        );
    }
}

/// A server whose clock was wrong for a while: seq orders the lines, each day has its heading, and nothing is grouped over
/// years.
#[test]
fn wrong_stamps_keep_the_order_and_the_day_headings() {
    let mut harness = ScreenHarness::new(60, 14);
    harness.say(0, "Bruno", "certa");
    harness
        .view
        .show(&message("geral", NINE + 3653 * DAY, "Bruno", "do futuro"));
    harness
        .view
        .show(&message("geral", NINE - 3652 * DAY, "Bruno", "do passado"));
    harness.say(1, "Bruno", "certa de novo");
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas           /ajuda  F2



───────────────── terça-feira, 3 de março ──────────────────
09:00    Bruno  certa
──────────────── segunda-feira, 3 de março ─────────────────
09:00    Bruno  do futuro
───────────────── quinta-feira, 3 de março ─────────────────
09:00    Bruno  do passado
───────────────── terça-feira, 3 de março ──────────────────
09:01    Bruno  certa de novo

 Ana ›
",
    );
}
