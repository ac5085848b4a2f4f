//! A log that goes away or goes back while or after it was served.

use super::*;
use crate::history::HistoryFault;
use crate::history::sqlite::schema::seq_sum;
use std::fs;
use std::path::Path;

fn mv(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

/// Says something until it is stored: the path is looked at again after a second at most.
fn say_until_stored(history: &mut SqliteHistory, id: &str) -> u64 {
    match say(history, "Ana", id, "voltou") {
        Outcome::Stored(entry) => entry.seq,
        other => panic!("{other:?}"),
    }
}

#[test]
fn moved_log_refuses_messages_until_it_is_back() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let health = history.health();
    say(&mut history, "Ana", "1", "oi");
    for name in ["historico.db", "historico.db-wal", "historico.db-shm"] {
        let (path, away) = (folder.join(name), folder.join("longe"));
        mv(&path, &away);
        assert_eq!(
            say(&mut history, "Ana", name, "?"),
            Outcome::Unavailable,
            "{name}"
        );
        assert_eq!(health.fault(Instant::now()), Some(HistoryFault::FileGone));
        assert!(room_head(&mut history).seq > 0, "reading goes on");
        fs::write(&path, "outro").unwrap();
        assert_eq!(
            say(&mut history, "Ana", name, "?"),
            Outcome::Unavailable,
            "{name}"
        );
        mv(&away, &path);
        say_until_stored(&mut history, name);
        assert_eq!(health.fault(Instant::now()), None);
    }
    drop(history);
    let history = open(&folder);
    assert_eq!((history.count(), history.incidents()), (4, &[][..]));
}

#[test]
fn renamed_folder_is_noticed() {
    let folder = HistoryFolder::new();
    let inner = folder.join("dentro");
    fs::create_dir(&inner).unwrap();
    let mut history = SqliteHistory::open(&inner.join("h.db"), None).unwrap();
    mv(&inner, &folder.join("fora"));
    assert_eq!(say(&mut history, "Ana", "1", "?"), Outcome::Unavailable);
    mv(&folder.join("fora"), &inner);
    assert_eq!(say_until_stored(&mut history, "1"), 1);
}

#[test]
fn removed_journal_loses_nothing_that_was_acknowledged() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 0..20 {
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
    fs::remove_file(folder.join("historico.db-wal")).unwrap();
    for id in ["x", "y"] {
        // The second is answered after what the loss of the journal demands.
        assert_eq!(say(&mut history, "Ana", id, "?"), Outcome::Unavailable);
    }
    // As after `kill -9` at this moment.
    fs::copy(folder.log(), folder.join("depois.db")).unwrap();
    let again = SqliteHistory::open(&folder.join("depois.db"), None).unwrap();
    assert_eq!((again.count(), again.epoch()), (20, history.epoch()));
}

#[test]
fn log_stopped_while_away_leaves_the_other_alone() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "oi");
    for suffix in ["", "-wal", "-shm"] {
        let path = file_names::with_suffix(&folder.log(), suffix);
        mv(
            &path,
            &file_names::with_suffix(&folder.join("longe.db"), suffix),
        );
        fs::write(&path, "de outro").unwrap();
    }
    drop(history);
    for suffix in ["", "-wal", "-shm"] {
        let path = file_names::with_suffix(&folder.log(), suffix);
        assert_eq!(fs::read(path).unwrap(), b"de outro");
    }
    assert_eq!(
        SqliteHistory::open(&folder.join("longe.db"), None)
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn batch_is_taken_back_completely() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 1..=4 {
        say(
            &mut history,
            "Ana",
            &n.to_string(),
            &format!("primeira versão {n}"),
        );
    }
    drop(history);
    let mut connection = Connection::open(folder.log()).unwrap();
    let before = dump(&connection);
    let batch = [
        append("Ana", "5", "nova"),
        fixtures::edit("Ana", "6", 1, "segunda versão", 9),
        fixtures::edit("Ana", "7", 1, "terceira versão", 9),
        fixtures::erase("Ana", "8", 2, 9),
        fixtures::edit("Ana", "9", 5, "nova, editada", 9),
        fixtures::erase("Ana", "10", 5, 9),
        fixtures::erase("Ana", "11", 1, 9),
    ];
    let mut undo = undo::UndoLog::default();
    let transaction = transaction::Transaction::begin(&mut connection).unwrap();
    let outcomes = append::append_all(&transaction, &batch, &mut undo);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Stored(_))),
        "{outcomes:?}"
    );
    transaction.commit().unwrap();
    assert_ne!(dump(&connection), before);
    undo.revert(&mut connection).unwrap();
    assert_eq!(dump(&connection), before);
    let check = "INSERT INTO entries_fts (entries_fts, rank) VALUES ('integrity-check', 1)";
    connection.execute(check, []).unwrap();
    drop(connection);
    let mut history = open(&folder);
    assert_eq!(seqs(&search(&mut history, "primeira", 9)), [4, 3, 2, 1]);
    assert_eq!(seqs(&search(&mut history, "nova", 9)), Vec::<u64>::new());
}

