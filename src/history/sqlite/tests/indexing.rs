//! Entries that are stored and not indexed yet: found all the same, and never lost.

use super::*;
use crate::history::fixtures::{edit, erase};
use crate::history::sqlite::append::{WriterCache, append_all};
use crate::history::sqlite::indexing::{MAX_WAITING, Step, index_all};
use crate::history::sqlite::pace::Pace;
use crate::history::sqlite::search::Scanner;
use crate::history::sqlite::transaction::Transaction;
use crate::history::sqlite::undo::UndoLog;

/// More messages than are ever left unindexed while the log is idle.
const MANY: usize = 1100;

/// A file that no thread works on.
fn still_file(folder: &HistoryFolder) -> Connection {
    drop(open(folder));
    let connection = Connection::open(folder.log()).unwrap();
    connection
        .pragma_update(None, "secure_delete", true)
        .unwrap();
    connection
}

/// Stores messages and indexes none of them.
fn store(connection: &mut Connection, batch: &[Append]) -> Vec<Outcome> {
    let transaction = Transaction::begin_deferred(connection).unwrap();
    let outcomes = append_all(&transaction, batch, &mut UndoLog::default());
    transaction.commit().unwrap();
    outcomes
}

fn find(connection: &Connection, query: &str, limit: usize) -> (Vec<u64>, bool) {
    let scanner = Scanner::new().unwrap();
    let found = search::search(connection, &scanner, &room(), query, limit).unwrap();
    (seqs(&found), found.more)
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn check_index(connection: &Connection) {
    let check = "INSERT INTO entries_fts (entries_fts, rank) VALUES ('integrity-check', 1)";
    connection.execute_batch(check).unwrap();
}

#[test]
fn kill_before_indexing_loses_no_word_and_no_id() {
    let (folder, killed) = (HistoryFolder::new(), HistoryFolder::new());
    let mut history = open(&folder);
    assert!(matches!(
        say(&mut history, "Ana", "1", "a jabuticaba"),
        Outcome::Stored(_)
    ));
    // What a killed server leaves: its threads index nothing any more.
    for suffix in ["", "-wal"] {
        let name = format!("historico.db{suffix}");
        std::fs::copy(folder.join(&name), killed.join(&name)).unwrap();
    }
    let files = Connection::open(killed.log()).unwrap();
    assert_eq!(number(&files, "SELECT count(*) FROM id_index"), 0);
    assert_eq!(number(&files, "SELECT seq FROM rooms"), 1);
    assert_eq!(number(&files, "SELECT count(*) FROM ids"), 1);
    drop(files);
    let mut again = open(&killed);
    assert_eq!(again.count(), 1);
    assert_eq!(seqs(&search(&mut again, "JABUTICABA", 9)), [1]);
    let resent = say(&mut again, "Ana", "1", "a jabuticaba");
    assert!(
        matches!(resent, Outcome::Duplicate { seq: 1, .. }),
        "{resent:?}"
    );
    assert_eq!(
        say(&mut again, "Ana", "1", "outra coisa"),
        Outcome::IdReused
    );
    drop(again);
    let closed = Connection::open(killed.log()).unwrap();
    let query = "SELECT rowid & 1023 FROM entries_fts WHERE entries_fts MATCH 'jabuticaba'";
    assert_eq!(number(&closed, query), 1);
    assert_eq!(number(&closed, "SELECT count(*) FROM id_index"), 1);
    check_index(&closed);
}

#[test]
fn lone_message_is_one_page_in_the_journal() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let journal = || folder.join("historico.db-wal").metadata().unwrap().len();
    say(&mut history, "Ana", "1", "oi");
    let before = journal();
    say(&mut history, "Ana", "2", "tudo bem?");
    assert_eq!(journal() - before, 24 + 4096);
}

#[test]
fn search_joins_indexed_and_unindexed_entries_newest_first() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    let batch = |from: usize, to: usize| -> Vec<Append> {
        let one = |n: usize| append("Ana", &n.to_string(), &format!("mensagem {}", n % 10));
        (from..to).map(one).collect()
    };
    store(&mut file, &batch(1, 101));
    index_all(&file).unwrap();
    store(&mut file, &batch(101, 1001));
    let expected = |limit: usize| -> Vec<u64> {
        let matching = (1..1001).rev().filter(|n| n % 10 == 7);
        matching.take(limit).collect()
    };
    for limit in [1, 50, 95, 99, 100, 101] {
        let found = find(&file, "mensagem 7", limit);
        assert_eq!(found, (expected(limit), limit < 100), "{limit}");
    }
    // A last word of one letter, which all have, and one that none has.
    assert_eq!(find(&file, "7 m", 100), (expected(100), false));
    assert_eq!(find(&file, "7 x", 100), (vec![], false));
}

