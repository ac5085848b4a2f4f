//! A history that is put back, swapped, moved or removed, by the real program: what was acknowledged is there, or it was
//! refused, and everybody who holds more than the log is told.

use crate::harness::{kill, wait_for_health};
use crate::log_harness::{LogHarness, say_refused, say_times, wait_for_stderr};
use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::process::ServerProcess;
use papo::history::sqlite::SqliteHistory;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

/// Enters as somebody who holds a log up to this seq; gives back the `joined`.
fn resume(server: &ServerProcess, name: &str, epoch: &Value, after: u64) -> Value {
    let mut client = server.connect();
    let welcome = client.enter_with(name, json!({"epoch": epoch, "after": after}));
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    client.receive_where(|message| message["type"] == "joined")
}

/// Sends a message again and again until it is taken.
#[track_caller]
fn say_again(client: &mut WsClient, id: &str, text: &str) {
    let deadline = Deadline::of_one_event();
    loop {
        client.send(json!({"type": "say", "room": "geral", "id": id, "text": text}));
        let answer = client.receive_where(|message| message["id"] == *id);
        if answer["type"] == "ack" {
            assert_ne!(
                answer["duplicate"], true,
                "it was refused, and yet it was there"
            );
            return;
        }
        assert!(!deadline.is_over(), "{answer}");
    }
}

fn copied_back(before: usize, after: usize) {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.connect();
    let epoch = ana.enter("Ana")["epoch"].clone();
    let mut texts = say_times(&mut ana, "antes", before);
    harness.run("copiar", &harness.other("copia.db"));
    say_times(&mut ana, "depois", after);
    kill(&mut server.process);
    fs::copy(harness.other("copia.db"), harness.log("")).unwrap();

    let server = harness.start();
    wait_for_stderr(&server, "sobras de outro banco de dados");
    // All who were there begin anew, not only the first.
    for name in ["Ana", "Bia"] {
        let joined = resume(&server, name, &epoch, (before + after) as u64);
        assert_eq!(
            (&joined["reset"], &joined["seq"]),
            (&json!(true), &json!(before))
        );
        assert_ne!(joined["epoch"], epoch);
    }
    server.enter("Rita").say_acked("de volta");
    drop(server);
    texts.push("de volta".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn small_copy_put_back_after_a_kill_is_not_undone() {
    copied_back(200, 400);
}

#[test]
fn large_copy_put_back_after_a_kill_is_not_damaged() {
    // More than a thousand pages: the journal was merged into the file meanwhile.
    copied_back(400, 1000);
}

#[test]
fn file_put_back_without_its_journal_resets_everybody() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.connect();
    let epoch = ana.enter("Ana")["epoch"].clone();
    say_times(&mut ana, "antes", 30);
    server.process.terminate();
    fs::copy(harness.log(""), harness.other("ontem.db")).unwrap();
    let mut server = harness.start();
    say_times(&mut server.enter("Rita"), "depois", 30);
    server.process.terminate();
    fs::copy(harness.other("ontem.db"), harness.log("")).unwrap();

    let mut server = harness.start();
    wait_for_stderr(&server, "já teve mais mensagens");
    for name in ["Ana", "Bia"] {
        let joined = resume(&server, name, &epoch, 60);
        assert_eq!(
            (&joined["reset"], &joined["seq"]),
            (&json!(true), &json!(30))
        );
    }
    server.process.terminate();
    // It is said once.
    let mut server = harness.start();
    server.process.terminate();
    assert!(!server.process.stderr().contains("ATENÇÃO"));
}

#[test]
fn longer_log_put_in_the_place_is_not_called_an_older_one() {
    let logs = [10, 30].map(|messages| {
        let harness = LogHarness::new();
        let mut server = harness.start();
        say_times(&mut server.enter("Ana"), "dito", messages);
        server.process.terminate();
        harness
    });
    fs::copy(logs[1].log(""), logs[0].log("")).unwrap();
    let mut server = logs[0].start();
    let said = wait_for_stderr(&server, "não é o histórico que esteve aqui por último");
    assert!(!said.contains("já teve mais mensagens"), "{said}");
    server.process.terminate();
    assert_eq!(logs[0].texts(), logs[1].texts());
}

#[test]
fn journal_left_by_another_log_does_not_come_back() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    say_times(&mut server.enter("Ana"), "de antes", 50);
    kill(&mut server.process);
    // As somebody does who wants to begin anew.
    fs::remove_file(harness.log("")).unwrap();
    let mut server = harness.start();
    assert!(server.banner.contains("(0 mensagens)"), "{}", server.banner);
    server.enter("Bia").say_acked("nova");
    server.process.terminate();
    assert_eq!(harness.texts(), ["nova"]);
}

