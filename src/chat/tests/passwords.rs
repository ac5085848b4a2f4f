//! Passwords of the server and of rooms.

use super::*;

fn with_password() -> ChatHarness {
    ChatHarness::with_rules(Rules {
        password: Some(PasswordHash::of("sésamo")),
        ..Rules::default()
    })
}

impl ChatHarness {
    fn enter_with_password(&mut self, conn: ConnId, name: &str, password: &str) {
        let token = format!("token-of-{name}-0123456789");
        let json = format!(
            r#"{{"type":"enter","name":"{name}","token":"{token}","password":"{password}"}}"#
        );
        self.send_json(conn, &json);
    }
}

#[test]
fn server_password_is_required_and_attempts_are_limited() {
    let mut harness = with_password();
    harness.enter(ANA, "Ana");
    for guess in 0..5 {
        harness.enter_with_password(ANA, "Ana", &guess.to_string());
    }
    harness.enter_with_password(ANA, "Ana", "sésamo");
    let refusal = match harness.inbox.get_mut(&ANA).unwrap().pop() {
        Some(ServerMessage::Error(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::TooFast, Some(60_001))
    );
    let mut expected = vec!["error password_required"];
    expected.extend(["error password_wrong"; 5]);
    assert_eq!(harness.take_labels(ANA), expected);
    // Another address may enter, and this one a minute later.
    harness.handle(Event::Connected(
        BRUNO,
        ClientAddr::from_ip("203.0.113.7".parse().unwrap()),
    ));
    harness.enter_with_password(BRUNO, "Bruno", "se\u{301}samo");
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome Bruno");
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    harness.advance(Duration::from_mins(1));
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    harness.enter_with_password(CELIA, "Celia", "sésamo");
    assert_eq!(
        harness
            .take_labels(CELIA)
            .iter()
            .filter(|label| *label == "welcome Celia")
            .count(),
        1
    );
}

#[test]
fn present_person_reenters_despite_failed_attempts_of_others() {
    let mut harness = with_password();
    harness.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    harness.enter_with_password(ANA, "Ana", "sésamo");
    harness.handle(Event::Connected(BRUNO, ClientAddr::LOCAL));
    for _ in 0..6 {
        harness.enter_with_password(BRUNO, "Bruno", "x");
    }
    assert_eq!(harness.take_labels(BRUNO).last().unwrap(), "error too_fast");
    harness.drop_connection(ANA);
    harness.handle(Event::Connected(CELIA, ClientAddr::LOCAL));
    harness.enter_with_password(CELIA, "Ana", "sésamo");
    assert_eq!(harness.take_labels(CELIA)[0], "welcome Ana");
}

#[test]
fn room_password_is_required_except_from_members() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(
        ANA,
        r#"{"type":"room_password","room":"LAB","password":"atomo"}"#,
    );
    assert_eq!(
        harness.take_labels(ANA)[1..],
        ["* Ana pôs uma senha nesta sala: quem chegar agora precisa dela."]
    );
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    let received = harness.inbox.remove(&BRUNO).unwrap();
    let [ServerMessage::Error(refusal)] = &received[..] else {
        panic!("{received:?}")
    };
    assert_eq!(
        (refusal.code, refusal.room.as_deref()),
        (ErrorCode::PasswordRequired, Some("lab"))
    );
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab","room_password":"x"}"#);
    harness.send_json(BRUNO, r#"{"type":"history","room":"lab"}"#);
    harness.send_json(
        BRUNO,
        r#"{"type":"join","room":"lab","room_password":"atomo"}"#,
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "error password_wrong",
            "error not_in_room",
            "joined lab 2 0"
        ]
    );
    // The membership lasts through the grace period, not after a clean close.
    harness.drop_connection(BRUNO);
    harness.handle(Event::Connected(BRUNO, ClientAddr::LOCAL));
    harness.send_json(
        BRUNO,
        r#"{"type":"enter","name":"Bruno","token":"token-of-Bruno-0123456789","room":"lab"}"#,
    );
    assert_eq!(
        harness.take_labels(BRUNO),
        ["welcome Bruno", "joined lab 2 0"]
    );
    harness.close_cleanly(BRUNO);
    harness.handle(Event::Connected(BRUNO, ClientAddr::LOCAL));
    let enter =
        r#"{"type":"enter","name":"Bruno","token":"token-of-Bruno-0123456789","room":"lab"}"#;
    harness.send_json(BRUNO, enter);
    assert_eq!(harness.take_labels(BRUNO), ["error password_required"]);
    harness.send_json(BRUNO, &enter.replace('}', r#","room_password":"atomo"}"#));
    assert_eq!(harness.take_labels(BRUNO)[0], "welcome Bruno");
}

#[test]
fn room_keeps_password_and_owner_after_everyone_left() {
    let mut harness = ChatHarness::with_people(&[(ANA, "Ana"), (BRUNO, "Bruno")]);
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(
        ANA,
        r#"{"type":"room_password","room":"lab","password":"atomo"}"#,
    );
    harness.send_json(ANA, r#"{"type":"leave","room":"lab"}"#);
    assert_eq!(harness.chat.rooms(), 1);
    harness.inbox.clear();
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(
        BRUNO,
        r#"{"type":"join","room":"lab","room_password":"atomo"}"#,
    );
    harness.send_json(BRUNO, r#"{"type":"room_password","room":"lab"}"#);
    assert_eq!(
        harness.take_labels(BRUNO),
        [
            "error password_required",
            "joined lab 1 0",
            "error forbidden"
        ]
    );
    harness.send_json(
        ANA,
        r#"{"type":"join","room":"lab","room_password":"atomo"}"#,
    );
    harness.send_json(
        ANA,
        r#"{"type":"room_password","room":"lab","password":""}"#,
    );
    assert_eq!(
        harness.take_labels(BRUNO)[1..],
        ["* Ana tirou a senha desta sala."]
    );
    harness.enter(CELIA, "Célia");
    harness.send_json(CELIA, r#"{"type":"join","room":"lab"}"#);
    assert_eq!(harness.take_labels(CELIA).last().unwrap(), "joined lab 3 0");
}

#[test]
fn only_owner_and_moderators_set_a_room_password() {
    let moderator_key = Some(PasswordHash::of("c0ffee"));
    let mut harness = ChatHarness::with_rules(Rules {
        moderator_key,
        ..Rules::default()
    });
    harness.handle(Event::Connected(ANA, ClientAddr::LOCAL));
    harness.send_json(
        ANA,
        r#"{"type":"enter","name":"Ana","token":"0123456789abcdef","moderator_key":"c0ffee"}"#,
    );
    harness.enter(BRUNO, "Bruno");
    harness.inbox.clear();
    let set =
        |room: &str| format!(r#"{{"type":"room_password","room":"{room}","password":"atomo"}}"#);
    harness.send_json(BRUNO, &set("lab"));
    harness.send_json(BRUNO, &set("geral"));
    harness.send_json(ANA, &set("geral"));
    assert_eq!(
        harness.take_labels(BRUNO),
        ["error not_in_room", "error forbidden"]
    );
    assert_eq!(harness.take_labels(ANA), ["error forbidden"]);
    harness.send_json(BRUNO, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(BRUNO, &set("lab"));
    // Moderators need no password, and may remove any.
    harness.send_json(ANA, r#"{"type":"join","room":"lab"}"#);
    harness.send_json(ANA, r#"{"type":"room_password","room":"lab"}"#);
    let labels = harness.take_labels(ANA);
    assert_eq!(
        (&labels[0][..], &labels[1][..]),
        ("joined lab 2 0", "* Ana tirou a senha desta sala.")
    );
}
