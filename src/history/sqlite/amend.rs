//! Messages that change earlier ones: in one transaction with the message itself, the entries concerned get their new text
//! or lose it, and so does the search index.
//!
//! An edit's own row holds no text: what it says is read from the entry that it edits, so that every text stands in one
//! place and is gone when it is taken back there. SQLite overwrites what is deleted (`secure_delete`), and so does the
//! index. Copies of the old pages remain in the journal beside the file until a checkpoint lets them be written over, at
//! the latest when the server stops. What stays for good is the digest in `ids`, by which a resend is recognized: nobody
//! reads a text out of it, but who has a guess can check it.

use super::schema::{EDITED, ERASED, entry_key, last_entry_key, seq_of};
use crate::auth::PersonId;
use crate::history::amend::{Amendment, SCAN_LIMIT, Target};
use crate::history::{Append, Outcome};
use crate::name::Name;
use crate::text::fold;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;

/// The keys of the entries that a message changes, in rising order.
pub type TargetKeys = Vec<i64>;

/// Finds the entries that a message changes, or why it may not.
pub fn find_targets(
    transaction: &Transaction,
    append: &Append,
    amendment: &Amendment,
    room: i64,
) -> rusqlite::Result<Result<TargetKeys, Outcome>> {
    match amendment {
        Amendment::Edit(seq) | Amendment::Erase(seq) => {
            find_target(transaction, append, room, *seq)
        }
        Amendment::EraseByAuthor {
            name,
            since_ms,
            limit: most,
        } => {
            let found = recent_by(transaction, room, name, *since_ms, *most)?;
            Ok(if found.is_empty() {
                Err(Outcome::NothingToErase)
            } else {
                Ok(found)
            })
        }
    }
}

fn find_target(
    transaction: &Transaction,
    append: &Append,
    room: i64,
    seq: u64,
) -> rusqlite::Result<Result<TargetKeys, Outcome>> {
    // Beyond this, a seq would run into the next room's keys.
    if seq > seq_of(last_entry_key(room)) {
        return Ok(Err(Outcome::NoSuchEntry));
    }
    let key = entry_key(room, seq);
    let mut select = transaction.prepare_cached(
        "SELECT s.person, e.edits IS NOT NULL OR e.erases IS NOT NULL, e.mark
         FROM entries e JOIN speakers s ON s.id = e.speaker WHERE e.key = ?1",
    )?;
    let target = select
        .query_row([key], |row| {
            let erased = row.get::<_, Option<i64>>(2)? == Some(ERASED);
            Ok(Target {
                person: PersonId(row.get(0)?),
                is_amendment: row.get(1)?,
                erased,
            })
        })
        .optional()?;
    Ok(match target {
        Some(target) => target.authorize(append).map(|()| vec![key]),
        None => Err(Outcome::NoSuchEntry),
    })
}

/// The latest entries that somebody of this name said.
fn recent_by(
    transaction: &Transaction,
    room: i64,
    name: &Name,
    since_ms: u64,
    limit: usize,
) -> rusqlite::Result<TargetKeys> {
    let mut select = transaction.prepare_cached(
        "SELECT e.key, e.at, e.speaker, s.name, coalesce(e.edits, e.erases, e.mark = ?3, 0) = 0
         FROM entries e JOIN speakers s ON s.id = e.speaker
         WHERE e.key BETWEEN ?1 AND ?2 ORDER BY e.key DESC LIMIT ?4",
    )?;
    let mut rows = select.query(params![
        entry_key(room, 0),
        last_entry_key(room),
        ERASED,
        SCAN_LIMIT as i64
    ])?;
    // People speak more than once, and names are not compared letter by letter.
    let mut speakers: HashMap<i64, bool> = HashMap::new();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() >= limit || row.get::<_, i64>(1)? < since_ms as i64 {
            break;
        }
        let speaker = row.get(2)?;
        let matches_name = match speakers.get(&speaker) {
            Some(theirs) => *theirs,
            None => {
                let theirs = fold(&row.get::<_, String>(3)?) == **name.key();
                speakers.insert(speaker, theirs);
                theirs
            }
        };
        if matches_name && row.get(4)? {
            found.push(row.get(0)?);
        }
    }
    found.reverse();
    Ok(found)
}

/// Stores a message that changes these entries under this key, and changes them.
pub fn insert_amendment(
    transaction: &Transaction,
    append: &Append,
    targets: &[i64],
    (key, at, speaker): (i64, u64, i64),
) -> rusqlite::Result<()> {
    let edits = is_edit(append).then(|| targets.first()).flatten();
    let erases: Option<String> = edits.is_none().then(|| format_seqs(targets));
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entries (key, at, speaker, text, action, edits, erases) VALUES (?1, ?2, ?3, '', 0, ?4, ?5)",
    )?;
    insert.execute(params![key, at as i64, speaker, edits, erases])?;
    set_index_secure_delete(transaction, true)?;
    for concerned in targets {
        delete_from_index(transaction, *concerned)?;
        let (text, mark) = if edits.is_some() {
            (&*append.text, EDITED)
        } else {
            ("", ERASED)
        };
        let mut change =
            transaction.prepare_cached("UPDATE entries SET text = ?2, mark = ?3 WHERE key = ?1")?;
        change.execute(params![concerned, text, mark])?;
    }
    if let Some(edited) = edits {
        let mut index =
            transaction.prepare_cached("INSERT INTO entries_fts (rowid, text) VALUES (?1, ?2)")?;
        index.execute(params![edited, append.text])?;
    }
    Ok(())
}

/// Tells the search index whether to write over what it forgets at once, which takes about 2 ms for a message, or to note
/// that it is forgotten until it is merged away, which takes a hundredth of that.
///
/// Said each time, because what was said in a transaction that failed may or may not be in force.
pub fn set_index_secure_delete(transaction: &Transaction, at_once: bool) -> rusqlite::Result<()> {
    let mut configure = transaction.prepare_cached(
        "INSERT INTO entries_fts (entries_fts, rank) VALUES ('secure-delete', ?1)",
    )?;
    configure.execute([at_once])?;
    Ok(())
}

/// Takes an entry out of the search index, which has to be told the text that it knows it by.
fn delete_from_index(transaction: &Transaction, key: i64) -> rusqlite::Result<()> {
    let mut forget = transaction.prepare_cached(
        "INSERT INTO entries_fts (entries_fts, rowid, text) SELECT 'delete', key, text FROM entries WHERE key = ?1",
    )?;
    forget.execute([key])?;
    Ok(())
}

/// Whether a message gives an entry another text.
pub fn is_edit(append: &Append) -> bool {
    matches!(append.amends, Some(Amendment::Edit(_)))
}

fn format_seqs(keys: &[i64]) -> String {
    keys.iter()
        .map(|key| seq_of(*key).to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The seqs in a row of the log.
pub fn parse_seqs(column: Option<String>) -> Vec<u64> {
    column
        .iter()
        .flat_map(|seqs| seqs.split(' '))
        .filter_map(|seq| seq.parse().ok())
        .collect()
}