/// Takes the files away under a talk of two, waits until it is noticed, and puts them back.
fn taken_away(take: impl Fn(&LogHarness), put_back: impl Fn(&LogHarness)) {
    taken_from(&LogHarness::new(), take, put_back);
}

fn taken_from(harness: &LogHarness, take: impl Fn(&LogHarness), put_back: impl Fn(&LogHarness)) {
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let mut bia = server.enter("Bia");
    let mut texts = say_times(&mut ana, "antes", 20);
    bia.wait_for_text("antes 19");
    take(harness);
    let refused = say_refused(&mut ana, "ninguém guarda");
    say_refused(&mut bia, "nem isto");
    bia.send(json!({"type": "history", "room": "geral", "before": 10}));
    let page = bia.receive_where(|message| message["type"] == "history");
    assert_eq!(
        page["entries"].as_array().map(Vec::len),
        Some(9),
        "reading goes on"
    );
    let (code, health) = wait_for_health(server.address, "degraded");
    assert_eq!((code, &health["reason"]), (503, &json!("file_gone")));
    put_back(harness);
    say_again(&mut ana, &refused, "guardado");
    bia.wait_for_text("guardado");
    wait_for_health(server.address, "ok");
    let said = wait_for_stderr(&server, "está de volta");
    assert_eq!(said.matches("todas são recusadas").count(), 1, "{said}");
    assert_eq!(said.matches("está de volta").count(), 1, "{said}");
    kill(&mut server.process);
    texts.push("guardado".into());
    assert_eq!(harness.texts(), texts);
    let mut server = harness.start();
    server.process.terminate();
    assert!(!server.process.stderr().contains("ATENÇÃO"));
}

fn mv(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn moved_history_is_refused_and_heals() {
    taken_away(
        |harness| mv(&harness.log(""), &harness.other("longe.db")),
        |harness| mv(&harness.other("longe.db"), &harness.log("")),
    );
}

#[test]
fn history_replaced_by_another_is_refused_and_heals() {
    taken_away(
        |harness| {
            mv(&harness.log(""), &harness.other("longe.db"));
            drop(SqliteHistory::open(&harness.other("outro.db"), None).unwrap());
            mv(&harness.other("outro.db"), &harness.log(""));
        },
        |harness| mv(&harness.other("longe.db"), &harness.log("")),
    );
}

#[test]
fn renamed_folder_of_the_history_is_refused_and_heals() {
    taken_away(
        |harness| mv(&harness.folder(), &harness.other("longe")),
        |harness| mv(&harness.other("longe"), &harness.folder()),
    );
}

#[test]
fn history_linked_to_another_is_refused_and_heals() {
    let harness = LogHarness::new();
    let link_to = |harness: &LogHarness, target: &str| {
        let _ = fs::remove_file(harness.folder());
        symlink(harness.other(target), harness.folder()).unwrap();
    };
    // As tools do that keep each version in a folder of its own.
    mv(&harness.folder(), &harness.other("v1"));
    fs::create_dir(harness.other("v2")).unwrap();
    link_to(&harness, "v1");
    taken_from(
        &harness,
        |harness| link_to(harness, "v2"),
        |harness| link_to(harness, "v1"),
    );
}

#[test]
fn moved_journal_is_refused_and_heals() {
    taken_away(
        |harness| mv(&harness.log("-wal"), &harness.other("longe")),
        |harness| mv(&harness.other("longe"), &harness.log("-wal")),
    );
}

#[test]
fn removed_history_swallows_no_acknowledged_message() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let mut bia = server.enter("Bia");
    say_times(&mut ana, "antes", 30);
    // As `git clean -fdx` does.
    fs::remove_dir_all(harness.folder()).unwrap();
    for client in [&mut ana, &mut bia] {
        say_refused(client, "?");
    }
    let said = wait_for_stderr(&server, "não está mais no lugar");
    assert!(said.contains("ligue o servidor de novo"), "{said}");
    server.process.terminate();
    fs::create_dir(harness.folder()).unwrap();
    let server = harness.start();
    server.enter("Ana").say_acked("de novo");
    drop(server);
    assert_eq!(harness.texts(), ["de novo"]);
}

#[test]
fn witness_follows_the_log_while_it_grows() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    say_times(&mut ana, "oi", 5);
    // Without another message: within a second or two.
    let deadline = Deadline::of_one_event();
    let written = || fs::read_to_string(harness.log(".testemunha")).unwrap_or_default();
    while !written().ends_with(&format!(" {:020}\n", 5)) {
        assert!(!deadline.is_over(), "{}", written());
        ana.receive_within(Duration::from_millis(20));
    }
    kill(&mut server.process);
    // The journal is lost, as where only one file is mounted.
    fs::remove_file(harness.log("-wal")).unwrap();
    let server = harness.start();
    wait_for_stderr(&server, "já teve mais mensagens");
}
