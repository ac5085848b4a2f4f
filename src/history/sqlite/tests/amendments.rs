//! Amendments in a file: they last, erased text is gone, and files of earlier versions are migrated.

use super::*;
use crate::history::fixtures::{edit, erase};

fn submit(history: &mut SqliteHistory, append: Append) -> Outcome {
    match request(history, HistoryRequest::Append(append)) {
        HistoryReply::Appended(_, _, _, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn now() -> u64 {
    append("Ana", "", "").at
}

#[test]
fn amendments_survive_a_restart() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    say(&mut history, "Ana", "1", "bom dia");
    say(&mut history, "Ana", "2", "segredo");
    let edit = edit("Ana", "3", 1, "boa tarde", now());
    let erase = erase("Ana", "4", 2, now());
    assert!(matches!(
        submit(&mut history, edit.clone()),
        Outcome::Stored(_)
    ));
    assert!(matches!(
        submit(&mut history, erase.clone()),
        Outcome::Stored(_)
    ));
    let before = room_head(&mut history);
    drop(history);
    let mut history = open(&folder);
    assert_eq!(room_head(&mut history), before);
    assert_eq!(
        (before.entries[0].edited, before.entries[1].erased),
        (true, true)
    );
    assert!(matches!(
        submit(&mut history, edit),
        Outcome::Duplicate { seq: 3, .. }
    ));
    assert!(matches!(
        submit(&mut history, erase),
        Outcome::Duplicate { seq: 4, .. }
    ));
    assert!(matches!(
        say(&mut history, "Ana", "2", "segredo"),
        Outcome::Duplicate { seq: 2, .. }
    ));
    assert_eq!(seqs(&search(&mut history, "boa", 10)), [1]);
    assert_eq!(
        seqs(&search(&mut history, "segredo", 10)),
        Vec::<u64>::new()
    );
}

#[test]
fn erased_text_is_absent_from_the_file() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let long = "jabuticabeira ".repeat(280);
    let text = |n| match n {
        700 => "o xilindrozinho caiu".to_owned(),
        1400 => long.clone(),
        _ => format!("mensagem de número {n}, como outra qualquer"),
    };
    let all: Vec<_> = (0..3000)
        .map(|n| HistoryRequest::Append(append("Ana", &n.to_string(), &text(n))))
        .collect();
    // Small batches, so that the index is merged several times.
    for batch in all.chunks(9) {
        history.submit(batch.to_vec());
        for _ in batch {
            history.replies().recv_timeout(DEADLINE).unwrap();
        }
    }
    assert!(matches!(
        submit(&mut history, edit("Ana", "e", 701, "zuretinha", now())),
        Outcome::Stored(_)
    ));
    for seq in [701, 1401] {
        let erased = submit(&mut history, erase("Ana", &format!("x{seq}"), seq, now()));
        assert!(matches!(erased, Outcome::Stored(_)), "{erased:?}");
    }
    drop(history);
    let file = std::fs::read(folder.log()).unwrap();
    let contains = |word: &str| {
        file.windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
    };
    assert!(contains("mensagem de número 2999"));
    // The index stores words without the prefix that they share with the word before.
    for gone in [
        "xilindrozinho",
        "lindrozinho",
        "jabuticabeira",
        "buticabeira",
        "zuretinha",
        "uretinha",
    ] {
        assert!(!contains(gone), "{gone}");
    }
}

#[test]
fn search_index_is_consistent_after_amendments() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for n in 0..200_u64 {
        say(
            &mut history,
            "Ana",
            &n.to_string(),
            &format!("palavra{} comum", n % 17),
        );
    }
    for n in 0..100_u64 {
        let id = format!("a{n}");
        let seq = n * 2 + 1;
        let change = if n % 3 == 0 {
            erase("Ana", &id, seq, now())
        } else {
            edit("Ana", &id, seq, "comum nova", now())
        };
        assert!(matches!(submit(&mut history, change), Outcome::Stored(_)));
    }
    assert_eq!(search(&mut history, "comum", 200).entries.len(), 166);
    assert_eq!(search(&mut history, "nova", 200).entries.len(), 66);
    drop(history);
    check_search_index(&folder);
}

#[test]
fn trimmed_entry_cannot_be_edited() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    let long_ago = now() - 3 * 24 * 3600 * 1000;
    for n in 1..=20_u64 {
        history.submit(vec![HistoryRequest::Append(fixtures::append(
            "Ana",
            &n.to_string(),
            "velha",
            long_ago,
        ))]);
    }
    history.submit(vec![
        HistoryRequest::Append(edit("Ana", "e1", 1, "nova", long_ago)),
        HistoryRequest::Append(erase("Ana", "e2", 2, long_ago)),
        HistoryRequest::Append(edit("Ana", "e3", 3, "recente", now())),
    ]);
    drop(history);
    let retention = Retention::new(Duration::from_hours(2 * 24));
    let mut history = SqliteHistory::open(&folder.log(), Some(retention)).unwrap();
    let trimmed = history.replies().recv_timeout(DEADLINE).unwrap();
    assert!(
        matches!(trimmed, HistoryReply::Trimmed(_, 23)),
        "{trimmed:?}"
    );
    let entries = room_head(&mut history).entries;
    // The edit is still there; its text is gone with its target.
    assert_eq!(
        (entries.len(), entries[0].edits, &*entries[0].text),
        (1, Some(3), "")
    );
    assert_eq!(
        submit(&mut history, edit("Ana", "e4", 3, "tarde", now())),
        Outcome::NoSuchEntry
    );
    assert!(matches!(
        say(&mut history, "Ana", "n", "velha"),
        Outcome::Stored(_)
    ));
    assert_eq!(seqs(&search(&mut history, "velha", 10)), [24]);
    drop(history);
    check_search_index(&folder);
}

