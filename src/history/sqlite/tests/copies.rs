//! Copies: whole or absent, marked, and without what was erased.

use super::*;
use crate::history::fixtures::erase;
use crate::history::sqlite::backup::{Unindexed, copy_database};
use std::path::Path;

/// The files of a folder that belong to the copy, sorted.
fn copies(folder: &HistoryFolder) -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("copia"))
        .collect();
    files.sort();
    files
}

fn number(path: &Path, sql: &str) -> u64 {
    let connection = Connection::open(path).unwrap();
    let number: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    number as u64
}

/// A closed history with so many messages.
fn folder_with_messages(count: u64) -> HistoryFolder {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let text = "mensagem ".repeat(20);
    let all = (0..count).map(|n| HistoryRequest::Append(append("Ana", &n.to_string(), &text)));
    history.submit(all.collect());
    drop(history);
    folder
}

#[test]
fn copy_is_one_file_that_knows_how_far_the_log_was() {
    let folder = folder_with_messages(100);
    let copied = folder.join("copia.db");
    let mut steps = Vec::new();
    copy(&folder.log(), &copied, &mut |progress| {
        steps.push(progress.percent());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(steps.last(), Some(&100));
    assert_eq!(copies(&folder), ["copia.db"]);
    let header = std::fs::read(&copied).unwrap();
    assert_eq!(header[18..20], [1, 1], "a copy has no write-ahead log");
    let marked = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'copy'";
    assert_eq!(number(&copied, marked), 100);
}

#[test]
fn cancelled_copy_leaves_nothing() {
    let folder = folder_with_messages(10_000);
    let copied = folder.join("copia.db");
    let mut steps = 0;
    let cancelled = copy(&folder.log(), &copied, &mut |progress| {
        steps += 1;
        assert!(progress.done < progress.total, "it can still be cancelled");
        ControlFlow::Break(())
    });
    assert!(matches!(cancelled, Err(CopyError::Cancelled)));
    assert_eq!((steps, copies(&folder)), (1, Vec::new()));
}

#[test]
fn leftovers_of_a_killed_copy_are_removed_by_the_next() {
    let folder = folder_with_messages(10);
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let leftover = folder.join(&format!("copia.db.copiando{suffix}"));
        std::fs::write(leftover, vec![0xA5; 100_000]).unwrap();
    }
    let copied = folder.join("copia.db");
    assert_eq!(copy(&folder.log(), &copied, &mut keep_going).unwrap(), 10);
    assert_eq!(copies(&folder), ["copia.db"]);
    assert_eq!(
        SqliteHistory::open(&copied, None).unwrap().count(),
        10,
        "the copy is sound"
    );
}

#[test]
fn copy_killed_at_its_end_and_renamed_is_not_overwritten() {
    let folder = folder_with_messages(10);
    let copied = folder.join("copia.db");
    copy(&folder.log(), &copied, &mut keep_going).unwrap();
    // Killed between the two names, it still had both.
    std::fs::hard_link(&copied, folder.join("copia.db.copiando")).unwrap();
    let monday = folder.join("segunda.db");
    std::fs::rename(&copied, &monday).unwrap();
    let before = std::fs::read(&monday).unwrap();
    assert_eq!(copy(&folder.log(), &copied, &mut keep_going).unwrap(), 10);
    assert_eq!(copies(&folder), ["copia.db"]);
    assert!(std::fs::read(&monday).unwrap() == before);
}

#[test]
fn two_copies_to_one_target_do_not_mix() {
    let folder = folder_with_messages(10);
    let copied = folder.join("copia.db");
    let mut second = None;
    let first = copy(&folder.log(), &copied, &mut |_| {
        second = Some(copy(&folder.log(), &copied, &mut keep_going));
        ControlFlow::Continue(())
    });
    assert_eq!(first.unwrap(), 10);
    assert!(matches!(second, Some(Err(CopyError::InProgress))));
    let existing = copy(&folder.log(), &copied, &mut keep_going);
    assert!(matches!(existing, Err(CopyError::Exists)));
}

#[test]
fn copy_ends_and_is_consistent_while_others_write() {
    let folder = folder_with_messages(10_000);
    let mut history = open(&folder);
    let mut said = 0;
    let mut steps = 0;
    let copied = folder.join("copia.db");
    // A message between every two steps: a copy that began again with each would never end.
    let count = copy(&folder.log(), &copied, &mut |_| {
        steps += 1;
        assert!(steps < 1000, "the copy begins again with each message");
        let stored = say(&mut history, "Bruno", &steps.to_string(), "enquanto isso");
        assert!(matches!(stored, Outcome::Stored(_)));
        said += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(count.unwrap(), 10_000, "the log as it was at the beginning");
    assert!(said > 1);
    let restored = SqliteHistory::open(&copied, None).unwrap();
    assert_eq!(restored.count(), 10_000);
}

#[test]
fn copy_has_no_erased_text_and_no_open_votes() {
    let folder = folder_with_messages(500);
    let mut history = open(&folder);
    say(&mut history, "Ana", "segredo", "o xilindrozinho caiu");
    let erasure = erase("Ana", "apaga", 501, append("Ana", "", "").at);
    request(&mut history, HistoryRequest::Append(erasure));
    let connection = Connection::open(folder.log()).unwrap();
    let vote = "INSERT INTO votes VALUES (1, x'e1e2e3e4e5e6e7e8', 3)";
    connection.execute(vote, []).unwrap();
    let copied = folder.join("copia.db");
    copy(&folder.log(), &copied, &mut keep_going).unwrap();
    let bytes = std::fs::read(&copied).unwrap();
    let contains = |part: &[u8]| bytes.windows(part.len()).any(|bytes| bytes == part);
    assert!(contains(b"mensagem"));
    assert!(!contains(b"lindrozinho"));
    assert!(!contains(&[0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8]));
    assert_eq!(number(&copied, "SELECT count(*) FROM votes"), 0);
    assert_eq!(number(&folder.log(), "SELECT count(*) FROM votes"), 1);
}

#[test]
fn copy_to_a_missing_folder_is_refused() {
    let folder = folder_with_messages(1);
    let connection = Connection::open(folder.log()).unwrap();
    let target = folder.join("nenhuma/copia.db");
    let refused = copy_database(&connection, &target, Unindexed::Keep, &mut keep_going);
    assert!(matches!(refused, Err(CopyError::Io(_))), "{refused:?}");
}
