//! The journal is moved into the database while messages flow: it stays bounded, and an end in the middle loses nothing.

use crate::harness::kill;
use crate::log_harness::LogHarness;
use crate::support::Deadline;
use crate::support::client::WsClient;
use crate::support::process::ServerProcess;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Bytes of a journal that is to begin anew, and that takes a while to move.
const LONG_JOURNAL: u64 = 8 * 1024 * 1024;

/// Keeps what the file says now until it is dropped: nothing newer can be moved into it.
fn hold_snapshot(log: &Path) -> Connection {
    let reader = Connection::open(log).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let read = reader.query_row("SELECT count(*) FROM rooms", [], |_| Ok(()));
    read.unwrap();
    reader
}

/// Says long messages until the journal has so many bytes; gives back their texts.
fn talk_until(harness: &LogHarness, client: &mut WsClient, journal: u64) -> Vec<String> {
    let mut texts = Vec::new();
    while harness.log("-wal").metadata().unwrap().len() < journal {
        texts.push(say_long(client, texts.len()));
    }
    texts
}

fn say_long(client: &mut WsClient, number: usize) -> String {
    let text = format!("{number} {}", "muitas palavras ".repeat(200));
    let text = text.trim_end().to_owned();
    client.say_acked(&text);
    text
}

/// The salts in the journal's header, which are others after it has begun anew.
fn salts(harness: &LogHarness) -> [u8; 8] {
    let mut header = [0; 24];
    let mut file = File::open(harness.log("-wal")).unwrap();
    file.read_exact(&mut header).unwrap();
    header[16..].try_into().unwrap()
}

/// How many frames of the journal are moved, and how many are to be: more while they are being moved.
fn progress(harness: &LogHarness) -> (u32, u32) {
    let index = fs::read(harness.log("-shm")).unwrap();
    let number = |at: usize| u32::from_ne_bytes(index[at..at + 4].try_into().unwrap());
    (number(96), number(128))
}

#[test]
fn journal_that_a_reader_held_begins_anew_and_stays_bounded() {
    let harness = LogHarness::new();
    let mut server = harness.start();
    let mut ana = server.enter("Ana");
    let reader = hold_snapshot(&harness.log(""));
    let mut texts = talk_until(&harness, &mut ana, LONG_JOURNAL + 4_000_000);
    let longest = harness.log("-wal").metadata().unwrap().len();
    drop(reader);
    // Once after the reader, once in a talk that goes on.
    for _ in 0..2 {
        let before = salts(&harness);
        let deadline = Deadline::within_seconds(120);
        while salts(&harness) == before {
            assert!(!deadline.is_over(), "it never begins anew");
            texts.push(say_long(&mut ana, texts.len()));
        }
    }
    let length = harness.log("-wal").metadata().unwrap().len();
    assert!(length < longest + LONG_JOURNAL, "{length} bytes");
    server.process.terminate();
    assert!(!harness.log("-wal").exists());
    assert_eq!(harness.texts(), texts);
}

/// Talks, and calls `end` in the middle of a pass over a long journal. The server must have lost nothing then.
fn end_in_the_middle_of_a_pass(end: impl Fn(&mut ServerProcess)) {
    let harness = LogHarness::new();
    let mut texts = Vec::new();
    let mut met = false;
    let deadline = Deadline::within_seconds(180);
    while !met {
        let mut server = harness.start();
        let mut ana = server.enter("Ana");
        let reader = hold_snapshot(&harness.log(""));
        texts.extend(talk_until(&harness, &mut ana, LONG_JOURNAL));
        let (before, _) = progress(&harness);
        drop(reader);
        // A pass that was over before it was seen is tried once more.
        let mut state = progress(&harness);
        while state.0 == before && state.1 == before {
            assert!(!deadline.is_over(), "no pass in time: {state:?}");
            state = progress(&harness);
        }
        met = state.0 < state.1;
        end(&mut server);
        let said = server.process.stderr();
        assert!(!said.contains("ATENÇÃO"), "{said}");
    }
    let mut server = harness.start();
    server.enter("Bia").say_acked("de novo");
    server.process.terminate();
    let said = server.process.stderr();
    assert!(!said.contains("ATENÇÃO"), "{said}");
    texts.push("de novo".into());
    assert_eq!(harness.texts(), texts);
}

#[test]
fn kill_in_the_middle_of_a_pass_loses_nothing() {
    end_in_the_middle_of_a_pass(|server| kill(&mut server.process));
}

#[test]
fn stop_in_the_middle_of_a_pass_leaves_one_whole_file() {
    end_in_the_middle_of_a_pass(|server| {
        server.process.terminate();
    });
}
