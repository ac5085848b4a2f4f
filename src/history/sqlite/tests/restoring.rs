//! Copies that are put back in the place of a log.

use super::*;
use std::fs;
use std::path::Path;

fn open_at(path: &Path) -> SqliteHistory {
    SqliteHistory::open(path, None).unwrap()
}

/// A log of so many messages, and a copy of its first half.
fn log_and_copy(folder: &HistoryFolder, half: u64) {
    let mut history = open(folder);
    for n in 0..2 * half {
        if n == half {
            copy(&folder.log(), &folder.join("copia.db"), &mut keep_going).unwrap();
        }
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
}

fn restore_copy(folder: &HistoryFolder) -> Result<Restored, RestoreError> {
    restore(&folder.join("copia.db"), &folder.log(), &mut keep_going)
}

#[test]
fn restored_copy_begins_a_new_epoch_and_keeps_the_old_log() {
    let folder = HistoryFolder::new();
    log_and_copy(&folder, 10);
    let epoch = open(&folder).epoch();
    let copied = fs::read(folder.join("copia.db")).unwrap();
    let first = restore_copy(&folder).unwrap();
    assert_eq!(first.count, 10);
    let kept = first.kept.unwrap();
    let history = open(&folder);
    assert_eq!((history.count(), history.incidents()), (10, &[][..]));
    assert_ne!(history.epoch(), epoch);
    drop(history);
    let old = open_at(&kept);
    assert_eq!(
        (old.count(), old.epoch(), old.incidents()),
        (20, epoch, &[][..])
    );
    assert_eq!(fs::read(folder.join("copia.db")).unwrap(), copied);
    // Once more on the same day: nothing is overwritten.
    assert_ne!(restore_copy(&folder).unwrap().kept.unwrap(), kept);
}

#[test]
fn log_of_a_killed_server_is_kept_with_its_journal() {
    let folder = HistoryFolder::new();
    let mut history = SqliteHistory::open(&folder.join("vivo.db"), None).unwrap();
    for n in 0..20 {
        say(&mut history, "Ana", &n.to_string(), "oi");
    }
    copy(
        &folder.join("vivo.db"),
        &folder.join("copia.db"),
        &mut keep_going,
    )
    .unwrap();
    say(&mut history, "Ana", "20", "a última");
    for suffix in ["", "-wal", ".testemunha"] {
        let from = file_names::with_suffix(&folder.join("vivo.db"), suffix);
        fs::copy(from, file_names::with_suffix(&folder.log(), suffix)).unwrap();
    }
    let kept = restore_copy(&folder).unwrap().kept.unwrap();
    let restored = open(&folder);
    assert_eq!((restored.count(), restored.incidents()), (20, &[][..]));
    assert_eq!(open_at(&kept).count(), 21);
}

/// A program that recovers a damaged file may lose a whole table of it: that shows only when the copy is repaired.
#[test]
fn failed_restore_leaves_nothing_beside_the_log() {
    let folder = HistoryFolder::new();
    log_and_copy(&folder, 3);
    let damaged = Connection::open(folder.join("copia.db")).unwrap();
    damaged.execute_batch("DROP TABLE entries").unwrap();
    drop(damaged);
    let names = || {
        let names = fs::read_dir(folder.log().parent().unwrap()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    assert!(restore_copy(&folder).is_err());
    assert_eq!(names(), before);
    assert_eq!(open(&folder).count(), 6);
}

#[test]
fn copy_is_restored_where_no_log_was() {
    let folder = HistoryFolder::new();
    log_and_copy(&folder, 3);
    fs::remove_file(folder.log()).unwrap();
    let restored = restore_copy(&folder).unwrap();
    assert_eq!((restored.count, restored.kept), (3, None));
    assert_eq!(open(&folder).count(), 3);
}

#[test]
fn refused_restore_changes_nothing() {
    let folder = HistoryFolder::new();
    log_and_copy(&folder, 50);
    let files = || {
        let mut files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let good = fs::read(folder.join("copia.db")).unwrap();
    let mut damaged = good.clone();
    let middle = (good.len() / 2) & !4095;
    damaged[middle..middle + 8192].fill(0xA5);
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    let mut foreign = good.clone();
    foreign[68..72].fill(0);
    for (name, content) in [
        ("damaged", damaged),
        ("cut off", good[..good.len() / 2].to_vec()),
        ("newer", newer),
        ("foreign", foreign),
        ("text", b"isto nunca foi um banco de dados".to_vec()),
        ("empty", Vec::new()),
    ] {
        fs::write(folder.join("copia.db"), content).unwrap();
        let before = files();
        assert!(restore_copy(&folder).is_err(), "{name}");
        assert!(files() == before, "{name}");
    }
    fs::write(folder.join("copia.db"), good).unwrap();
    let before = files();
    let same = restore(&folder.log(), &folder.log(), &mut keep_going);
    assert!(matches!(same, Err(RestoreError::Same)));
    let cancelled = restore(&folder.join("copia.db"), &folder.log(), &mut |_| {
        ControlFlow::Break(())
    });
    assert!(matches!(
        cancelled,
        Err(RestoreError::Copy(CopyError::Cancelled))
    ));
    assert!(files() == before);
    let history = open(&folder);
    let in_use = restore_copy(&folder);
    assert!(matches!(in_use, Err(RestoreError::Log(OpenError::InUse))));
    drop(history);
    assert_eq!(open(&folder).count(), 100);
}

/// Makes of the copy what `sqlite3 copia.db .recover | sqlite3 recuperado.db` makes of a damaged one: the search index is
/// there in parts only, and rows are missing.
fn recover(folder: &HistoryFolder, lost: &str) {
    let connection = Connection::open(folder.join("copia.db")).unwrap();
    connection.execute_batch(lost).unwrap();
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'entries_fts';
             PRAGMA writable_schema = RESET; DELETE FROM meta WHERE name = 'copy'",
        )
        .unwrap();
}

#[test]
fn recovered_log_is_made_whole() {
    for (lost, seq) in [
        ("DELETE FROM entries WHERE key & 1023 IN (3, 4)", 10),
        ("DELETE FROM speakers", 10),
        ("DELETE FROM room_records", 10),
        ("UPDATE room_records SET indexed = 7", 10),
        ("DELETE FROM entries; DELETE FROM speakers", 10),
        (
            "DELETE FROM entries; DELETE FROM room_records; DELETE FROM id_index",
            0,
        ),
        ("SELECT 1", 10),
    ] {
        let folder = HistoryFolder::new();
        log_and_copy(&folder, 10);
        recover(&folder, lost);
        let restored = restore_copy(&folder).unwrap();
        assert_eq!(restored.count, seq, "{lost}");
        let mut history = open(&folder);
        assert_eq!(history.incidents(), [], "{lost}");
        let name = if lost == "DELETE FROM room_records" {
            "recuperada-1"
        } else {
            "Laboratório"
        };
        let request_page = HistoryRequest::Page(
            RequestId(1),
            RoomName::new(name).unwrap(),
            PageRequest::After(0),
            99,
        );
        let HistoryReply::Page(_, _, Some(page)) = request(&mut history, request_page) else {
            panic!("{lost}")
        };
        assert_eq!(seqs(&page), (1..=seq).collect::<Vec<_>>(), "{lost}");
        let Outcome::Stored(entry) = say(&mut history, "Rita", "x", "achado") else {
            panic!("{lost}")
        };
        if lost == "DELETE FROM speakers" {
            let erase = Append {
                any_author: true,
                ..fixtures::erase("Rita", "y", 1, 9)
            };
            let reply = request(&mut history, HistoryRequest::Append(erase));
            assert!(
                matches!(reply, HistoryReply::Appended(_, _, _, Outcome::Stored(_))),
                "{reply:?}"
            );
        }
        assert_eq!(
            seqs(&search(&mut history, "achado", 9)),
            [entry.seq],
            "{lost}"
        );
    }
}

/// Most versions of `.recover` bring the tables of the search index over as well, and so what is damaged in them: the file
/// was refused as damaged.
#[test]
fn recovered_log_gets_a_new_index_and_its_ids_back() {
    for lost in [
        "DELETE FROM entries_fts_data WHERE id > 10",
        "DELETE FROM entries_fts_data WHERE id = 10",
        "DELETE FROM entries_fts_data; DELETE FROM entries_fts_idx",
        "DELETE FROM entries_fts_config",
        "INSERT INTO entries_fts (entries_fts, rowid, text) VALUES ('delete', 1 << 40 | 4, 'oi')",
        "DELETE FROM id_index",
        "DROP TABLE id_index",
        "DROP TABLE outdated",
    ] {
        let folder = HistoryFolder::new();
        log_and_copy(&folder, 10);
        let recovered = Connection::open(folder.join("copia.db")).unwrap();
        recovered.execute_batch(lost).unwrap();
        drop(recovered);
        let restored = restore_copy(&folder);
        assert_eq!(restored.expect(lost).count, 10);
        let mut history = open(&folder);
        assert_eq!(history.incidents(), [], "{lost}");
        let resent = say(&mut history, "Ana", "1", "oi");
        let is_known = matches!(resent, Outcome::Duplicate { seq: 2, .. });
        assert!(is_known, "{lost}: {resent:?}");
        let found = seqs(&search(&mut history, "oi", 50));
        assert_eq!(found, (1..=10).rev().collect::<Vec<_>>(), "{lost}");
    }
}
