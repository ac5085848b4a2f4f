//! People change their minds about what they said.

use crate::paths::new_path;
use crate::stage::{TestServer, Visitor, token};
use papo::history::sqlite::SqliteHistory;
use serde_json::{Value, json};
use std::path::PathBuf;

fn edit(visitor: &mut Visitor, id: &str, seq: u64, text: &str) {
    visitor.send(json!({"type": "edit", "room": "geral", "id": id, "seq": seq, "text": text}));
}

fn erase(visitor: &mut Visitor, id: &str, seq: u64) {
    visitor.send(json!({"type": "erase", "room": "geral", "id": id, "seq": seq}));
}

/// The seqs of what is found.
fn found(visitor: &mut Visitor, query: &str) -> Vec<u64> {
    visitor.send(json!({"type": "search", "room": "geral", "query": query}));
    let found = visitor.next();
    assert_eq!(found["type"], "found");
    found["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect()
}

/// The fields by which an entry tells of changes.
fn changes(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry.as_object_mut().unwrap().retain(|field, _| {
        ["seq", "text", "edits", "erases", "edited", "erased"].contains(&&**field)
    });
    entry
}

#[test]
fn ones_own_message_gets_another_text_for_everybody() {
    let server = TestServer::start();
    let (mut bruno, mut ana) = (server.enter("Bruno"), server.enter("Ana"));
    ana.say("bom dia");
    ana.hears(&["ack m1 1"]);
    edit(&mut ana, "e1", 1, "boa tarde");
    ana.hears(&["ack e1 2"]);
    bruno.hears(&["2 online +Ana", "1 Ana: bom dia"]);
    assert_eq!(
        changes(&bruno.next()),
        json!({"seq": 2, "text": "boa tarde", "edits": 1})
    );
    let entries = server.visitor().enter("Célia")["entries"].take();
    assert_eq!(
        changes(&entries[0]),
        json!({"seq": 1, "text": "boa tarde", "edited": true})
    );
    assert_eq!(
        changes(&entries[1]),
        json!({"seq": 2, "text": "boa tarde", "edits": 1})
    );
    bruno.hears(&["3 online +Célia"]);
    assert_eq!(
        (found(&mut bruno, "bom dia"), found(&mut bruno, "boa tarde")),
        (vec![], vec![1])
    );
}

#[test]
fn ones_own_message_is_taken_back_for_everybody() {
    let server = TestServer::start();
    let (mut bruno, mut ana) = (server.enter("Bruno"), server.enter("Ana"));
    ana.say("segredo");
    ana.hears(&["ack m1 1"]);
    erase(&mut ana, "e1", 1);
    ana.hears(&["ack e1 2"]);
    bruno.hears(&["2 online +Ana", "1 Ana: segredo"]);
    assert_eq!(
        changes(&bruno.next()),
        json!({"seq": 2, "text": "", "erases": [1]})
    );
    bruno.send(json!({"type": "history", "room": "geral"}));
    let entries = bruno.next()["entries"].take();
    assert_eq!(
        changes(&entries[0]),
        json!({"seq": 1, "text": "", "erased": true})
    );
    assert_eq!(found(&mut bruno, "segredo"), Vec::<u64>::new());
}

#[test]
fn somebody_elses_message_stays_as_it_is() {
    let server = TestServer::start();
    let (mut bruno, mut ana) = (server.enter("Bruno"), server.enter("Ana"));
    ana.say("é meu");
    bruno.hears(&["2 online +Ana", "1 Ana: é meu"]);
    edit(&mut bruno, "e1", 1, "é nosso");
    erase(&mut bruno, "e2", 1);
    for id in ["e1", "e2"] {
        let refusal = bruno.next();
        assert_eq!(
            (&refusal["code"], &refusal["id"]),
            (&json!("forbidden"), &json!(id))
        );
    }
    ana.hears(&["ack m1 1"]);
    ana.hears_nothing();
}

#[test]
fn who_was_away_hears_of_the_change_and_not_of_the_message_again() {
    let server = TestServer::start();
    let mut ana = server.enter("Ana");
    ana.say("um");
    ana.say("dois");
    ana.hears(&["ack m1 1", "ack m2 2"]);
    let mut bruno = server.visitor();
    let epoch = bruno.enter("Bruno")["epoch"].take();
    drop(bruno);
    edit(&mut ana, "e1", 1, "três");
    erase(&mut ana, "e2", 2);
    ana.hears(&["2 online +Bruno", "ack e1 3", "ack e2 4"]);
    let mut back = server.visitor();
    back.send(json!({"type": "enter", "name": "Bruno", "token": token("Bruno"), "epoch": epoch, "after": 2}));
    back.hears(&["welcome Bruno"]);
    let joined = back.next();
    let heard: Vec<_> = joined["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(changes)
        .collect();
    assert_eq!(
        heard,
        [
            json!({"seq": 3, "text": "três", "edits": 1}),
            json!({"seq": 4, "text": "", "erases": [2]})
        ]
    );
}

/// A file that goes away with the test, with whatever SQLite puts beside it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        Self(new_path(name))
    }

    fn server(&self) -> TestServer {
        TestServer::start_with(|setup| {
            setup.history = Box::new(SqliteHistory::open(&self.0, None).unwrap())
        })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

#[test]
fn a_change_outlives_the_server_and_is_not_made_twice() {
    let file = File::new("amending");
    let server = file.server();
    let mut ana = server.enter("Ana");
    ana.say("xilofone");
    ana.say("berimbau");
    ana.hears(&["ack m1 1", "ack m2 2"]);
    edit(&mut ana, "e1", 1, "cavaquinho");
    erase(&mut ana, "e2", 2);
    ana.hears(&["ack e1 3", "ack e2 4"]);
    drop(ana);
    server.stop();
    let bytes = std::fs::read(&file.0).unwrap();
    for gone in ["xilofone", "berimbau"] {
        assert!(
            !bytes
                .windows(gone.len())
                .any(|window| window == gone.as_bytes()),
            "{gone}"
        );
    }
    let server = file.server();
    let mut ana = server.visitor();
    let entries = ana.enter("Ana")["entries"].take();
    let seen: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(changes)
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
        let ack = ana.next();
        assert_eq!(
            (&ack["seq"], &ack["duplicate"]),
            (&json!(seq), &json!(true)),
            "{ack}"
        );
    }
    assert_eq!(
        (found(&mut ana, "xilofone"), found(&mut ana, "cavaquinho")),
        (vec![], vec![1])
    );
}
