//! Every frame with a readable id is answered with that id, whatever is wrong with the rest of it.

use crate::support::client::{WsClient, summary};
use crate::support::raw::token_for;
use crate::support::server::TestServer;
use papo::auth::PasswordHash;
use serde_json::{Value, json};

/// Sends a frame; its answer must have this form and the id.
#[track_caller]
fn assert_echoed(client: &mut WsClient, frame: &Value, expected: &str) {
    client.send(frame.clone());
    let answer = client.receive_where(|message| message["type"] != "presence");
    assert_eq!(summary(&answer), expected, "{frame}");
    assert_eq!(answer["id"], frame["id"], "{frame}: {answer}");
}

#[test]
fn answers_echo_the_id_of_their_request() {
    let server = TestServer::start();
    let mut ana = server.connect();
    ana.send(json!({"type": "enter", "name": "Ana", "id": "e1"}));
    for expected in ["welcome Ana", "joined geral 1"] {
        let answer = ana.receive();
        assert_eq!(
            (summary(&answer), &answer["id"]),
            (expected.into(), &json!("e1"))
        );
    }
    for (frame, expected) in [
        (json!({"type": "ping", "id": "p1"}), "pong"),
        (
            json!({"type": "join", "room": "lab", "id": "j1"}),
            "joined lab 1",
        ),
        (
            json!({"type": "join", "room": "lab", "id": "j2"}),
            "joined lab 1",
        ),
        (json!({"type": "rooms", "id": "r1"}), "rooms"),
        (
            json!({"type": "history", "room": "lab", "id": "h1"}),
            "history",
        ),
        (
            json!({"type": "search", "room": "lab", "query": "oi", "id": "s1"}),
            "found",
        ),
        (
            json!({"type": "leave", "room": "lab", "id": "l1"}),
            "left lab",
        ),
        (
            json!({"type": "rename", "name": "Bia", "id": "n1"}),
            "welcome Bia",
        ),
        (
            json!({"type": "rename", "name": "Bia", "id": "n2"}),
            "welcome Bia",
        ),
    ] {
        assert_echoed(&mut ana, &frame, expected);
    }
    ana.send(json!({"type": "ping"}));
    assert_eq!(ana.receive(), json!({"type": "pong"}), "without an id");
}

#[test]
fn rename_echoes_the_id_to_the_asking_connection_only() {
    let server = TestServer::start();
    let mut first = server.enter("Ana");
    let mut second = server.enter("Ana");
    first.send(json!({"type": "rename", "name": "Bia", "id": "n1"}));
    for (client, id) in [(&mut first, json!("n1")), (&mut second, Value::Null)] {
        let welcome = client.receive_where(|message| message["type"] == "welcome");
        assert_eq!(welcome["id"], id);
    }
}

#[test]
fn notice_echoes_the_id_to_its_moderator_only() {
    let server = TestServer::start_with(|setup| {
        setup.rules.moderator_key = Some(PasswordHash::of("c0ffee"));
    });
    let mut ana = server.connect();
    ana.send(json!({"type": "enter", "name": "Ana", "token": token_for("Ana"), "moderator_key": "c0ffee"}));
    let mut bruno = server.enter("Bruno");
    ana.send(json!({"type": "join", "room": "lab"}));
    bruno.send(json!({"type": "join", "room": "lab"}));
    for message in [
        json!({"type": "moderate", "act": "lock", "on": true}),
        json!({"type": "moderate", "act": "announce", "text": "pausa"}),
        json!({"type": "moderate", "act": "mute", "name": "Bruno"}),
        json!({"type": "moderate", "act": "slow", "room": "lab", "seconds": 5}),
        json!({"type": "room_password", "room": "lab", "password": "x"}),
        json!({"type": "moderate", "act": "kick", "name": "Bruno"}),
    ] {
        let mut frame = message;
        frame["id"] = json!("k1");
        ana.send(frame.clone());
        let notice = ana.receive_where(|message| message["type"] == "notice");
        assert_eq!(notice["id"], "k1", "{frame}");
        if frame["act"] != "kick" {
            let notice = bruno.receive_where(|message| message["type"] == "notice");
            assert_eq!(notice["id"], Value::Null, "{frame}");
        }
    }
}

