//! The pace at which the members of a room are sent its changed state.

use super::*;

const SLOW: &str = r#""slow","room":"geral","seconds":"#;

impl ChatHarness {
    /// How many updates of its room's state a connection was sent.
    fn updates(&self, conn: ConnId) -> usize {
        let is_presence =
            |message: &&ServerMessage| matches!(message, ServerMessage::Presence { .. });
        let messages = self.inbox.get(&conn).map(|inbox| inbox.iter());
        let presences = messages.map_or(0, |messages| messages.filter(is_presence).count());
        presences + self.states.get(&conn).map_or(0, Vec::len)
    }

    fn last_slow_ms(&self, conn: ConnId) -> Option<u64> {
        let (_, state) = self.states.get(&conn)?.last()?;
        Some(state.slow_ms)
    }
}

/// Every arrival in a room of up to 50 people was once sent to all of them by itself.
#[test]
fn thousand_arrivals_in_a_second_are_sent_five_times() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    for n in 0..1000 {
        let name = format!("Pessoa {}", n / 2);
        match n % 2 {
            0 => harness.enter(BRUNO, &name),
            _ => harness.close_cleanly(BRUNO),
        }
        assert!(harness.updates(ANA) >= 1, "the first is sent at once");
        harness.advance(Duration::from_millis(1));
    }
    assert_eq!(harness.updates(ANA), 5);
    harness.enter(CELIA, "Célia");
    harness.wait_for_updates();
    let labels = harness.take_labels(ANA);
    assert_eq!((labels.len(), &*labels[5]), (6, "2 online +Célia"));
}

#[test]
fn thousand_changes_of_all_kinds_keep_one_pace() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.chat.rules.rate = None;
    let ana = ConnId(4);
    harness.enter(ana, "Ana");
    let mut sends = 0;
    for n in 0..1000 {
        let before = harness.updates(BRUNO);
        match n % 4 {
            0 => harness.enter(CELIA, "Célia"),
            2 => harness.close_cleanly(CELIA),
            _ => harness.moderate(ana, &format!("{SLOW}{n}")),
        }
        harness.advance(Duration::from_millis(1));
        sends += usize::from(harness.updates(BRUNO) > before);
    }
    assert!(sends <= 5, "{sends}");
    harness.wait_for_updates();
    assert_eq!(harness.last_slow_ms(BRUNO), Some(999_000));
    let labels = harness.take_labels(BRUNO);
    let mut latest = labels.iter().rev();
    let presence = latest.find(|label| label.contains("online"));
    assert_eq!(presence.unwrap(), "2 online -Célia");
}

#[test]
fn answer_is_sent_at_once_and_the_last_state_later() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    for seconds in [10, 20, 30] {
        harness.moderate(ANA, &format!("{SLOW}{seconds}"));
    }
    assert_eq!(harness.take_labels(ANA).len(), 3, "one notice for each");
    assert_eq!(harness.last_slow_ms(BRUNO), Some(10_000));
    harness.advance(ROOM_UPDATE_INTERVAL - Duration::from_millis(1));
    assert_eq!(harness.last_slow_ms(BRUNO), Some(10_000));
    harness.advance(Duration::from_millis(1));
    assert_eq!(harness.last_slow_ms(BRUNO), Some(30_000));
    assert_eq!(harness.states[&BRUNO].len(), 2);
    harness.advance(Duration::from_mins(1));
    assert_eq!(harness.states[&BRUNO].len(), 2);
    assert!(harness.chat.update_queue.next_due().is_none());
}

/// Among a thousand, presence is sent every 500 ms.
#[test]
fn slow_presence_of_a_large_room_delays_no_other_state() {
    let mut harness = with_moderator(&[]);
    for n in 0..1000 {
        harness.enter(ConnId(100 + n), &format!("Pessoa {n}"));
    }
    harness.advance(Duration::from_secs(1));
    harness.advance(Duration::from_secs(1));
    harness.inbox.clear();
    harness.close_cleanly(ConnId(100));
    harness.close_cleanly(ConnId(101));
    assert_eq!(harness.take_labels(ANA), ["1000 online"]);
    harness.moderate(ANA, &format!("{SLOW}10"));
    harness.take_labels(ANA);
    harness.advance(ROOM_UPDATE_INTERVAL);
    assert_eq!(harness.last_slow_ms(ANA), Some(10_000));
    assert_eq!(harness.take_labels(ANA), nothing());
    harness.advance(ROOM_UPDATE_INTERVAL);
    assert_eq!(harness.take_labels(ANA), ["999 online"]);
}

/// What changes while no connection is in a room is in the next `joined`, and must not be sent once more after it.
#[test]
fn change_that_no_connection_hears_is_dropped() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno"), (CELIA, "Célia")]);
    let join = r#"{"type":"join","room":"lab"}"#;
    harness.send_json(ANA, join);
    harness.drop_connection(ANA);
    harness.send_json(BRUNO, join);
    harness.send_json(CELIA, join);
    let told = harness.take_labels(BRUNO);
    assert_eq!(told, ["joined lab 2 0", "3 online +Célia"]);
    for conn in [CELIA, BRUNO] {
        harness.send_json(conn, r#"{"type":"leave","room":"lab"}"#);
    }
    harness.send_json(BRUNO, join);
    harness.inbox.clear();
    harness.wait_for_updates();
    assert_eq!(harness.take_labels(BRUNO), nothing());
}

/// Clients know a person by the tag, which changes with the name.
#[test]
fn role_under_a_new_name_comes_after_that_name() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno"), (CELIA, "Célia")]);
    for name in ["Beto", "Bia"] {
        harness.send_json(BRUNO, &format!(r#"{{"type":"rename","name":"{name}"}}"#));
    }
    assert_eq!(harness.take_labels(CELIA), ["3 online Bruno>Beto"]);
    harness.moderate(ANA, r#""promote","name":"Bia""#);
    let labels = harness.take_labels(CELIA);
    assert_eq!(labels[..2], ["3 online Beto>Bia", "Bia moderates"]);
}

#[test]
fn arrival_of_an_author_is_told_before_what_they_say() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana")]);
    harness.enter(BRUNO, "Bruno");
    harness.enter(CELIA, "Célia");
    harness.take_labels(ANA);
    harness.say(CELIA, "1", "oi");
    let labels = harness.take_labels(ANA);
    assert_eq!(labels[0], "3 online +Célia", "{labels:?}");
    assert_eq!(labels.len(), 2, "{labels:?}");
}
