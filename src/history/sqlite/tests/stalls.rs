//! A file that another program holds: what waits can be given up, what was given up is not stored.

use super::*;
use crate::history::{HistoryFault, MAX_WAIT};
use std::time::Instant;

/// Holds the file's write lock, as another program would.
fn hold(folder: &HistoryFolder) -> Connection {
    let connection = Connection::open(folder.log()).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

fn submit(history: &mut SqliteHistory, append: Append) {
    history.submit(vec![HistoryRequest::Append(append)]);
}

/// The id and the outcome of the next reply.
fn receive(history: &SqliteHistory) -> (String, Outcome) {
    match history.replies().recv_timeout(DEADLINE).unwrap() {
        HistoryReply::Appended(_, id, _, outcome) => (id, outcome),
        other => panic!("{other:?}"),
    }
}

/// Waits until the writer has met this. No event announces it.
fn wait_for(health: &HistoryHealth, fault: Option<HistoryFault>) {
    let deadline = Instant::now() + DEADLINE;
    while health.last_fault() != fault {
        assert!(Instant::now() < deadline, "{:?}", health.last_fault());
        std::thread::yield_now();
    }
}

#[test]
fn message_expires_while_another_program_holds_the_file() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let held = hold(&folder);
    submit(&mut history, append("Ana", "1", "oi"));
    let expiry = history.next_expiry().unwrap();
    assert!(expiry <= Instant::now() + MAX_WAIT);
    history.expire(expiry);
    assert_eq!(receive(&history), ("1".into(), Outcome::Unavailable));
    assert_eq!(history.next_expiry(), None);
    // Reading goes on, and finds nothing.
    assert_eq!(room_head(&mut history).seq, 0);
    drop(held);
    let resend = say(&mut history, "Ana", "1", "oi");
    assert!(matches!(resend, Outcome::Stored(entry) if entry.seq == 1));
}

#[test]
fn message_that_waits_is_stored_once_the_file_is_free() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let held = hold(&folder);
    submit(&mut history, append("Ana", "1", "oi"));
    drop(held);
    let (id, outcome) = receive(&history);
    assert!(id == "1" && matches!(outcome, Outcome::Stored(_)));
}

#[test]
fn held_file_is_a_fault_that_heals_without_a_message() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let health = history.health();
    let held = hold(&folder);
    submit(&mut history, append("Ana", "1", "oi"));
    wait_for(&health, Some(HistoryFault::Locked));
    history.expire(Instant::now() + MAX_WAIT);
    receive(&history);
    drop(held);
    wait_for(&health, None);
}

#[test]
fn file_that_is_away_is_a_fault_until_it_is_back() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let health = history.health();
    std::fs::rename(folder.log(), folder.join("longe.db")).unwrap();
    assert_eq!(say(&mut history, "Ana", "1", "oi"), Outcome::Unavailable);
    wait_for(&health, Some(HistoryFault::FileGone));
    std::fs::rename(folder.join("longe.db"), folder.log()).unwrap();
    wait_for(&health, None);
    let resend = say(&mut history, "Ana", "1", "oi");
    assert!(matches!(resend, Outcome::Stored(entry) if entry.seq == 1));
}

#[test]
fn dropping_the_history_gives_up_what_a_held_file_keeps() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let held = hold(&folder);
    submit(&mut history, append("Ana", "1", "oi"));
    drop(history);
    drop(held);
    assert_eq!(room_head(&mut open(&folder)).seq, 0);
}

#[test]
fn waiting_messages_fill_the_history_up_to_its_bound() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let held = hold(&folder);
    let text = "x".repeat(16_000);
    let mut submitted = 0;
    while !history.is_full() {
        submitted += 1;
        submit(&mut history, append("Ana", &submitted.to_string(), &text));
    }
    assert_eq!(submitted, queue::MAX_QUEUE_BYTES / (16_000 + 512) + 1);
    history.expire(Instant::now() + MAX_WAIT);
    assert!(!history.is_full());
    for _ in 0..submitted {
        assert_eq!(receive(&history).1, Outcome::Unavailable);
    }
    drop(held);
    let next = say(&mut history, "Ana", "next", "oi");
    assert!(matches!(next, Outcome::Stored(entry) if entry.seq == 1));
}