#[test]
fn refusals_echo_the_id_of_any_kind() {
    let server = TestServer::start();
    let _bruno = server.enter("Bruno");
    let mut ana = server.connect();
    assert_echoed(
        &mut ana,
        &json!({"type": "join", "room": "a", "id": "x1"}),
        "error not_entered",
    );
    assert_echoed(
        &mut ana,
        &json!({"type": "enter", "name": "Bruno", "id": "x2"}),
        "error name_taken",
    );
    ana.enter("Ana");
    for (frame, expected) in [
        (json!({"type": "enter", "name": "Ana"}), "already_entered"),
        (json!({"type": "join", "room": "a b"}), "room_invalid"),
        (json!({"type": "leave", "room": "lab"}), "not_in_room"),
        (json!({"type": "typing", "room": "lab"}), "not_in_room"),
        (json!({"type": "history", "room": "lab"}), "not_in_room"),
        (
            json!({"type": "search", "room": "lab", "query": "oi"}),
            "not_in_room",
        ),
        (
            json!({"type": "room_password", "room": "geral", "password": "x"}),
            "forbidden",
        ),
        (
            json!({"type": "moderate", "act": "kick", "name": "Bruno"}),
            "forbidden",
        ),
        (json!({"type": "rename", "name": "Bruno"}), "name_taken"),
        (json!({"type": "dança"}), "unknown_type"),
        (json!({"type": 5}), "bad_field"),
        (json!({"room": "geral"}), "bad_field"),
    ] {
        let mut frame = frame;
        frame["id"] = json!("x3");
        assert_echoed(&mut ana, &frame, &format!("error {expected}"));
    }
    let code_and_id = |answer: &Value| (answer["code"] == "too_fast", answer["id"] == "r1");
    let rooms = json!({"type": "rooms", "id": "r1"});
    let refused = (0..200).find_map(|_| {
        ana.send(rooms.clone());
        Some(ana.receive()).filter(|answer| answer["type"] == "error")
    });
    assert_eq!(
        refused.as_ref().map(code_and_id),
        Some((true, true)),
        "{refused:?}"
    );
}

#[test]
fn unreadable_frame_is_refused_with_its_id() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    for frame in [
        r#"{"id":"m1","type":"say","room":"geral","text":"cortada"#,
        r#"{"type":"say","room":"geral","text":"sem vírgula" "id":"m1"}"#,
        r#"{"type":"say","room":"geral","text":"a "b" c","id":"m1"}"#,
        r#"{"type":"say","room":geral,"id":"m1","text":"oi"}"#,
        r#"{"type":"say","room":"geral","text":"\q","id":"m1"}"#,
        r#"{"type":"say","room":"geral","text":"\ud83","id":"m1"}"#,
        r#"{"type":"say","room":"geral","text":"oi","id":"m1",}"#,
        r#"{"type":"say","room":"geral","text":"oi","id":"m1"}}"#,
        r#"{"type":"say","room":"geral","text":"oi","\u0069d":"m\u0031"} fim"#,
        r#"{"x":{"id":"m2"},"y":[{"id":"m3"}],"id":"m1","text":"#,
        "{\"type\":\"say\",\"room\":\"geral\",\"text\":\"a\nb\",\"id\":\"m1\"}",
    ] {
        ana.send_text(frame);
        let error = ana.receive();
        let got = (&error["code"], &error["id"]);
        assert_eq!(got, (&json!("bad_json"), &json!("m1")), "{frame}");
    }
    ana.say_acked("e a próxima passa");
}

/// Half an emoji came in a text that was cut, and blocked the queue of its sender for ever: the refusal had no id.
#[test]
fn half_an_emoji_is_said_as_a_replacement_character() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    for (id, text, stored) in [
        ("m1", r"metade \ud83d aqui", "metade \u{FFFD} aqui"),
        ("m2", r"\ude00\ud83d", "\u{FFFD}\u{FFFD}"),
        ("m3", r"\\\ud83d", "\\\u{FFFD}"),
    ] {
        ana.send_text(&format!(
            r#"{{"type":"say","room":"geral","id":"{id}","text":"{text}"}}"#
        ));
        let ack = ana.receive_where(|message| message["type"] != "presence");
        let got = (&ack["type"], &ack["id"], &ack["text"]);
        assert_eq!(got, (&json!("ack"), &json!(id), &json!(stored)));
        bruno.wait_for_text(stored);
    }
    ana.send_text(r#"{"type":"say","room":"geral","id":"m4","text":"\\ud83d \ud83d\ude00"}"#);
    assert_eq!(
        ana.receive()["text"],
        Value::Null,
        "an emoji and a backslash are as sent"
    );
    bruno.wait_for_text("\\ud83d 😀");
}

#[test]
fn ack_repeats_the_text_that_cleaning_changed() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.expect(&["2 online +Bruno"]);
    let frames = [
        json!({"type": "say", "room": "geral", "id": "m1", "text": "o\u{200B}i"}),
        json!({"type": "say", "room": "geral", "id": "m1", "text": "o\u{200B}i"}),
        json!({"type": "edit", "room": "geral", "id": "m2", "seq": 1, "text": "ola\u{301}"}),
        json!({"type": "whisper", "to": "Bruno", "id": "m3", "text": "a\r\nb"}),
        json!({"type": "say", "room": "geral", "id": "m4", "text": "olá"}),
        json!({"type": "erase", "room": "geral", "id": "m5", "seq": 1}),
    ];
    let acks = frames.map(|frame| {
        ana.send(frame);
        let ack = ana.receive();
        assert_eq!(ack["type"], "ack", "{ack}");
        ack["text"].clone()
    });
    let none = Value::Null;
    assert_eq!(
        acks,
        [
            json!("oi"),
            json!("oi"),
            json!("olá"),
            json!("a\nb"),
            none.clone(),
            none
        ]
    );
    bruno.expect(&["1 Ana: oi", "2 Ana: olá", "Ana > Bruno: a\nb", "3 Ana: olá"]);
}
