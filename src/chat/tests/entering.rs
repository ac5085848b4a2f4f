//! Entering is one step: a person and the first room, or one refusal that changes nothing.

use super::*;
use crate::chat::limits::{MAX_ENTRY_EXTENSIONS, MAX_ROOMS, MAX_ROOMS_PER_CONNECTION};

/// A harness in which Bruno is in the lobby, and the heads of other rooms don't arrive yet.
fn with_held_heads() -> ChatHarness {
    let mut harness = ChatHarness::with_people(&[(BRUNO, "Bruno")]);
    harness.hold_heads = true;
    harness
}

impl ChatHarness {
    /// Connects and asks to enter this room, with the id `e1`.
    fn enter_room(&mut self, conn: ConnId, name: &str, room: &str) {
        self.enter_with_fields(conn, name, &format!(r#","room":"{room}","id":"e1""#));
    }

    /// Nobody is there but Bruno, and he has heard of nobody.
    fn assert_bruno_is_alone(&mut self) {
        assert_eq!((self.chat.people(), self.chat.rooms()), (1, 1));
        assert_eq!(self.take_labels(BRUNO), nothing());
    }
}

#[test]
fn entry_into_an_unreadable_room_changes_nothing() {
    let mut harness = ChatHarness::with_rules(Rules {
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    harness.enter(BRUNO, "Bruno");
    harness.inbox.clear();
    harness.rooms_unreadable = true;
    let key = format!(r#","room":"lab","id":"e1","moderator_key":"{MODERATOR_KEY}""#);
    harness.enter_with_fields(ANA, "Ana", &key);
    assert_eq!(harness.take_labels(ANA), ["error history_unavailable e1"]);
    harness.assert_bruno_is_alone();
    assert!(harness.chat.moderation.moderators.is_empty());
    // Name and key are free for another person, and the connection may try again.
    harness.rooms_unreadable = false;
    harness.enter_with_token(CELIA, "Ana", "another-token-0123456789");
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome Ana", "joined geral 2 0"]
    );
    let again = r#"{"type":"enter","name":"Lia","token":"0123456789abcdef","room":"lab"}"#;
    harness.send_json(
        ANA,
        &again.replace('}', &format!(r#","moderator_key":"{MODERATOR_KEY}"}}"#)),
    );
    assert_eq!(harness.take_labels(ANA), ["welcome Lia", "joined lab 1 0"]);
}

#[test]
fn entry_beyond_the_last_room_changes_nothing() {
    let mut harness = ChatHarness::with_rules(Rules {
        rate: None,
        ..Rules::default()
    });
    harness.enter(BRUNO, "Bruno");
    for room in 1..MAX_ROOMS {
        let conn = ConnId(1000 + (room / (MAX_ROOMS_PER_CONNECTION - 1)) as u64);
        if !harness
            .subscribers
            .values()
            .flatten()
            .any(|other| *other == conn)
        {
            harness.enter(conn, &format!("p{}", conn.0));
        }
        harness.send_json(conn, &format!(r#"{{"type":"join","room":"sala-{room}"}}"#));
    }
    let people = harness.chat.people();
    assert_eq!(harness.chat.rooms(), MAX_ROOMS);
    harness.inbox.clear();
    harness.enter_room(ANA, "Ana", "mais-uma");
    assert_eq!(harness.take_labels(ANA), ["error too_many_rooms e1"]);
    assert_eq!(harness.chat.people(), people);
    assert_eq!(harness.take_labels(BRUNO), nothing());
    harness.enter_with_fields(ANA, "Ana", "");
    assert_eq!(harness.take_labels(ANA)[0], "welcome Ana");
}

#[test]
fn entry_waits_for_its_room_and_shows_nobody_meanwhile() {
    let mut harness = with_held_heads();
    harness.enter_room(ANA, "Ana", "lab");
    assert_eq!(harness.take_labels(ANA), nothing());
    assert_eq!(harness.chat.people(), 1);
    harness.send_json(
        BRUNO,
        r#"{"type":"whisper","to":"Ana","id":"w1","text":"oi"}"#,
    );
    assert_eq!(harness.take_labels(BRUNO), ["error no_such_person w1"]);
    harness.release_heads();
    assert_eq!(harness.take_labels(ANA), ["welcome Ana", "joined lab 1 0"]);
}

#[test]
fn waiting_entry_is_checked_again_when_its_room_is_open() {
    let mut harness = with_moderator(&[]);
    harness.hold_heads = true;
    harness.enter_room(BRUNO, "Bruno", "lab");
    harness.enter_room(CELIA, "Célia", "lab");
    let taken = ConnId(4);
    harness.enter_with_token(taken, "Célia", "another-token-0123456789");
    harness.moderate(ANA, r#""lock","on":true"#);
    harness.inbox.clear();
    harness.release_heads();
    assert_eq!(harness.take_labels(BRUNO), ["error locked e1"]);
    assert_eq!(harness.take_labels(CELIA), ["error locked e1"]);
    harness.moderate(ANA, r#""lock","on":false"#);
    harness.hold_heads = true;
    harness.enter_room(CELIA, "Célio", "lab");
    harness.enter_with_token(ConnId(5), "Célio", "another-token-0123456789");
    harness.release_heads();
    assert_eq!(harness.take_labels(CELIA), ["error name_taken e1"]);
    assert_eq!(
        harness.chat.rooms(),
        1,
        "a room that nobody joined is closed"
    );
}

#[test]
fn person_banned_while_the_entry_waits_is_refused() {
    let mut harness = with_moderator(&[(BRUNO, "Bruno")]);
    harness.hold_heads = true;
    harness.enter_room(CELIA, "Bruno", "lab");
    harness.moderate(ANA, r#""ban","name":"Bruno","seconds":60"#);
    harness.release_heads();
    assert_eq!(
        harness.take_labels(CELIA),
        ["error banned e1", "bye Banned"]
    );
    assert_eq!(harness.closed, [(BRUNO, 1008), (CELIA, 1008)]);
    assert_eq!(harness.chat.people(), 1);
}

#[test]
fn two_waiting_entries_of_one_person_become_one_person() {
    let mut harness = with_held_heads();
    harness.enter_room(ANA, "Ana", "lab");
    harness.enter_room(CELIA, "Ana", "lab");
    harness.release_heads();
    assert_eq!(harness.take_labels(ANA), ["welcome Ana", "joined lab 1 0"]);
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome Ana", "joined lab 1 0"]
    );
    assert_eq!(harness.chat.people(), 2);
}

#[test]
fn second_waiting_entry_of_a_connection_is_refused() {
    let mut harness = with_held_heads();
    harness.enter_room(ANA, "Ana", "lab");
    let other =
        r#"{"type":"enter","name":"Lia","token":"0123456789abcdef","room":"sala","id":"e2"}"#;
    harness.send_json(ANA, other);
    harness.send_json(ANA, r#"{"type":"join","room":"lab","id":"j1"}"#);
    assert_eq!(harness.take_labels(ANA), ["error not_entered j1"]);
    harness.release_heads();
    assert_eq!(
        harness.take_labels(ANA),
        ["welcome Ana", "joined lab 1 0", "error already_entered e2"]
    );
    assert_eq!((harness.chat.people(), harness.chat.rooms()), (2, 2));
}

#[test]
fn connection_that_ends_while_its_entry_waits_leaves_nothing() {
    for clean in [false, true] {
        let mut harness = with_held_heads();
        harness.enter_room(ANA, "Ana", "lab");
        harness.handle(Event::Disconnected(ANA, clean));
        harness.release_heads();
        harness.assert_bruno_is_alone();
        assert_eq!(harness.take_labels(ANA), nothing());
    }
}

#[test]
fn stop_while_an_entry_waits_admits_nobody() {
    let mut harness = with_held_heads();
    harness.enter_room(ANA, "Ana", "lab");
    harness.handle(Event::Stop);
    harness.release_heads();
    assert_eq!(harness.take_labels(ANA), ["bye Shutdown"]);
    assert_eq!(harness.chat.people(), 1);
}

#[test]
fn waiting_entry_is_not_idle_but_has_a_last_deadline() {
    let mut harness = with_held_heads();
    let time = Rules::default().entry_timeout;
    harness.enter_room(ANA, "Ana", "lab");
    harness.enter_room(CELIA, "Bruno", "lab");
    for _ in 0..MAX_ENTRY_EXTENSIONS {
        harness.advance(time);
        assert_eq!(harness.closed, []);
    }
    harness.advance(time);
    assert_eq!(harness.closed, [(ANA, 1008), (CELIA, 1008)]);
    harness.release_heads();
    assert_eq!(harness.take_labels(ANA), ["bye Idle"]);
    assert_eq!(harness.chat.people(), 1);
}

#[test]
fn refused_waiting_entry_has_time_for_another_try() {
    let mut harness = with_held_heads();
    let time = Rules::default().entry_timeout;
    harness.rooms_unreadable = true;
    harness.enter_room(ANA, "Ana", "lab");
    harness.advance(time);
    harness.release_heads();
    harness.advance(time - Duration::from_millis(1));
    assert_eq!(harness.take_labels(ANA), ["error history_unavailable e1"]);
    harness.advance(Duration::from_millis(1));
    assert_eq!(harness.take_labels(ANA), ["bye Idle"]);
}

/// The name waits for its person for the grace, not for an entry that waits longer.
#[test]
fn grace_that_ends_while_the_entry_waits_is_over() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.hold_heads = true;
    harness.drop_connection(ANA);
    harness.enter_room(CELIA, "Ana", "lab");
    harness.advance(Rules::default().grace);
    harness.release_heads();
    assert_eq!(harness.take_labels(BRUNO), ["1 online -Ana"]);
    assert_eq!(
        harness.take_labels(CELIA),
        ["welcome Ana", "joined lab 1 0"]
    );
    harness.wait_for_updates();
    harness.send_json(CELIA, r#"{"type":"join","room":"geral"}"#);
    assert_eq!(harness.take_labels(BRUNO), ["2 online +Ana"]);
}

#[test]
fn refused_entry_does_not_own_the_room_that_it_opened() {
    let mut harness = with_held_heads();
    harness.enter_room(ANA, "Ana", "lab");
    harness.enter_with_token(ConnId(4), "Ana", "another-token-0123456789");
    harness.enter_room(CELIA, "Célia", "lab");
    harness.release_heads();
    assert_eq!(harness.take_labels(ANA), ["error name_taken e1"]);
    harness.inbox.clear();
    harness.send_json(
        CELIA,
        r#"{"type":"room_password","room":"lab","password":"x"}"#,
    );
    assert_eq!(
        harness.take_labels(CELIA),
        ["* Célia pôs uma senha nesta sala: quem chegar agora precisa dela."]
    );
}

#[test]
fn welcome_says_whether_the_conversation_is_locked() {
    let mut harness = with_moderator(&[]);
    let locked = |harness: &mut ChatHarness| match &harness.inbox.remove(&BRUNO).unwrap()[0] {
        ServerMessage::Welcome { locked, .. } => *locked,
        other => panic!("{other:?}"),
    };
    harness.enter(BRUNO, "Bruno");
    assert!(!locked(&mut harness));
    harness.moderate(ANA, r#""lock","on":true"#);
    harness.drop_connection(BRUNO);
    harness.inbox.clear();
    harness.enter(BRUNO, "Bruno");
    assert!(locked(&mut harness));
}
