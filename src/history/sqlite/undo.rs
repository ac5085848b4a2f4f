//! Reverts a committed batch when the file was removed or replaced during the commit: the messages were not acknowledged,
//! so they must not be there when the file is put back.

use super::transaction::Transaction;
use rusqlite::{Connection, params};

/// One step of a batch.
enum Step {
    /// This entry was added.
    Added(i64),
    /// This entry had this text and this mark.
    Changed(i64, String, Option<i64>),
}

/// What a batch did, in order.
#[derive(Default)]
pub(super) struct UndoLog {
    steps: Vec<Step>,
}

impl UndoLog {
    /// An entry was added.
    pub(super) fn added(&mut self, key: i64) {
        self.steps.push(Step::Added(key));
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

    /// Makes the database what it was before the batch, of which nothing is indexed yet. An indexed text that was kept
    /// because it became outdated may stay: it is put into the index again.
    pub(super) fn revert(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let transaction = Transaction::begin(connection)?;
        for step in self.steps.iter().rev() {
            match step {
                Step::Added(key) => transaction
                    .prepare_cached("DELETE FROM entries WHERE key = ?1")?
                    .execute([key])?,
                Step::Changed(key, text, mark) => transaction
                    .prepare_cached("UPDATE entries SET text = ?2, mark = ?3 WHERE key = ?1")?
                    .execute(params![key, text, mark])?,
            };
        }
        transaction.commit()
    }
}