/// What a log tells.
fn dump(connection: &Connection) -> Vec<String> {
    let mut rows = Vec::new();
    for select in [
        "SELECT format('%d %d %s %s %s', key, at, text, mark, edits) FROM entries ORDER BY key",
        "SELECT format('%s %d', id, key) FROM ids ORDER BY id",
        "SELECT format('%s %d %d %d', key, seq, oldest, at) FROM rooms ORDER BY id",
    ] {
        let mut select = connection.prepare(select).unwrap();
        let found = select.query_map([], |row| row.get(0)).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

#[test]
fn log_that_went_back_begins_a_new_epoch_once() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let epoch = history.epoch();
    say(&mut history, "Ana", "1", "oi");
    drop(history);
    let yesterday = fs::read(folder.log()).unwrap();
    let mut history = open(&folder);
    say(&mut history, "Ana", "2", "oi");
    drop(history);
    fs::write(folder.log(), yesterday).unwrap();
    let history = open(&folder);
    assert_eq!(history.incidents(), [Incident::WentBack]);
    assert_ne!(history.epoch(), epoch);
    let epoch = history.epoch();
    drop(history);
    let history = open(&folder);
    assert_eq!((history.incidents(), history.epoch()), (&[][..], epoch));
}

#[test]
fn witness_that_is_missing_or_garbage_is_ignored() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let epoch = history.epoch();
    say(&mut history, "Ana", "1", "oi");
    drop(history);
    let witness = folder.join("historico.db.testemunha");
    let own = fs::read_to_string(&witness).unwrap();
    assert_eq!(own, format!("{epoch} {:020}\n", 1));
    for content in [
        "",
        "\n",
        "outra-época",
        &format!("{epoch} muitas"),
        "\u{0}\u{0}",
        &own,
    ] {
        fs::write(&witness, content).unwrap();
        let history = open(&folder);
        assert_eq!(
            (history.incidents(), history.epoch()),
            (&[][..], epoch.clone()),
            "{content:?}"
        );
    }
    fs::remove_file(&witness).unwrap();
    assert_eq!(open(&folder).epoch(), epoch);
}

/// An old file was put back whose epoch had ended since, at a time when more of that epoch had been shown than the file
/// has: a witness that knows only the newer epoch has to be enough.
#[test]
fn log_of_another_epoch_than_the_witness_is_not_trusted() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let ended = history.epoch();
    say(&mut history, "Ana", "1", "oi");
    drop(history);
    let old = fs::read(folder.log()).unwrap();
    let mut history = open(&folder);
    say(&mut history, "Ana", "2", "oi");
    drop(history);
    fs::write(folder.log(), &old).unwrap();
    drop(open(&folder));
    fs::write(folder.log(), old).unwrap();
    let history = open(&folder);
    assert_eq!(history.incidents(), [Incident::Another]);
    assert_ne!(history.epoch(), ended);
}

/// The journal was lost with a kill, after a checkpoint in the middle of the server's life: a witness that was written once
/// a second remembered less than the log had left, and less than people had been shown.
#[test]
fn witness_knows_every_acknowledged_message() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 1..=50 {
        say(&mut history, "Ana", &n.to_string(), "oi");
        let witness = fs::read_to_string(folder.join("historico.db.testemunha")).unwrap();
        assert_eq!(witness, format!("{} {n:020}\n", history.epoch()));
    }
}

#[test]
fn path_is_a_file_whatever_it_looks_like() {
    use std::os::unix::ffi::OsStrExt;
    let folder = HistoryFolder::new();
    let names: [&[u8]; 5] = [
        b"file:x.db?mode=memory",
        b":memory:",
        b"a%20b?c#d",
        "ação.db".as_bytes(),
        b"latin\xe7.db",
    ];
    for name in names {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        let mut history = SqliteHistory::open(&path, None).unwrap();
        say(&mut history, "Ana", "1", "oi");
        assert!(path.is_file(), "{}", path.display());
        drop(history);
        let file = main_file::open(&path.canonicalize().unwrap()).unwrap();
        assert_eq!(seq_sum(&file).unwrap(), 1, "{}", path.display());
    }
}

#[test]
fn begun_epoch_is_kept_and_can_end_in_the_next_run_only() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    assert!(!history.epoch_was_read());
    say(&mut history, "Ana", "1", "oi");
    let first = history.epoch();
    drop(history);
    let mut history = open(&folder);
    assert!(history.epoch_was_read());
    let begun = match request(&mut history, HistoryRequest::BeginEpoch) {
        HistoryReply::EpochBegan(Some(epoch)) => epoch,
        other => panic!("{other:?}"),
    };
    assert_ne!(begun, first);
    say(&mut history, "Ana", "2", "de novo");
    drop(history);
    let history = open(&folder);
    assert_eq!((history.epoch(), history.incidents()), (begun, &[][..]));
}

/// A kill between a message and the new epoch would have left the message in the old epoch only, and a log that seems to go
/// as far as before to those who are still away.
#[test]
fn message_after_a_claim_is_stored_with_the_new_epoch() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "oi");
    let first = history.epoch();
    drop(history);
    let mut history = open(&folder);
    let message = HistoryRequest::Append(append("Ana", "2", "de novo"));
    history.submit(vec![HistoryRequest::BeginEpoch, message]);
    let is_ack = |reply: &HistoryReply| matches!(reply, HistoryReply::Appended(..));
    while !is_ack(&history.replies().recv_timeout(DEADLINE).unwrap()) {}
    // What a kill would leave now.
    let file = Connection::open(folder.log()).unwrap();
    let select = "SELECT value FROM meta WHERE name = 'epoch'";
    let epoch: String = file.query_row(select, [], |row| row.get(0)).unwrap();
    assert_ne!(epoch, *first);
    let witness = fs::read_to_string(folder.join("historico.db.testemunha")).unwrap();
    assert_eq!(witness, format!("{epoch} {:020}\n", 2));
}
