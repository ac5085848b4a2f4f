//! Reverts a committed batch when the file was removed or replaced during the commit: the messages were not acknowledged,
//! so they must not be there when the file is put back.

use super::amend::{delete_from_index, set_index_secure_delete};
use super::transaction::Transaction;
use crate::auth::PersonId;
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// One step of a batch.
enum Step {
    /// This entry was added, under this id of a person.
    Added(i64, PersonId, String),
    /// This entry had this text and this mark.
    Changed(i64, String, Option<i64>),
}

/// What a batch did, in order.
#[derive(Default)]
pub(super) struct UndoLog {
    steps: Vec<Step>,
    /// The seq and the time of each room before.
    rooms: HashMap<i64, (u64, u64)>,
}

impl UndoLog {
    /// A room is about to get an entry; it has this seq and this time.
    pub(super) fn room(&mut self, id: i64, seq: u64, at: u64) {
        self.rooms.entry(id).or_insert((seq, at));
    }

    /// An entry was added.
    pub(super) fn added(&mut self, key: i64, person: PersonId, id: &str) {
        self.steps.push(Step::Added(key, person, id.to_owned()));
    }

    /// These entries are about to be changed.
    pub(super) fn changing(
        &mut self,
        transaction: &Transaction,
        keys: &[i64],
    ) -> rusqlite::Result<()> {
        let mut select =
            transaction.prepare_cached("SELECT text, mark FROM entries WHERE key = ?1")?;
        for key in keys {
            let step = select.query_row([key], |row| {
                Ok(Step::Changed(*key, row.get(0)?, row.get(1)?))
            })?;
            self.steps.push(step);
        }
        Ok(())
    }

    /// Makes the database what it was before the batch.
    pub(super) fn revert(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = Transaction::begin(connection)?;
        set_index_secure_delete(&transaction, true)?;
        for step in self.steps.iter().rev() {
            match step {
                Step::Added(key, person, id) => {
                    remove_text(&transaction, *key)?;
                    transaction
                        .prepare_cached("DELETE FROM entries WHERE key = ?1")?
                        .execute([key])?;
                    transaction
                        .prepare_cached("DELETE FROM ids WHERE person = ?1 AND id = ?2")?
                        .execute(params![person.0, id])?;
                }
                Step::Changed(key, text, mark) => restore_text(&transaction, *key, text, *mark)?,
            }
        }
        for (id, (seq, at)) in &self.rooms {
            transaction
                .prepare_cached("UPDATE rooms SET seq = ?2, at = ?3 WHERE id = ?1")?
                .execute(params![id, *seq as i64, *at as i64])?;
        }
        transaction.commit()
    }
}

/// Removes an entry from the search index if it is in it: amendments and erased entries have no text and are not.
fn remove_text(transaction: &Transaction, key: i64) -> rusqlite::Result<()> {
    let mut select = transaction.prepare_cached("SELECT text <> '' FROM entries WHERE key = ?1")?;
    if select.query_row([key], |row| row.get(0))? {
        delete_from_index(transaction, key)?;
    }
    Ok(())
}

fn restore_text(
    transaction: &Transaction,
    key: i64,
    text: &str,
    mark: Option<i64>,
) -> rusqlite::Result<()> {
    remove_text(transaction, key)?;
    transaction
        .prepare_cached("UPDATE entries SET text = ?2, mark = ?3 WHERE key = ?1")?
        .execute(params![key, text, mark])?;
    if !text.is_empty() {
        transaction
            .prepare_cached("INSERT INTO entries_fts (rowid, text) VALUES (?1, ?2)")?
            .execute(params![key, text])?;
    }
    Ok(())
}
