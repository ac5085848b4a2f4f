//! The history in a file: restarts, damage, copies, retention and hostile queries.

use super::*;
use crate::history::fixtures::{HistoryFolder, room};
use crate::history::{Append, ClockReading, Outcome, Page, RequestId, RoomHead, fixtures};
use crate::name::RoomName;
use crate::protocol::PageRequest;
use proptest::prelude::*;
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

mod amendments;
mod checkpoints;
mod copies;
mod identity;
mod indexing;
mod leftovers;
mod restoring;
mod space;
mod stalls;

/// How long a test waits for a reply.
const DEADLINE: Duration = Duration::from_secs(20);

/// Cancels no copy.
fn keep_going(_: CopyProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A clock by which a server has been on for long, however often it is read.
fn hasty_clock() -> Clock {
    let hours = AtomicU64::new(0);
    Clock::from_fn(move || ClockReading {
        steady: Duration::from_hours(hours.fetch_add(1, Ordering::Relaxed)),
        ..Clock::system().read()
    })
}

fn open(folder: &HistoryFolder) -> SqliteHistory {
    SqliteHistory::open(&folder.log(), None).unwrap()
}

fn append(author: &str, id: &str, text: &str) -> Append {
    fixtures::append(
        author,
        id,
        text,
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis() as u64,
    )
}

fn request(history: &mut SqliteHistory, request: HistoryRequest) -> HistoryReply {
    history.submit(vec![request]);
    history.replies().recv_timeout(DEADLINE).unwrap()
}

fn say(history: &mut SqliteHistory, author: &str, id: &str, text: &str) -> Outcome {
    match request(history, HistoryRequest::Append(append(author, id, text))) {
        HistoryReply::Appended(_, _, _, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn reply(history: &mut SqliteHistory, id: &str, to: u64) -> Outcome {
    match request(
        history,
        HistoryRequest::Append(Append {
            reply_to: Some(to),
            ..append("Ana", id, "sim")
        }),
    ) {
        HistoryReply::Appended(_, _, _, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn room_head(history: &mut SqliteHistory) -> RoomHead {
    match request(history, HistoryRequest::RoomHead(room())) {
        HistoryReply::RoomHead(_, Some(head)) => head,
        other => panic!("{other:?}"),
    }
}

fn page(history: &mut SqliteHistory, page_request: PageRequest, limit: usize) -> (Vec<u64>, bool) {
    match request(
        history,
        HistoryRequest::Page(RequestId(1), room(), page_request, limit),
    ) {
        HistoryReply::Page(_, _, Some(page)) => (seqs(&page), page.more),
        other => panic!("{other:?}"),
    }
}

fn search(history: &mut SqliteHistory, query: &str, limit: usize) -> Page {
    match request(
        history,
        HistoryRequest::Search(RequestId(1), room(), query.into(), limit),
    ) {
        HistoryReply::Found(_, _, _, Some(page)) => page,
        other => panic!("{query:?}: {other:?}"),
    }
}

fn seqs(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.seq).collect()
}

#[test]
fn entries_seqs_and_ids_survive_a_restart() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let epoch = history.epoch();
    assert!(
        matches!(say(&mut history, "Ana", "1", "oi"), Outcome::Stored(entry) if entry.seq == 1)
    );
    assert!(
        matches!(say(&mut history, "Bruno", "1", "olá"), Outcome::Stored(entry) if entry.seq == 2)
    );
    drop(history);
    let mut history = open(&folder);
    assert_eq!((history.epoch(), history.count()), (epoch, 2));
    assert!(matches!(
        say(&mut history, "Ana", "1", "oi"),
        Outcome::Duplicate { seq: 1, .. }
    ));
    assert_eq!(say(&mut history, "Ana", "1", "outra"), Outcome::IdReused);
    assert!(
        matches!(say(&mut history, "Ana", "2", "de novo"), Outcome::Stored(entry) if entry.seq == 3)
    );
    let head = room_head(&mut history);
    let entries: Vec<_> = head
        .entries
        .iter()
        .map(|entry| (entry.seq, &*entry.from, &*entry.text))
        .collect();
    assert_eq!(
        entries,
        [(1, "Ana", "oi"), (2, "Bruno", "olá"), (3, "Ana", "de novo")]
    );
    assert_eq!(
        (head.seq, head.oldest, head.name.as_str()),
        (3, 1, "Laboratório")
    );
}

#[test]
fn submitted_messages_are_stored_on_drop() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    history.submit(
        (0..5000)
            .map(|n| HistoryRequest::Append(append("Ana", &n.to_string(), "oi")))
            .collect(),
    );
    drop(history);
    assert_eq!(open(&folder).count(), 5000);
}

#[test]
fn pages_read_both_directions_and_report_more() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 1..=10 {
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
    assert_eq!(
        page(&mut history, PageRequest::After(0), 3),
        (vec![1, 2, 3], true)
    );
    assert_eq!(
        page(&mut history, PageRequest::After(7), 3),
        (vec![8, 9, 10], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::After(u64::MAX), 3),
        (vec![], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::Before(4), 2),
        (vec![2, 3], true)
    );
    assert_eq!(
        page(&mut history, PageRequest::Before(u64::MAX), 2),
        (vec![9, 10], true)
    );
    assert_eq!(
        page(&mut history, PageRequest::Before(0), 5),
        (vec![], false)
    );
    assert_eq!(
        page(&mut history, PageRequest::Latest, 20),
        ((1..=10).collect(), false)
    );
}

#[test]
fn search_folds_accents_and_case_and_completes_the_last_word() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for (n, text) in [
        "a Conceição chegou",
        "nada",
        "viu a CONCEICAO hoje?",
        "copo d'água",
    ]
    .iter()
    .enumerate()
    {
        say(&mut history, "Ana", &n.to_string(), text);
    }
    assert_eq!(seqs(&search(&mut history, "conceicao", 10)), [3, 1]);
    assert_eq!(seqs(&search(&mut history, "Conceição ho", 10)), [3]);
    assert_eq!(
        seqs(&search(&mut history, "ho conceição", 10)),
        Vec::<u64>::new()
    );
    assert_eq!(seqs(&search(&mut history, "D'AGUA", 10)), [4]);
    let page = search(&mut history, "conc", 1);
    assert_eq!((seqs(&page), page.more), (vec![3], true));
}

#[test]
fn orderly_shutdown_leaves_one_file() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "oi");
    room_head(&mut history);
    drop(history);
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(
        files
            .iter()
            .all(|file| !file.to_string_lossy().contains('-'))
    );
}

#[test]
fn files_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "oi");
    copy(&folder.log(), &folder.join("copia.db"), &mut keep_going).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            file.file_name()
        );
    }
}