#[test]
fn changed_text_is_found_by_its_new_words_only_at_once() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    store(
        &mut file,
        &[
            append("Ana", "1", "o segredo um"),
            append("Ana", "2", "o segredo dois"),
            append("Ana", "3", "o segredo quatro"),
        ],
    );
    index_all(&file).unwrap();
    let amended = store(
        &mut file,
        &[
            edit("Ana", "4", 1, "já mudei", 1),
            edit("Ana", "5", 1, "mudei de novo", 1),
            erase("Ana", "6", 2, 1),
        ],
    );
    assert!(
        amended
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Stored(_)))
    );
    for indexed in [false, true] {
        if indexed {
            index_all(&file).unwrap();
            check_index(&file);
        }
        let outdated = number(&file, "SELECT count(*) FROM outdated");
        assert_eq!(outdated, if indexed { 0 } else { 2 });
        assert_eq!(find(&file, "segredo", 9), (vec![3], false), "{indexed}");
        assert_eq!(find(&file, "mudei", 9), (vec![1], false), "{indexed}");
        assert_eq!(find(&file, "o", 9), (vec![3], false), "{indexed}");
        assert_eq!(find(&file, "dois", 9), (vec![], false), "{indexed}");
    }
}

#[test]
fn erased_text_leaves_the_file_soon() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let batch =
        (0..MANY).map(|n| HistoryRequest::Append(append("Ana", &n.to_string(), "jabuticaba")));
    history.submit(batch.collect());
    let replies = history.replies().clone();
    for _ in 0..MANY {
        replies.recv_timeout(DEADLINE).unwrap();
    }
    let watcher = Connection::open(folder.log()).unwrap();
    let deadline = Instant::now() + DEADLINE;
    let wait_until = |sql: &str| {
        while number(&watcher, sql) == 0 {
            assert!(Instant::now() < deadline, "{sql}");
            std::thread::yield_now();
        }
    };
    wait_until("SELECT indexed >= 1024 FROM room_records");
    for seq in 1..=20 {
        let erased = HistoryRequest::Append(erase("Ana", &format!("e{seq}"), seq, 1));
        request(&mut history, erased);
    }
    wait_until("SELECT NOT EXISTS (SELECT 1 FROM outdated)");
    drop(history);
    check_index(&watcher);
    let query = "SELECT count(*) FROM entries_fts WHERE entries_fts MATCH 'jabuticaba'";
    assert_eq!(number(&watcher, query), MANY as i64 - 20);
}

#[test]
fn copy_is_indexed_and_holds_no_outdated_text() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    store(&mut file, &[append("Ana", "1", "pitanga")]);
    index_all(&file).unwrap();
    store(
        &mut file,
        &[erase("Ana", "2", 1, 1), append("Ana", "3", "acerola")],
    );
    let copied = folder.join("copia.db");
    assert_eq!(copy(&folder.log(), &copied, &mut keep_going).unwrap(), 3);
    let bytes = std::fs::read(&copied).unwrap();
    assert!(!bytes.windows(7).any(|part| part == b"pitanga"));
    let copied = Connection::open(copied).unwrap();
    let query = "SELECT rowid & 1023 FROM entries_fts WHERE entries_fts MATCH 'acerola'";
    assert_eq!(number(&copied, query), 3);
    assert_eq!(number(&copied, "SELECT count(*) FROM id_index"), 3);
    check_index(&copied);
}

#[test]
fn messages_without_a_pause_are_indexed_when_they_end() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let replies = history.replies().clone();
    for batch in 0..6 {
        let one = |n| append("Ana", &format!("{batch} {n}"), "oi");
        let batch = (0..500).map(|n| HistoryRequest::Append(one(n)));
        history.submit(batch.collect());
    }
    for _ in 0..3000 {
        replies.recv_timeout(DEADLINE).unwrap();
    }
    let watcher = Connection::open(folder.log()).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while number(&watcher, "SELECT indexed FROM room_records") < 3000 - 1024 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    assert_eq!(number(&watcher, "SELECT count(*) FROM ids"), 3000);
}

