//! Scrolling back while messages arrive.

use super::*;

#[test]
fn scrolled_view_stays_while_messages_arrive() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.say_numbered(0..30);
    assert!(
        !harness
            .view
            .scroll(Direction::Backward, None, &harness.model)
    );
    let before = harness.screen();
    harness.say(31, "Célia", "mais uma");
    harness.say(32, "Célia", "e outra");
    let after = harness.screen();
    assert_eq!(before[1..6], after[1..6]);
    assert!(after[6].ends_with("↓ 2 novas (End)"), "{}", after[6]);
    harness.view.jump_to_end();
    assert_eq!(harness.screen()[5], "09:32           e outra");
}

#[test]
fn earlier_page_is_requested_at_the_first_row() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.say_numbered(10..20);
    let model = harness.model.clone();
    while !harness.view.scroll(Direction::Backward, None, &model) {}
    let before = harness.screen();
    let messages = (0..10)
        .map(|minute| message("geral", NINE + minute * MINUTE, "Célia", "antes"))
        .collect();
    harness.view.show(&Output::EarlierPage {
        room: "geral".into(),
        messages,
        reached_start: true,
    });
    // Only the rule with the day has moved up, to the first message of the day.
    assert_eq!(harness.screen()[1..5], before[2..6]);
    while !harness.view.scroll(Direction::Backward, None, &model) {}
    assert_eq!(harness.screen()[2].trim(), "Início da conversa");
}

#[test]
fn timeline_keeps_at_most_max_entries() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.say_numbered(0..6000);
    let room = harness.view.room();
    assert_eq!(
        room.end_id() - room.first_id(),
        crate::ui::screen::timeline::MAX_ENTRIES as i64
    );
}

/// An own message stored before the connection was lost comes first; it used to remove the unread mark.
#[test]
fn missed_messages_are_marked_after_an_own_message() {
    let mut harness = ScreenHarness::new(60, 8);
    harness.say(0, "Bruno", "antes");
    harness.view.show(&Output::MissedMarker {
        room: "geral".into(),
    });
    harness.say(1, "Ana", "chegou");
    harness.say(2, "Bruno", "perdida");
    harness.assert_screen(
        "
 ● 192.168.0.10:9000 · Ana · 4 pessoas           /ajuda  F2
───────────────── terça-feira, 3 de março ──────────────────
09:00    Bruno  antes
09:01      Ana  chegou
───────────────────── novas mensagens ──────────────────────
09:02    Bruno  perdida

 Ana ›
",
    );
}

#[test]
fn full_timeline_is_reported_once() {
    let mut harness = ScreenHarness::new(110, 8);
    harness.say_numbered(0..4990);
    let page = |from: u64| {
        (from..from + 50)
            .map(|minute| message("geral", NINE + minute, "Célia", "antes"))
            .collect()
    };
    for from in [50, 0] {
        harness.view.show(&Output::EarlierPage {
            room: "geral".into(),
            messages: page(from),
            reached_start: from == 0,
        });
    }
    let room = harness.view.room();
    let notices = (room.first_id()..room.end_id()).filter_map(|id| room.get(id)).filter(|entry| {
        matches!(&entry.content, crate::ui::screen::timeline::EntryContent::Output(Output::Notice(_, text)) if text.contains("/buscar"))
    });
    assert_eq!(notices.count(), 1);
    assert_eq!(room.end_id() - room.first_id(), 5001);
}