#[test]
fn second_open_of_the_same_file_is_refused() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    assert!(matches!(
        SqliteHistory::open(&folder.log(), None),
        Err(OpenError::InUse)
    ));
    assert!(matches!(
        say(&mut history, "Ana", "1", "oi"),
        Outcome::Stored(_)
    ));
}

#[test]
fn damaged_page_is_detected_on_open() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let epoch = history.epoch();
    history.submit(
        (0..2000)
            .map(|n| HistoryRequest::Append(append("Ana", &n.to_string(), &"texto ".repeat(20))))
            .collect(),
    );
    drop(history);
    let mut bytes = std::fs::read(folder.log()).unwrap();
    let middle = (bytes.len() / 2) & !4095;
    bytes[middle..middle + 8192].fill(0xA5);
    std::fs::write(folder.log(), bytes).unwrap();
    let history = open(&folder);
    assert!(matches!(history.incidents(), [Incident::Damaged(_)]));
    assert_ne!(history.epoch(), epoch);
}

#[test]
fn newer_or_foreign_file_is_left_untouched() {
    let folder = HistoryFolder::new();
    drop(open(&folder));
    let connection = Connection::open(folder.log()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(folder.log()).unwrap();
    assert!(matches!(
        SqliteHistory::open(&folder.log(), None),
        Err(OpenError::Newer)
    ));
    assert_eq!(std::fs::read(folder.log()).unwrap(), before);

    let other = folder.join("agenda.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE contatos (nome TEXT)")
        .unwrap();
    assert!(matches!(
        SqliteHistory::open(&other, None),
        Err(OpenError::Foreign)
    ));
}

#[test]
fn copy_of_a_live_log_is_complete_and_begins_a_new_epoch() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 0..100 {
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
    let copied = folder.join("copia.db");
    assert_eq!(copy(&folder.log(), &copied, &mut keep_going).unwrap(), 100);
    assert!(
        copy(&folder.log(), &copied, &mut keep_going).is_err(),
        "a copy was overwritten"
    );
    let restored = SqliteHistory::open(&copied, None).unwrap();
    assert_eq!(restored.count(), 100);
    assert_ne!(restored.epoch(), history.epoch());
    let epoch = restored.epoch();
    drop(restored);
    assert_eq!(SqliteHistory::open(&copied, None).unwrap().epoch(), epoch);
}

#[test]
fn expired_entries_are_trimmed_but_their_ids_remain() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 1..=1200 {
        let mut old = append("Ana", &n.to_string(), "velha");
        old.at = if n <= 1100 {
            old.at - 3 * 24 * 3600 * 1000
        } else {
            old.at
        };
        history.submit(vec![HistoryRequest::Append(old)]);
    }
    drop(history);
    let retention = Retention::new(Duration::from_hours(2 * 24));
    let mut history = SqliteHistory::open_with(
        &folder.log(),
        HistoryOptions {
            retention: Some(retention),
            clock: hasty_clock(),
            ..HistoryOptions::default()
        },
    )
    .unwrap();
    let mut oldest = 0;
    while oldest < 1101 {
        match history.replies().recv_timeout(DEADLINE).unwrap() {
            HistoryReply::Trimmed(room, first) => {
                assert_eq!(room.as_str(), "Laboratório");
                oldest = first;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        page(&mut history, PageRequest::After(0), 1),
        (vec![1101], true)
    );
    assert_eq!(room_head(&mut history).oldest, 1101);
    assert_eq!(seqs(&search(&mut history, "velha", 200)).len(), 100);
    assert!(matches!(
        say(&mut history, "Ana", "5", "velha"),
        Outcome::Duplicate { seq: 5, .. }
    ));
    assert!(matches!(
        reply(&mut history, "1200", 1000),
        Outcome::IdReused
    ));
    assert!(matches!(
        reply(&mut history, "r1", 1100),
        Outcome::NoSuchEntry
    ));
    assert!(matches!(reply(&mut history, "r1", 1101), Outcome::Stored(entry) if entry.seq == 1201));
    drop(history);
    assert_eq!(open(&folder).count(), 101);
}

#[test]
fn export_writes_text_json_and_html() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "linha um\nlinha <dois>");
    let export = |format| {
        let mut out = Vec::new();
        let count = export(
            &folder.log(),
            &room(),
            format,
            time::UtcOffset::UTC,
            &mut out,
        )
        .unwrap();
        assert_eq!(count, Some(1));
        String::from_utf8(out).unwrap()
    };
    assert!(
        export(Format::Text).ends_with("+00:00\tAna\tlinha um\\nlinha <dois>\n")
            || export(Format::Text).contains("Z\tAna\tlinha um\\n")
    );
    let json: crate::protocol::Entry = serde_json::from_str(&export(Format::Json)).unwrap();
    assert_eq!(json.text, "linha um\nlinha <dois>");
    assert!(export(Format::Html).contains("<b>Ana</b>: linha um\nlinha &lt;dois&gt;</p>"));
    let unknown_room = RoomName::new("vazia").unwrap();
    let none = super::export(
        &folder.log(),
        &unknown_room,
        Format::Text,
        time::UtcOffset::UTC,
        &mut Vec::new(),
    );
    assert_eq!(none.unwrap(), None);
}

#[test]
fn search_accepts_any_query_without_error() {
    let folder = HistoryFolder::new();
    let history = std::cell::RefCell::new(open(&folder));
    say(
        &mut history.borrow_mut(),
        "Ana",
        "1",
        "um texto qualquer NEAR AND OR NOT text:x",
    );
    for query in [
        "\"", "*", "AND", "text:", "NEAR(", "a* b*", "^x", "{", "-x", "'", "\\", "💥", "NOT um",
        "", "(", "+",
    ] {
        search(&mut history.borrow_mut(), query, 10);
    }
    proptest!(|(query in any::<String>())| {
        search(&mut history.borrow_mut(), &query, 10);
    });
    assert_eq!(seqs(&search(&mut history.borrow_mut(), "um NOT", 10)), [1]);
}
