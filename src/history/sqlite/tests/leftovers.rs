//! Journals of another database beside the file, and what a crash really leaves.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};

fn open_at(path: &Path) -> SqliteHistory {
    SqliteHistory::open(path, None).unwrap()
}

fn say_times(history: &mut SqliteHistory, prefix: &str, times: usize) {
    for n in 0..times {
        let outcome = say(
            history,
            "Ana",
            &format!("{prefix}{n}"),
            &format!("{prefix} {n}"),
        );
        assert!(matches!(outcome, Outcome::Stored(_)), "{outcome:?}");
    }
}

/// Copies a log's files as `kill -9` would leave them now.
fn snapshot(log: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let from = file_names::with_suffix(log, suffix);
        fs::copy(from, file_names::with_suffix(to, suffix)).unwrap();
    }
}

/// Merges the journal into the file, as happens by itself every thousand pages.
fn checkpoint(log: &Path) {
    let connection = Connection::open(log).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        .unwrap();
}

/// A log whose server was killed after it had said so much, with what was said since the last checkpoint in the journal.
fn killed_log(folder: &HistoryFolder, name: &str, said: usize) -> PathBuf {
    let mut history = open_at(&folder.join("vivo.db"));
    say_times(&mut history, name, said);
    let killed = folder.join(name);
    snapshot(&folder.join("vivo.db"), &killed);
    drop(history);
    fs::remove_file(folder.join("vivo.db")).unwrap();
    fs::remove_file(folder.join("vivo.db.testemunha")).unwrap();
    killed
}

#[test]
fn own_journal_is_applied_after_every_commit() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let epoch = history.epoch();
    for round in 0..6 {
        for n in 0..3 {
            say_times(&mut history, &format!("{round}-{n}-"), 1);
            let killed = folder.join(&format!("{round}-{n}.db"));
            snapshot(&folder.log(), &killed);
            let again = open_at(&killed);
            assert_eq!(again.incidents(), [], "{round} {n}");
            assert_eq!(
                (again.count(), again.epoch()),
                (round * 3 + n + 1, epoch.clone())
            );
        }
        checkpoint(&folder.log());
    }
}

#[test]
fn own_journal_is_applied_after_half_a_checkpoint() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 5);
    let before = fs::read(folder.log()).unwrap();
    let wal = fs::read(file_names::with_suffix(&folder.log(), "-wal")).unwrap();
    checkpoint(&folder.log());
    let after = fs::read(folder.log()).unwrap();
    drop(history);
    // Each page is written at once or not at all, in any order.
    let pages = after.len() / 4096;
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..20 {
        let killed = folder.join(&format!("{round}.db"));
        let mut bytes = before.clone();
        bytes.resize(after.len(), 0);
        for page in (0..pages).filter(|_| rng.bool()) {
            let range = page * 4096..(page + 1) * 4096;
            bytes[range.clone()].copy_from_slice(&after[range]);
        }
        fs::write(&killed, bytes).unwrap();
        fs::write(file_names::with_suffix(&killed, "-wal"), &wal).unwrap();
        let again = open_at(&killed);
        assert_eq!((again.incidents(), again.count()), (&[][..], 5), "{round}");
    }
}

#[test]
fn torn_journal_is_no_leftover() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 2);
    let wal = fs::read(file_names::with_suffix(&folder.log(), "-wal")).unwrap();
    let killed = folder.join("outro.db");
    for length in (0..wal.len()).step_by(1000) {
        snapshot(&folder.log(), &killed);
        fs::write(file_names::with_suffix(&killed, "-wal"), &wal[..length]).unwrap();
        let again = open_at(&killed);
        assert_eq!(again.incidents(), [], "{length}");
        drop(again);
        fs::remove_file(file_names::with_suffix(&killed, ".testemunha")).unwrap();
    }
}

#[test]
fn copy_put_back_beside_a_killed_log_is_kept() {
    for (before, after) in [(20, 40), (400, 500)] {
        let folder = HistoryFolder::new();
        let mut history = open(&folder);
        say_times(&mut history, "antes", before);
        copy(&folder.log(), &folder.join("copia.db"), &mut keep_going).unwrap();
        say_times(&mut history, "depois", after);
        let killed = folder.join("morto.db");
        snapshot(&folder.log(), &killed);
        let journal = fs::read(file_names::with_suffix(&killed, "-wal")).unwrap();
        fs::copy(folder.join("copia.db"), &killed).unwrap();
        let mut restored = open_at(&killed);
        assert_eq!(restored.count(), before as u64);
        assert_ne!(restored.epoch(), history.epoch());
        let [Incident::Leftovers(aside)] = restored.incidents() else {
            panic!("{:?}", restored.incidents())
        };
        assert_eq!(
            fs::read(file_names::with_suffix(aside, "-wal")).unwrap(),
            journal
        );
        say_times(&mut restored, "nova", 1);
        drop(restored);
        let restored = open_at(&killed);
        assert_eq!(
            (restored.incidents(), restored.count()),
            (&[][..], before as u64 + 1)
        );
    }
}

#[test]
fn earlier_file_beside_a_later_journal_is_kept() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 10);
    checkpoint(&folder.log());
    let earlier = fs::read(folder.log()).unwrap();
    say_times(&mut history, "b", 10);
    checkpoint(&folder.log());
    say_times(&mut history, "c", 10);
    let killed = folder.join("morto.db");
    snapshot(&folder.log(), &killed);
    fs::write(&killed, earlier).unwrap();
    let restored = open_at(&killed);
    assert!(matches!(restored.incidents(), [Incident::Leftovers(_)]));
    assert_eq!(restored.count(), 10);
    assert_ne!(restored.epoch(), history.epoch());
}

