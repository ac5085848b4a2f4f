//! A history into which another program writes while it is served: `cp` over it, or emptied. Its name and its identity stay.

use crate::harness::{kill, wait_for_health};
use crate::log_harness::{LogHarness, say_refused, say_times, wait_for_stderr};
use crate::support::process::ServerProcess;
use serde_json::json;
use std::fs;

/// Says something, lets another program write, and expects that nothing more is taken; gives back the server and what
/// was said before.
fn overwritten(harness: &LogHarness, write: impl Fn(&LogHarness)) -> (ServerProcess, Vec<String>) {
    let server = harness.start();
    let mut ana = server.enter("Ana");
    let mut bia = server.enter("Bia");
    let texts = say_times(&mut ana, "antes", 20);
    write(harness);
    say_refused(&mut ana, "ninguém guarda");
    say_refused(&mut bia, "nem isto");
    let (code, health) = wait_for_health(server.address, "degraded");
    assert_eq!((code, &health["reason"]), (503, &json!("file_gone")));
    let said = wait_for_stderr(&server, "Outro programa escreveu em");
    assert!(said.contains("Ligue o servidor de novo"), "{said}");
    (server, texts)
}

/// Starts the server once more and ends it; gives back what it says about the file.
fn start_again(harness: &LogHarness) -> String {
    let mut server = harness.start();
    server.enter("Rita").say_acked("de novo");
    server.process.terminate();
    server.process.stderr()
}

#[test]
fn copy_written_over_a_served_history_is_kept_whole() {
    let harness = LogHarness::new();
    let copy = harness.other("copia.db");
    let mut server = harness.start();
    let mut texts = say_times(&mut server.enter("Caio"), "na cópia", 30);
    harness.run("copiar", &copy);
    server.process.terminate();
    let write = |harness: &LogHarness| {
        fs::copy(&copy, harness.log("")).unwrap();
    };
    let (mut server, _) = overwritten(&harness, write);
    server.process.terminate();
    assert_eq!(
        fs::read(harness.log("")).unwrap(),
        fs::read(&copy).unwrap(),
        "the end writes nothing into it"
    );
    let said = start_again(&harness);
    assert!(said.contains("havia sobras de outro banco"), "{said}");
    texts.push("de novo".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn old_file_written_over_a_history_after_a_kill_is_noticed() {
    let harness = LogHarness::new();
    let old = harness.other("ontem.db");
    let mut server = harness.start();
    let mut texts = say_times(&mut server.enter("Caio"), "ontem", 30);
    server.process.terminate();
    fs::copy(harness.log(""), &old).unwrap();
    // The journal is merged twice, so that the old file knows nothing of the last one.
    for text in ["hoje", "agora"] {
        let mut server = harness.start();
        server.enter(text).say_acked(text);
        server.process.terminate();
    }
    let mut server = harness.start();
    server.enter("Davi").say_acked("só no diário");
    kill(&mut server.process);
    let write = |harness: &LogHarness| {
        fs::copy(&old, harness.log("")).unwrap();
    };
    let (mut server, _) = overwritten(&harness, write);
    kill(&mut server.process);
    let said = start_again(&harness);
    assert!(said.contains("havia sobras de outro banco"), "{said}");
    texts.push("de novo".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn emptied_history_swallows_no_acknowledged_message() {
    let harness = LogHarness::new();
    let empty = |harness: &LogHarness| fs::write(harness.log(""), "").unwrap();
    let (mut server, _) = overwritten(&harness, empty);
    kill(&mut server.process);
    let said = start_again(&harness);
    assert!(said.contains("havia sobras de outro banco"), "{said}");
    assert_eq!(harness.texts(), ["de novo"]);
}

#[test]
fn emptied_journal_damages_no_history() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut texts = say_times(&mut server.enter("Caio"), "no arquivo", 10);
    server.process.terminate();
    let empty = |harness: &LogHarness| fs::write(harness.log("-wal"), "").unwrap();
    let (mut server, _) = overwritten(&harness, empty);
    server.process.terminate();
    let said = start_again(&harness);
    assert!(said.contains("já teve mais mensagens"), "{said}");
    texts.push("de novo".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn history_emptied_and_written_back_heals() {
    let harness = LogHarness::new();
    let (mut server, mut texts) = overwritten(&harness, |harness| {
        let whole = fs::read(harness.log("")).unwrap();
        fs::write(harness.other("inteiro"), whole).unwrap();
        fs::write(harness.log(""), "").unwrap();
    });
    fs::copy(harness.other("inteiro"), harness.log("")).unwrap();
    wait_for_stderr(&server, "está de volta");
    server.enter("Rita").say_acked("de volta");
    server.process.terminate();
    texts.push("de volta".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn touched_history_is_served_on() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let mut texts = say_times(&mut ana, "antes", 5);
    let file = fs::File::options()
        .write(true)
        .open(harness.log(""))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    texts.extend(say_times(&mut ana, "depois", 5));
    server.process.terminate();
    assert_eq!(harness.texts(), texts);
    assert!(!server.process.stderr().contains("Outro programa"));
}
