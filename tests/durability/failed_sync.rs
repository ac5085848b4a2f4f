//! A disk on which `fsync` fails: what was refused because of it stays away, also after a crash.
//!
//! The journal may hold all of a transaction whose sync failed. Its senders are told that it was not taken only after
//! something else was written over it.

use crate::consistency::stored_entries;
use crate::harness::{kill, listening, server_on, wait_for_health};
use crate::support::process::Program;
use crate::support::server::ReservedPort;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Compiles the library that makes syncs fail.
fn failing_sync_library(folder: &Path) -> PathBuf {
    let library = folder.join("failing_sync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durability/failing_sync.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    assert!(status.expect("a C compiler").success());
    library
}

/// The server of this program, in which syncs fail while the flag exists.
fn with_failing_sync(program: Program, folder: &Path, flag: &Path) -> Program {
    let library = failing_sync_library(folder);
    program
        .env("LD_PRELOAD", library.to_str().unwrap())
        .env("PAPO_PROVA_EIO", flag.to_str().unwrap())
}

#[test]
fn message_refused_after_a_failed_sync_never_comes_back() {
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("historico.db");
    let flag = folder.path().join("eio");
    let port = ReservedPort::new();
    let mut program = with_failing_sync(server_on(&port, &history), folder.path(), &flag);
    let mut server = listening(program.spawn().unwrap());
    let mut ana = server.enter("Ana");
    let mut bruno = server.enter("Bruno");
    ana.say_acked("antes");
    std::fs::write(&flag, "").unwrap();
    let say = |id: &str| json!({"type": "say", "room": "geral", "id": id, "text": "durante"});
    ana.send(say("x1"));
    let (status, health) = wait_for_health(server.address, "degraded");
    assert_eq!((status, &health["reason"]), (503, &json!("write_failed")));
    // Nothing is accepted now; of Ana's message it is not known yet what becomes of it.
    bruno.send(say("y1"));
    let refused = bruno.receive_where(|message| message["id"] == "y1");
    assert_eq!(refused["code"], "history_unavailable", "{refused}");
    ana.send(json!({"type": "ping"}));
    let next = ana.receive_where(|message| message["type"] != "presence");
    assert_eq!(next["type"], "pong", "{next}");
    std::fs::remove_file(&flag).unwrap();
    let refused = ana.receive_where(|message| message["id"] == "x1");
    assert_eq!(refused["code"], "history_unavailable", "{refused}");
    kill(&mut server.process);
    let texts = || -> Vec<String> {
        let entries = stored_entries(&history);
        entries.into_iter().map(|entry| entry.text).collect()
    };
    assert_eq!(texts(), ["antes"]);
    let mut server = listening(program.spawn().unwrap());
    let mut ana = server.enter("Ana");
    for duplicate in [json!(null), json!(true)] {
        ana.send(say("x1"));
        let ack = ana.receive_where(|message| message["id"] == "x1");
        assert_eq!((&ack["seq"], &ack["duplicate"]), (&json!(2), &duplicate));
    }
    kill(&mut server.process);
    assert_eq!(texts(), ["antes", "durante"]);
}

#[test]
fn moderator_can_ban_while_syncs_fail() {
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("historico.db");
    let flag = folder.path().join("eio");
    let port = ReservedPort::new();
    let mut program = with_failing_sync(server_on(&port, &history), folder.path(), &flag);
    let server = listening(program.spawn().unwrap());
    let mut ana = server.enter_as_moderator("Ana");
    let mut bruno = server.enter("Bruno");
    std::fs::write(&flag, "").unwrap();
    ana.send(json!({"type": "moderate", "act": "ban", "name": "Bruno"}));
    let mut next_notice = || {
        let notice = ana.receive_where(|message| message["type"] == "notice");
        notice["text"].as_str().unwrap().to_owned()
    };
    // The disk is still broken: nobody waits for it.
    assert_eq!(next_notice(), "Ana baniu Bruno da conversa por 1 hora.");
    assert!(next_notice().starts_with("Isto vale agora, mas"));
    let end = bruno.wait_for_disconnect();
    assert_eq!(end.bye.as_deref(), Some("banned"));
}
