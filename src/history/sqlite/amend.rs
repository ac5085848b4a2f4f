//! Amendments in the file: the message and its targets change in one transaction, the search index right after it.
//!
//! An edit's row has no text of its own: reads show its target's, so that erasing the target is enough. Deleted text is
//! overwritten in the file, and soon in the index; the journal has it until a checkpoint, at the latest when the server
//! stops. The fingerprint stays: it reveals no text, but confirms a guess.

use super::indexing::keep_outdated;
use super::schema::{EDITED, ERASED, NewRow, entry_key, last_entry_key, seq_of};
use super::transaction::Transaction;
use crate::auth::PersonId;
use crate::history::amend::{Amendment, RecentWindow, SCAN_LIMIT, Target};
use crate::history::{Append, Outcome};
use crate::name::Name;
use crate::text::fold;
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;

/// The keys of the entries that a message changes, ascending.
pub(super) type TargetKeys = Vec<i64>;

/// Finds the entries that a message changes; the inner error is the outcome when it may not.
pub(super) fn find_targets(
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
            limit,
        } => {
            let window = RecentWindow::new(*since_ms, append.at, *limit);
            let found = recent_by(transaction, room, name, window)?;
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
    // A larger seq would reach into the next room's keys.
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

/// The latest entries by this name.
fn recent_by(
    transaction: &Transaction,
    room: i64,
    name: &Name,
    mut window: RecentWindow<i64>,
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
    // Each speaker is compared once: folding a name is not free.
    let mut speakers: HashMap<i64, bool> = HashMap::new();
    while let Some(row) = rows.next()? {
        let speaker = row.get(2)?;
        let matches_name = if let Some(known) = speakers.get(&speaker) {
            *known
        } else {
            let matches_name = fold(&row.get::<_, String>(3)?) == **name.key();
            speakers.insert(speaker, matches_name);
            matches_name
        };
        let target = if matches_name && row.get(4)? {
            Some(row.get(0)?)
        } else {
            None
        };
        if !window.take(row.get::<_, i64>(1)?.max(0) as u64, target) {
            break;
        }
    }
    Ok(window.finish())
}

/// Stores an amendment and changes its targets.
pub(super) fn insert_amendment(
    transaction: &Transaction,
    append: &Append,
    targets: &[i64],
    row: &NewRow,
) -> rusqlite::Result<()> {
    let edits = is_edit(append).then(|| targets.first()).flatten();
    let erases: Option<String> = edits.is_none().then(|| format_seqs(targets));
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entries (key, at, speaker, text, action, edits, erases, id, digest)
         VALUES (?1, ?2, ?3, '', 0, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        row.key,
        row.at as i64,
        row.speaker,
        edits,
        erases,
        append.id,
        row.fingerprint
    ])?;
    let (text, mark) = match edits {
        Some(_) => (&*append.text, EDITED),
        None => ("", ERASED),
    };
    for target in targets {
        keep_outdated(transaction, *target)?;
        transaction
            .prepare_cached("UPDATE entries SET text = ?2, mark = ?3 WHERE key = ?1")?
            .execute(params![target, text, mark])?;
    }
    Ok(())
}

/// Whether a message is an edit.
pub(super) fn is_edit(append: &Append) -> bool {
    matches!(append.amends, Some(Amendment::Edit(_)))
}

fn format_seqs(keys: &[i64]) -> String {
    keys.iter()
        .map(|key| seq_of(*key).to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The seqs in the column `erases`.
pub(super) fn parse_seqs(column: Option<String>) -> Vec<u64> {
    column
        .iter()
        .flat_map(|seqs| seqs.split(' '))
        .filter_map(|seq| seq.parse().ok())
        .collect()
}