#[test]
fn journal_of_another_log_is_never_applied() {
    let folder = HistoryFolder::new();
    let killed = killed_log(&folder, "morto.db", 30);
    let journal = file_names::with_suffix(&killed, "-wal");
    let mine = folder.join("meu.db");
    drop(open_at(&mine));
    let rested = folder.join("parado.db");
    fs::copy(&mine, &rested).unwrap();
    for (name, content) in [
        ("novo.db", None),
        ("vazio.db", Some(Vec::new())),
        ("parado.db", Some(fs::read(&rested).unwrap())),
    ] {
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        fs::copy(&journal, file_names::with_suffix(&path, "-wal")).unwrap();
        fs::write(file_names::with_suffix(&path, "-shm"), [7; 32768]).unwrap();
        let mut history = open_at(&path);
        assert!(
            matches!(history.incidents(), [Incident::Leftovers(_)]),
            "{name}"
        );
        assert_eq!(history.count(), 0, "{name}");
        say_times(&mut history, "a", 1);
    }
}

#[test]
fn rollback_journal_of_another_database_is_moved_aside() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 50);
    drop(history);
    let other = Connection::open(folder.join("outro.db")).unwrap();
    other
        .execute_batch(
            "CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(9000)); PRAGMA cache_size = 1;
             BEGIN; UPDATE t SET x = randomblob(90000); INSERT INTO t SELECT randomblob(90000) FROM t;",
        )
        .unwrap();
    let journal = fs::read(folder.join("outro.db-journal")).unwrap();
    assert!(journal.len() > 4096);
    fs::write(folder.join("historico.db-journal"), &journal).unwrap();
    let history = open(&folder);
    assert!(matches!(history.incidents(), [Incident::Leftovers(_)]));
    assert_eq!(history.count(), 50);
}

#[test]
fn damaging_journal_without_marks_is_dropped() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 50);
    drop(history);
    // Another program's journal, of the same page size: nothing in it says whose it is.
    let other = Connection::open(folder.join("outro.db")).unwrap();
    other
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x);
             INSERT INTO t VALUES (randomblob(90000)), (randomblob(90000));",
        )
        .unwrap();
    fs::copy(folder.join("outro.db-wal"), folder.join("historico.db-wal")).unwrap();
    let epoch = {
        let history = open(&folder);
        assert!(
            matches!(history.incidents(), [Incident::JournalDropped(_)]),
            "{:?}",
            history.incidents()
        );
        assert_eq!(history.count(), 50);
        history.epoch()
    };
    let history = open(&folder);
    assert_eq!((history.incidents(), history.epoch()), (&[][..], epoch));
}

#[test]
fn foreign_files_are_refused_and_not_touched() {
    let folder = HistoryFolder::new();
    let text = b"Lista de compras: caju, umbu, farinha.\n".repeat(9);
    let with_log = folder.join("agenda.db");
    let agenda = Connection::open(&with_log).unwrap();
    agenda
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE contatos (nome TEXT)")
        .unwrap();
    snapshot(&with_log, &folder.join("copia-da-agenda.db"));
    fs::write(folder.join("lista.txt"), &text).unwrap();
    fs::write(folder.join("curto.txt"), "oi").unwrap();
    fs::write(folder.join("zeros"), [0; 8192]).unwrap();
    for name in ["lista.txt", "curto.txt", "zeros", "copia-da-agenda.db"] {
        let path = folder.join(name);
        let contents =
            || ["", "-wal"].map(|suffix| fs::read(file_names::with_suffix(&path, suffix)).ok());
        let before = contents();
        let opened = SqliteHistory::open(&path, None);
        assert!(matches!(opened, Err(OpenError::Foreign)), "{name}");
        assert_eq!(contents(), before, "{name}");
    }
}

#[test]
fn truncated_log_is_damaged_and_not_foreign() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "a", 50);
    drop(history);
    let bytes = fs::read(folder.log()).unwrap();
    for length in [100, 4096, bytes.len() / 2] {
        fs::write(folder.log(), &bytes[..length]).unwrap();
        let history = open(&folder);
        let [Incident::Damaged(aside)] = history.incidents() else {
            panic!("{length}: {:?}", history.incidents())
        };
        assert_eq!(fs::read(aside).unwrap(), &bytes[..length]);
    }
}

#[test]
fn copy_and_export_ignore_a_leftover_journal() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say_times(&mut history, "antes", 20);
    let copied = folder.join("copia.db");
    copy(&folder.log(), &copied, &mut keep_going).unwrap();
    say_times(&mut history, "depois", 20);
    fs::copy(
        file_names::with_suffix(&folder.log(), "-wal"),
        file_names::with_suffix(&copied, "-wal"),
    )
    .unwrap();
    let second = folder.join("segunda.db");
    assert_eq!(copy(&copied, &second, &mut keep_going).unwrap(), 20);
    let mut out = Vec::new();
    let exported = export(
        &copied,
        &room(),
        Format::Json,
        time::UtcOffset::UTC,
        &mut out,
    );
    assert_eq!(exported.unwrap(), Some(20));
}
