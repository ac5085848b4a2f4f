//! Entering is one step: `welcome` and `joined`, or one `error` and nothing.

use crate::faulty_history::FaultyHistory;
use crate::support::client::summary;
use crate::support::raw::token_for;
use crate::support::server::TestServer;
use papo::history::HistoryRequest;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The room's log could not be read, and a script that had entered waited for a `joined` that never came.
#[test]
fn entry_into_an_unreadable_room_is_one_refusal() {
    let broken = Arc::new(AtomicBool::new(true));
    let disk = broken.clone();
    let history = FaultyHistory::new(move |request| match request {
        HistoryRequest::RoomHead(room) => room.as_str() == "lab" && disk.load(Ordering::SeqCst),
        _ => false,
    });
    let server = TestServer::start_with(|setup| setup.history = Box::new(history));
    let mut bruno = server.enter("Bruno");
    let mut ana = server.connect();
    let enter = |id: &str| json!({"type": "enter", "name": "Ana", "token": token_for("Ana"), "room": "lab", "id": id});
    for id in ["e1", "e2"] {
        ana.send(enter(id));
        let error = ana.receive();
        assert_eq!(summary(&error), "error history_unavailable");
        assert_eq!(error["id"], id);
    }
    ana.expect_nothing();
    // Bruno has heard of nobody, and the name is free for another person.
    bruno.expect_nothing();
    let mut other = server.connect();
    other.send(json!({"type": "enter", "name": "Ana", "token": token_for("outra")}));
    other.expect(&["welcome Ana", "joined geral 2"]);
    other.leave();
    bruno.expect(&["2 online +Ana", "1 online -Ana"]);
    // On the same connection, as soon as the disk is well again.
    broken.store(false, Ordering::SeqCst);
    ana.send(enter("e3"));
    for expected in ["welcome Ana", "joined lab 1"] {
        let answer = ana.receive();
        assert_eq!(
            (summary(&answer), &answer["id"]),
            (expected.into(), &json!("e3"))
        );
    }
}

#[test]
fn refused_entry_can_be_repeated_into_another_room() {
    let history = FaultyHistory::new(
        |request| matches!(request, HistoryRequest::RoomHead(room) if room.as_str() == "lab"),
    );
    let server = TestServer::start_with(|setup| setup.history = Box::new(history));
    let mut ana = server.connect();
    let enter = |room: &str| json!({"type": "enter", "name": "Ana", "token": token_for("Ana"), "room": room});
    ana.send(enter("lab"));
    ana.expect(&["error history_unavailable"]);
    ana.send(enter("geral"));
    ana.expect(&["welcome Ana", "joined geral 1"]);
    ana.send(json!({"type": "join", "room": "lab", "id": "j1"}));
    let error = ana.receive();
    assert_eq!(summary(&error), "error history_unavailable");
    assert_eq!(error["id"], "j1");
}