/// Writes a file of an earlier version, with two messages.
fn write_old_file(folder: &HistoryFolder, version: u32) {
    let old = schema::old::create(&folder.log(), version);
    let person = append("Ana", "", "").person.0;
    old.execute_batch(
        "INSERT INTO meta VALUES ('epoch', 'velha');
         INSERT INTO rooms VALUES (1, 'laboratorio', 'Laboratório', 2, 1, 1000);",
    )
    .unwrap();
    old.execute(
        "INSERT INTO speakers VALUES (1, ?1, 'Ana', 'aaaaaaaa')",
        [person],
    )
    .unwrap();
    if version >= 3 {
        old.execute_batch("INSERT INTO words (words, rank) VALUES ('secure-delete', 1)")
            .unwrap();
    }
    for (seq, text) in [(1_i64, "da versão antiga"), (2, "também")] {
        let key = (1_i64 << 40) + seq;
        old.execute(
            "INSERT INTO entries (key, at, speaker, text, action) VALUES (?1, 1000, 1, ?2, 0)",
            (key, text),
        )
        .unwrap();
        if version >= 2 {
            old.execute(
                "INSERT INTO words (rowid, text) VALUES (?1, ?2)",
                (key, text),
            )
            .unwrap();
        }
    }
}

fn check_search_index(folder: &HistoryFolder) {
    let connection = Connection::open(folder.log()).unwrap();
    connection
        .execute_batch("INSERT INTO entries_fts (entries_fts) VALUES ('integrity-check')")
        .unwrap();
}

#[test]
fn old_files_are_migrated_and_can_be_amended() {
    for version in 1..=3 {
        let folder = HistoryFolder::new();
        write_old_file(&folder, version);
        let mut history = open(&folder);
        assert_eq!((&*history.epoch(), history.count()), ("velha", 2));
        assert_eq!(seqs(&search(&mut history, "versao", 10)), [1]);
        let entries = room_head(&mut history).entries;
        assert!(
            entries
                .iter()
                .all(|entry| !entry.is_amendment() && !entry.edited && !entry.erased)
        );
        assert!(matches!(
            submit(&mut history, edit("Ana", "1", 1, "da nova", now())),
            Outcome::Stored(_)
        ));
        assert!(matches!(
            submit(&mut history, erase("Ana", "2", 2, now())),
            Outcome::Stored(_)
        ));
        assert_eq!(seqs(&search(&mut history, "da", 10)), [1]);
        assert_eq!(seqs(&search(&mut history, "tambem", 10)), Vec::<u64>::new());
        drop(history);
        check_search_index(&folder);
    }
}

#[test]
fn version_3_file_gets_a_smaller_search_index() {
    let folder = HistoryFolder::new();
    write_old_file(&folder, 3);
    let mut history = open(&folder);
    assert_eq!(seqs(&search(&mut history, "ANTIGA", 10)), [1]);
    say(&mut history, "Ana", "3", "outra palavra");
    assert_eq!(seqs(&search(&mut history, "palavra", 10)), [3]);
    drop(history);
    let connection = Connection::open(folder.log()).unwrap();
    let count = |sql: &str| -> u32 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name GLOB";
    assert_eq!(count(&format!("{tables} 'words*'")), 0);
    assert_eq!(count(&format!("{tables} 'entries_fts_docsize'")), 0);
}

#[test]
fn old_files_are_exported_and_copied_unchanged() {
    for version in 1..=3 {
        let folder = HistoryFolder::new();
        write_old_file(&folder, version);
        let before = std::fs::read(folder.log()).unwrap();
        let mut out = Vec::new();
        let exported = export(
            &folder.log(),
            &room(),
            Format::Text,
            time::UtcOffset::UTC,
            &mut out,
        );
        assert_eq!(exported.unwrap(), Some(2));
        assert!(
            String::from_utf8(out)
                .unwrap()
                .contains("Ana\tda versão antiga\n")
        );
        let copied = folder.join("copia.db");
        assert_eq!(copy(&folder.log(), &copied, &mut keep_going).unwrap(), 2);
        assert_eq!(std::fs::read(folder.log()).unwrap(), before);
        let mut restored = SqliteHistory::open(&copied, None).unwrap();
        assert_eq!(seqs(&search(&mut restored, "antiga", 10)), [1]);
    }
}

#[test]
fn export_marks_amended_entries_and_omits_amendments() {
    let folder = HistoryFolder::new();
    let mut history = open(&folder);
    for (id, text) in [("1", "um"), ("2", "dois"), ("3", "três")] {
        say(&mut history, "Ana", id, text);
    }
    submit(&mut history, edit("Ana", "4", 1, "<hum>", now()));
    submit(&mut history, erase("Ana", "5", 2, now()));
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
        (count, String::from_utf8(out).unwrap())
    };
    let (count, text) = export(Format::Text);
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    assert_eq!(
        (count, lines),
        (
            Some(3),
            vec![
                "Ana\t<hum> (editada)",
                "Ana\t(mensagem apagada)",
                "Ana\ttrês"
            ]
        )
    );
    let (count, html) = export(Format::Html);
    assert_eq!((count, html.matches("<li>").count()), (Some(3), 3));
    assert!(
        html.contains("<b>Ana</b>: &lt;hum&gt; <i>(editada)</i></p>"),
        "{html}"
    );
    assert!(
        html.contains("<b>Ana</b>: <i>(mensagem apagada)</i></p>"),
        "{html}"
    );
    let (count, json) = export(Format::Json);
    let entries: Vec<crate::protocol::Entry> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (count, entries[3].edits, &entries[4].erases[..]),
        (Some(5), Some(1), &[2][..])
    );
    assert!(entries[0].edited && entries[1].erased);
}