/// A resend of a message in the second room was stored again: the first had exactly as many entries as one step takes, and
/// the second one's ids were forgotten although it was not indexed.
#[test]
fn room_after_one_that_fills_a_step_is_indexed_too() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    let full = Pace::Quiet.entries() as usize;
    let mut batch: Vec<Append> = (0..full)
        .map(|n| append("Ana", &n.to_string(), "oi"))
        .collect();
    batch.push(Append {
        room: RoomName::new("Cozinha").unwrap(),
        ..append("Ana", "c", "pitanga")
    });
    store(&mut file, &batch);
    let mut cache = WriterCache::load(&file).unwrap();
    while cache.indexer.has_work() {
        let transaction = Transaction::begin(&mut file).unwrap();
        let WriterCache { indexer, ids, .. } = &mut cache;
        let step = indexer.step(&transaction, ids, Pace::Quiet).unwrap();
        transaction.commit().unwrap();
        indexer.committed(step, ids);
    }
    assert_eq!(
        number(&file, "SELECT count(*) FROM id_index"),
        full as i64 + 1
    );
    let query = "SELECT count(*) FROM entries_fts WHERE entries_fts MATCH 'pitanga'";
    assert_eq!(number(&file, query), 1);
    let again = Transaction::begin(&mut file).unwrap();
    let resend = [HistoryRequest::Append(batch[full].clone())];
    let replies = cache.store_all(&again, &resend, &mut UndoLog::default());
    let [HistoryReply::Appended(.., outcome)] = &replies.unwrap()[..] else {
        panic!()
    };
    assert!(
        matches!(outcome, Outcome::Duplicate { seq: 1, .. }),
        "{outcome:?}"
    );
}

#[test]
fn endless_edits_do_not_keep_the_rest_from_the_index() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    store(
        &mut file,
        &[append("Ana", "1", "um"), append("Ana", "2", "dois")],
    );
    index_all(&file).unwrap();
    let edits = [
        edit("Ana", "3", 1, "três", 1),
        edit("Ana", "4", 2, "quatro", 1),
    ];
    store(&mut file, &edits);
    let mut cache = WriterCache::load(&file).unwrap();
    let WriterCache { indexer, ids, .. } = &mut cache;
    let mut step = || {
        let transaction = Transaction::begin(&mut file).unwrap();
        let step = indexer.step(&transaction, ids, Pace::Busy).unwrap();
        indexer.added((1 << 40) + 4, 1, MAX_WAITING);
        step
    };
    assert!(matches!(step(), Step::Forgot { .. }));
    assert!(matches!(step(), Step::Indexed { entries: 2, .. }));
}

/// Until some later merge, the words of expired messages stood in the file and in its copies.
#[test]
fn expired_text_leaves_the_index_too() {
    let folder = HistoryFolder::new();
    let mut file = still_file(&folder);
    let new = append("Ana", "nova", "pitanga");
    let old = new.at - 3 * 24 * 3_600_000;
    let mut batch: Vec<Append> = (0..300)
        .map(|n| fixtures::append("Ana", &n.to_string(), "jabuticaba", old))
        .collect();
    batch.push(new);
    store(&mut file, &batch);
    index_all(&file).unwrap();
    drop(file);
    let options = HistoryOptions {
        retention: Some(Retention::new(Duration::from_hours(2 * 24))),
        clock: hasty_clock(),
        ..HistoryOptions::default()
    };
    let history = SqliteHistory::open_with(&folder.log(), options).unwrap();
    let watcher = Connection::open(folder.log()).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while number(&watcher, "SELECT count(*) FROM entries") > 1 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    assert_eq!(find(&watcher, "jabuticaba", 9), (vec![], false));
    assert_eq!(find(&watcher, "pitanga", 9), (vec![301], false));
    drop((history, watcher));
    let bytes = std::fs::read(folder.log()).unwrap();
    assert!(!bytes.windows(9).any(|part| part == b"abuticaba"));
    check_index(&Connection::open(folder.log()).unwrap());
}

/// One step indexes a part of these rooms, and ends exactly where one of them does.
#[test]
fn resends_in_many_rooms_are_known_while_some_are_indexed() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let replies = history.replies().clone();
    let batch = || -> Vec<HistoryRequest> {
        let one = |n: usize| Append {
            room: RoomName::new(&format!("sala-{n}")).unwrap(),
            ..append("Ana", &n.to_string(), "oi")
        };
        (0..MANY).map(|n| HistoryRequest::Append(one(n))).collect()
    };
    history.submit(batch());
    for _ in 0..MANY {
        replies.recv_timeout(DEADLINE).unwrap();
    }
    let watcher = Connection::open(folder.log()).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while number(&watcher, "SELECT count(*) FROM id_index") < 256 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    history.submit(batch());
    for _ in 0..MANY {
        let reply = replies.recv_timeout(DEADLINE).unwrap();
        assert!(
            matches!(
                reply,
                HistoryReply::Appended(.., Outcome::Duplicate { seq: 1, .. })
            ),
            "{reply:?}"
        );
    }
}
