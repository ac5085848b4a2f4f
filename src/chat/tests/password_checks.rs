//! Room passwords that are checked against a slow hash: who waits, who is refused, and what may change meanwhile.

use super::*;
use crate::chat::moderation::password_checks::MAX_SLOW_HASHES;
use crate::history::{RoomSettings, SavedRoom};

/// A server that was started again: the room *cofre* has the password “abacate”, and the password thread takes its time.
fn restarted(people: &[(ConnId, &str)]) -> ChatHarness {
    let settings = RoomSettings {
        password: Some(StoredPassword::new("hash of abacate")),
        ..RoomSettings::default()
    };
    let mut harness = ChatHarness::with_rules(Rules {
        rate: None,
        moderator_key: Some(PasswordHash::of(MODERATOR_KEY)),
        ..Rules::default()
    });
    let saved = SavedState {
        rooms: vec![SavedRoom {
            name: RoomName::new("cofre").unwrap(),
            seq: 3,
            settings,
        }],
        ..SavedState::default()
    };
    harness.chat.restore(saved, harness.now);
    for (conn, name) in people {
        harness.enter(*conn, name);
    }
    harness.inbox.clear();
    harness.passwords_paused = true;
    harness
}

impl ChatHarness {
    fn join_with(&mut self, conn: ConnId, password: &str) {
        let join = format!(r#"{{"type":"join","room":"cofre","room_password":"{password}"}}"#);
        self.send_json(conn, &join);
    }

    fn set_password(&mut self, conn: ConnId, password: &str) {
        let set = format!(r#"{{"type":"room_password","room":"cofre","password":"{password}"}}"#);
        self.send_json(conn, &set);
    }

    /// The password thread replies once; gives back how many requests are left.
    fn finish_password(&mut self) -> usize {
        assert!(self.reply_to_password());
        self.apply_effects();
        self.password_requests.len()
    }
}

#[test]
fn people_with_the_same_password_share_one_slow_check() {
    let mut harness = restarted(&[(ANA, "Ana"), (BRUNO, "Bruno"), (CELIA, "Célia")]);
    harness.join_with(ANA, "abacate");
    harness.join_with(BRUNO, "abacate");
    assert_eq!(harness.password_requests.len(), 1);
    assert_eq!(harness.take_labels(ANA), nothing());
    assert_eq!(harness.finish_password(), 0);
    assert_eq!(
        harness.take_labels(ANA),
        ["joined cofre 1 0", "2 online +Bruno"]
    );
    assert_eq!(harness.take_labels(BRUNO), ["joined cofre 2 0"]);
    // From now on right and wrong ones are told apart at once.
    harness.join_with(CELIA, "abacaxi");
    harness.join_with(CELIA, "abacate");
    let answers = harness.take_labels(CELIA);
    assert_eq!(answers, ["error password_wrong", "joined cofre 3 0"]);
    assert_eq!(harness.password_requests.len(), 0);
}

#[test]
fn right_password_also_decides_other_running_checks() {
    let mut harness = restarted(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.join_with(ANA, "abacate");
    harness.join_with(BRUNO, "abacaxi");
    assert_eq!(harness.finish_password(), 1);
    assert_eq!(harness.take_labels(BRUNO), ["error password_wrong"]);
    // The late result of the other check concerns nobody any more.
    assert_eq!(harness.finish_password(), 0);
    assert_eq!(harness.take_labels(BRUNO), nothing());
}

#[test]
fn enter_waits_for_the_check_and_is_checked_again() {
    let mut harness = restarted(&[]);
    let enter = |conn: ConnId, token: &str, harness: &mut ChatHarness| {
        harness.handle(Event::Connected(conn, ClientAddr::LOCAL));
        let json = format!(
            r#"{{"type":"enter","name":"Ana","token":"{token}","room":"cofre","room_password":"abacate"}}"#
        );
        harness.send_json(conn, &json);
    };
    enter(ANA, "0123456789abcdef", &mut harness);
    enter(BRUNO, "fedcba9876543210", &mut harness);
    // What needs no entry is answered meanwhile, and everything else waits for it.
    harness.send_json(ANA, r#"{"type":"ping"}"#);
    harness.send_json(ANA, r#"{"type":"rooms"}"#);
    assert_eq!(harness.take_labels(ANA), ["pong", "error not_entered"]);
    assert_eq!(harness.chat.people(), 0);
    harness.finish_password();
    assert_eq!(
        harness.take_labels(ANA),
        ["welcome Ana", "joined cofre 1 0"]
    );
    assert_eq!(harness.take_labels(BRUNO), ["error name_taken"]);
}

#[test]
fn wrong_passwords_that_are_being_checked_count_as_attempts() {
    let people: Vec<(ConnId, String)> = (1..=7)
        .map(|n| (ConnId(n), format!("Pessoa {n}")))
        .collect();
    let named: Vec<(ConnId, &str)> = people.iter().map(|(conn, name)| (*conn, &**name)).collect();
    let mut harness = restarted(&named);
    harness.wait_for_updates();
    harness.inbox.clear();
    for (conn, name) in &named {
        harness.join_with(*conn, name);
    }
    assert_eq!(harness.password_requests.len(), 5);
    assert_eq!(harness.take_labels(ConnId(6)), ["error too_fast"]);
    while harness.finish_password() > 0 {}
    assert_eq!(harness.take_labels(ConnId(5)), ["error password_wrong"]);
    harness.join_with(ConnId(6), "abacate");
    let refusal = harness.take_refusal(ConnId(6));
    assert_eq!(refusal.retry_after_ms, Some(60_001));
    harness.advance(Duration::from_mins(1));
    harness.join_with(ConnId(6), "abacate");
    harness.finish_password();
    assert_eq!(harness.take_labels(ConnId(6)), ["joined cofre 1 0"]);
}

#[test]
fn at_most_64_slow_hashes_wait() {
    let mut harness = restarted(&[]);
    let mut refused = 0;
    for n in 0..MAX_SLOW_HASHES as u32 + 2 {
        let conn = ConnId(u64::from(n));
        let address = ClientAddr::from_ip(std::net::Ipv4Addr::from(0x0B00_0000 + n).into());
        harness.handle(Event::Connected(conn, address));
        let json = format!(
            r#"{{"type":"enter","name":"Pessoa {n}","token":"token-{n:016}","room":"cofre","room_password":"palpite {n}"}}"#
        );
        harness.send_json(conn, &json);
        if let Some(ServerMessage::Error(refusal)) = harness.inbox.get(&conn).map(|got| &got[0]) {
            assert_eq!(refusal.code, ErrorCode::TooFast);
            assert!(refusal.retry_after_ms.is_some());
            refused += 1;
        }
    }
    assert_eq!(
        (harness.password_requests.len(), refused),
        (MAX_SLOW_HASHES, 2)
    );
}

#[test]
fn password_that_changes_while_one_is_checked_decides() {
    let mut harness = restarted(&[(BRUNO, "Bruno")]);
    harness.enter_with_fields(
        ANA,
        "Ana",
        &format!(r#","moderator_key":"{MODERATOR_KEY}""#),
    );
    harness.send_json(ANA, r#"{"type":"join","room":"cofre"}"#);
    harness.inbox.clear();
    harness.join_with(BRUNO, "abacate");
    harness.set_password(ANA, "abacaxi");
    // The check of the old one comes first and opens nothing if the new one is there by then.
    let check = harness.password_requests.pop_front();
    harness.finish_password();
    harness.password_requests.extend(check);
    harness.finish_password();
    assert_eq!(harness.take_labels(BRUNO), ["error password_wrong"]);
    harness.join_with(BRUNO, "abacaxi");
    assert_eq!(harness.take_labels(BRUNO), ["joined cofre 2 0"]);
}

#[test]
fn check_ends_quietly_when_its_person_is_gone() {
    let mut harness = restarted(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.join_with(ANA, "abacate");
    harness.join_with(BRUNO, "abacaxi");
    harness.drop_connection(ANA);
    harness.close_cleanly(BRUNO);
    harness.inbox.clear();
    while harness.finish_password() > 0 {}
    assert!(harness.inbox.is_empty());
    assert_eq!(harness.chat.rooms(), 1);
}

#[test]
fn room_password_changes_come_one_after_another() {
    let mut harness = restarted(&[]);
    let key = format!(r#","moderator_key":"{MODERATOR_KEY}""#);
    harness.enter_with_fields(ANA, "Ana", &key);
    for room in ["cofre", "lab"] {
        harness.send_json(ANA, &format!(r#"{{"type":"join","room":"{room}"}}"#));
    }
    harness.inbox.clear();
    harness.set_password(ANA, "um");
    // Without a hash the removal would be there first, and the earlier change would win.
    harness.send_json(ANA, r#"{"type":"room_password","room":"cofre"}"#);
    harness.send_json(
        ANA,
        r#"{"type":"room_password","room":"lab","password":"dois"}"#,
    );
    let refused = ["error too_fast", "error too_fast"];
    assert_eq!(harness.take_labels(ANA), refused);
    harness.finish_password();
    harness.send_json(ANA, r#"{"type":"room_password","room":"cofre"}"#);
    let shown = harness.take_labels(ANA);
    assert!(
        shown[0].starts_with("* Ana pôs") && shown[1].starts_with("* Ana tirou"),
        "{shown:?}"
    );
}

#[test]
fn password_is_set_although_everybody_leaves_meanwhile() {
    let mut harness = restarted(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    let set = r#"{"type":"room_password","room":"lab","password":"dois"}"#;
    harness.send_json(ANA, set);
    harness.close_cleanly(ANA);
    harness.finish_password();
    assert_eq!(harness.chat.rooms(), 1);
    harness.inbox.clear();
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    assert_eq!(harness.take_labels(BRUNO), ["error password_required"]);
}
