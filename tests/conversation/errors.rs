//! Every error code, at least once over a real connection.
//!
//! `local_key_required` is in `raw_sockets`; those of moderation and passwords are in `moderation` and `passwords`.

use crate::faulty_history::FaultyHistory;
use crate::support::client::summary;
use crate::support::server::TestServer;
use papo::history::HistoryRequest;
use serde_json::{Value, json};

#[test]
fn requests_before_enter_get_their_error_code() {
    let server = TestServer::start();
    let _bruno = server.enter("Bruno");
    let mut client = server.connect();
    client.send_text("isto não é JSON");
    client.expect(&["error bad_json"]);
    for (message, expected) in [
        (json!({"type": "dança"}), "error unknown_type"),
        (json!({"type": "enter"}), "error bad_field"),
        (
            json!({"type": "say", "room": "geral", "id": "1", "text": "oi"}),
            "error not_entered",
        ),
        (
            json!({"type": "enter", "name": "<b>"}),
            "error name_invalid",
        ),
        (
            json!({"type": "enter", "name": "Bruno"}),
            "error name_taken",
        ),
        (
            json!({"type": "enter", "name": "Ana", "room": "a b"}),
            "error room_invalid",
        ),
    ] {
        client.send(message);
        client.expect(&[expected]);
    }
    client.enter("Ana");
    client.send(json!({"type": "enter", "name": "Ana"}));
    client.expect(&["error already_entered"]);
}

#[test]
fn invalid_requests_after_enter_get_their_error_code() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    let say =
        |id: &str, text: &str| json!({"type": "say", "room": "geral", "id": id, "text": text});
    ana.send(say("um", "primeira"));
    ana.expect(&["ack um 1"]);
    for (message, expected) in [
        (
            json!({"type": "say", "room": "lab", "id": "x", "text": "oi"}),
            "not_in_room",
        ),
        (say("x", "  \n "), "text_empty"),
        (say("x", &"á".repeat(4001)), "text_too_long"),
        (say("um", "outra"), "id_reused"),
        (
            json!({"type": "say", "room": "geral", "id": "x", "text": "oi", "reply_to": 9}),
            "no_such_entry",
        ),
        (
            json!({"type": "whisper", "to": "Zé", "id": "x", "text": "oi"}),
            "no_such_person",
        ),
    ] {
        ana.send(message.clone());
        let error = ana.receive();
        assert_eq!(
            (&error["code"], &error["id"]),
            (&json!(expected), &message["id"])
        );
        assert!(error["text"].as_str().unwrap().ends_with('.'), "{error}");
    }
    for n in 0..32 {
        ana.send(json!({"type": "join", "room": format!("sala-{n}")}));
    }
    let last = (0..32).map(|_| ana.receive()).last().unwrap();
    assert_eq!(last["code"], "too_many_rooms");
}

#[test]
fn rate_limited_message_succeeds_after_retry_delay() {
    let server = TestServer::start_with(|setup| setup.rules.rate = Some(100.0));
    let mut ana = server.enter("Ana");
    let mut waiting: Vec<String> = (0..60).map(|_| ana.say("oi")).collect();
    let mut acknowledged = Vec::new();
    while !waiting.is_empty() {
        let mut refused: Vec<(String, u64)> = Vec::new();
        for _ in 0..waiting.len() {
            let answer = ana.receive();
            let id = answer["id"].as_str().unwrap().to_owned();
            match answer["code"].as_str() {
                None => acknowledged.push(answer["seq"].as_u64().unwrap()),
                Some("too_fast") => refused.push((id, answer["retry_after_ms"].as_u64().unwrap())),
                other => panic!("{other:?}"),
            }
        }
        let Some(wait) = refused.iter().map(|(_, wait)| *wait).max() else {
            break;
        };
        assert!((1..=1000).contains(&wait), "{wait}");
        // The time that the server asked for is part of the protocol, not a guess of this test.
        std::thread::sleep(std::time::Duration::from_millis(wait));
        waiting = refused.into_iter().map(|(id, _)| id).collect();
        for id in &waiting {
            ana.send(json!({"type": "say", "room": "geral", "id": id, "text": "oi"}));
        }
    }
    assert_eq!(acknowledged, (1..=60).collect::<Vec<_>>());
}

#[test]
fn message_is_refused_and_hidden_when_disk_is_full() {
    let history = FaultyHistory::new(|request| matches!(request, HistoryRequest::Append(_)));
    let server = TestServer::start_with(|setup| setup.history = Box::new(history));
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter("Ana");
    bruno.expect(&["2 online +Ana"]);
    ana.say("cabe?");
    let error: Value = ana.receive();
    assert_eq!(
        (summary(&error), &error["id"]),
        ("error history_unavailable".into(), &json!("m1"))
    );
    bruno.expect_nothing();
}
