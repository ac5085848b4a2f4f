//! Editing and erasing one's own messages.

use crate::support::client::WsClient;
use crate::support::server::{TestServer, stored_in};
use serde_json::{Value, json};
use tempfile::TempDir;

fn edit(client: &mut WsClient, id: &str, seq: u64, text: &str) {
    client.send(json!({"type": "edit", "room": "geral", "id": id, "seq": seq, "text": text}));
}

fn erase(client: &mut WsClient, id: &str, seq: u64) {
    client.send(json!({"type": "erase", "room": "geral", "id": id, "seq": seq}));
}

/// The seqs of what is found.
fn search_seqs(client: &mut WsClient, query: &str) -> Vec<u64> {
    client.send(json!({"type": "search", "room": "geral", "query": query}));
    let found = client.receive();
    assert_eq!(found["type"], "found");
    found["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect()
}

/// The fields of an entry that are about changes.
fn change_fields(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry.as_object_mut().unwrap().retain(|field, _| {
        ["seq", "text", "edits", "erases", "edited", "erased"].contains(&&**field)
    });
    entry
}

#[test]
fn own_message_can_be_edited_for_everybody() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter("Ana");
    ana.say("bom dia");
    ana.expect(&["ack m1 1"]);
    edit(&mut ana, "e1", 1, "boa tarde");
    ana.expect(&["ack e1 2"]);
    bruno.expect(&["2 online +Ana", "1 Ana: bom dia"]);
    assert_eq!(
        change_fields(&bruno.receive()),
        json!({"seq": 2, "text": "boa tarde", "edits": 1})
    );
    let entries = server.connect().enter("Célia")["entries"].take();
    assert_eq!(
        change_fields(&entries[0]),
        json!({"seq": 1, "text": "boa tarde", "edited": true})
    );
    assert_eq!(
        change_fields(&entries[1]),
        json!({"seq": 2, "text": "boa tarde", "edits": 1})
    );
    bruno.expect(&["3 online +Célia"]);
    assert_eq!(
        (
            search_seqs(&mut bruno, "bom dia"),
            search_seqs(&mut bruno, "boa tarde")
        ),
        (vec![], vec![1])
    );
}

#[test]
fn own_message_can_be_erased_for_everybody() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter("Ana");
    ana.say("segredo");
    ana.expect(&["ack m1 1"]);
    erase(&mut ana, "e1", 1);
    ana.expect(&["ack e1 2"]);
    bruno.expect(&["2 online +Ana", "1 Ana: segredo"]);
    assert_eq!(
        change_fields(&bruno.receive()),
        json!({"seq": 2, "text": "", "erases": [1]})
    );
    bruno.send(json!({"type": "history", "room": "geral"}));
    let entries = bruno.receive()["entries"].take();
    assert_eq!(
        change_fields(&entries[0]),
        json!({"seq": 1, "text": "", "erased": true})
    );
    assert_eq!(search_seqs(&mut bruno, "segredo"), Vec::<u64>::new());
}

#[test]
fn another_persons_message_cannot_be_changed() {
    let server = TestServer::start();
    let mut bruno = server.enter("Bruno");
    let mut ana = server.enter("Ana");
    ana.say("é meu");
    bruno.expect(&["2 online +Ana", "1 Ana: é meu"]);
    edit(&mut bruno, "e1", 1, "é nosso");
    erase(&mut bruno, "e2", 1);
    for id in ["e1", "e2"] {
        let refusal = bruno.receive();
        assert_eq!(
            (&refusal["code"], &refusal["id"]),
            (&json!("forbidden"), &json!(id))
        );
    }
    ana.expect(&["ack m1 1"]);
    ana.expect_nothing();
}

#[test]
fn reconnect_gets_changes_without_the_messages_again() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    ana.say("um");
    ana.say("dois");
    ana.expect(&["ack m1 1", "ack m2 2"]);
    let mut bruno = server.connect();
    let epoch = bruno.enter("Bruno")["epoch"].take();
    drop(bruno);
    edit(&mut ana, "e1", 1, "três");
    erase(&mut ana, "e2", 2);
    ana.expect(&["2 online +Bruno", "ack e1 3", "ack e2 4"]);
    let mut back = server.connect();
    let welcome = back.enter_with("Bruno", json!({"epoch": epoch, "after": 2}));
    assert_eq!(welcome["type"], "welcome");
    let joined = back.receive();
    let received: Vec<_> = joined["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(change_fields)
        .collect();
    assert_eq!(
        received,
        [
            json!({"seq": 3, "text": "três", "edits": 1}),
            json!({"seq": 4, "text": "", "erases": [2]})
        ]
    );
}

#[test]
fn change_survives_restart_and_is_applied_once() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("historico.db");
    let server = TestServer::start_with(stored_in(&file));
    let mut ana = server.enter("Ana");
    ana.say("xilofone");
    ana.say("berimbau");
    ana.expect(&["ack m1 1", "ack m2 2"]);
    edit(&mut ana, "e1", 1, "cavaquinho");
    erase(&mut ana, "e2", 2);
    ana.expect(&["ack e1 3", "ack e2 4"]);
    drop(ana);
    server.stop();
    let bytes = std::fs::read(&file).unwrap();
    for gone in ["xilofone", "berimbau"] {
        assert!(
            !bytes
                .windows(gone.len())
                .any(|window| window == gone.as_bytes()),
            "{gone}"
        );
    }
    let server = TestServer::start_with(stored_in(&file));
    let mut ana = server.connect();
    let entries = ana.enter("Ana")["entries"].take();
    let seen: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(change_fields)
        .collect();
    assert_eq!(
        seen,
        [
            json!({"seq": 1, "text": "cavaquinho", "edited": true}),
            json!({"seq": 2, "text": "", "erased": true})
        ]
    );
    edit(&mut ana, "e1", 1, "cavaquinho");
    erase(&mut ana, "e2", 2);
    for seq in [3, 4] {
        let ack = ana.receive();
        assert_eq!(
            (&ack["seq"], &ack["duplicate"]),
            (&json!(seq), &json!(true)),
            "{ack}"
        );
    }
    assert_eq!(
        (
            search_seqs(&mut ana, "xilofone"),
            search_seqs(&mut ana, "cavaquinho")
        ),
        (vec![], vec![1])
    );
}
