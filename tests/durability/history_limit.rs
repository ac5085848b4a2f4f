//! `--historico-max`: at its limit the history takes nothing more, says why, and still erases.

use crate::harness::{listening, server_on, wait_for_health};
use crate::support::server::ReservedPort;
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn history_at_its_limit_refuses_and_still_erases() {
    let folder = TempDir::new().unwrap();
    let port = ReservedPort::new();
    let mut program = server_on(&port, &folder.path().join("historico.db"));
    program.command.args(["--historico-max", "1MB"]);
    let server = listening(program.spawn().unwrap());
    let mut ana = server.enter("Ana");
    let text = "x".repeat(4000);
    let mut say = |number: u64| -> Value {
        let id = format!("f{number}");
        ana.send(json!({"type": "say", "room": "geral", "id": id, "text": text}));
        ana.receive_where(|message| message["id"] == *id)
    };
    let mut answers = (1..=2_000).map(&mut say);
    let refused = answers.find(|answer| answer["type"] != "ack");
    let refused = refused.expect("there is a limit");
    assert_eq!(refused["code"], "history_unavailable", "{refused}");
    let sentence = refused["text"].as_str().unwrap();
    assert!(sentence.contains("tamanho máximo"), "{sentence}");
    let (status, health) = wait_for_health(server.address, "degraded");
    assert_eq!((status, &health["reason"]), (503, &json!("limit_reached")));
    ana.send(json!({"type": "erase", "room": "geral", "id": "e1", "seq": 1}));
    let erased = ana.receive_where(|message| message["id"] == "e1");
    assert_eq!(erased["type"], "ack", "{erased}");
}
