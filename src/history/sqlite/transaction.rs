//! A transaction that writes, begun and committed by statements that were prepared once.
//!
//! rusqlite's own type parses `BEGIN` and `COMMIT` again each time, which is a good part of what a lone message costs.

use rusqlite::Connection;
use std::ops::Deref;

/// A transaction of the writer. Dropped without a commit, it is rolled back.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
}

impl<'a> Transaction<'a> {
    /// Begins one that holds the write lock from its beginning.
    ///
    /// # Errors
    /// When another connection writes for longer than the busy timeout, or when the file can't be read.
    pub(super) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(Self { connection })
    }

    /// Begins one that takes the write lock when it first writes.
    ///
    /// # Errors
    /// SQLite's error, for instance when there is a transaction on this connection already.
    pub(super) fn begin_deferred(connection: &'a Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN")?;
        Ok(Self { connection })
    }

    /// Commits it; what fails is rolled back.
    ///
    /// # Errors
    /// When it could not be written. A part of it may be in the journal.
    pub(super) fn commit(self) -> rusqlite::Result<()> {
        run(self.connection, "COMMIT")
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After a commit, and after errors that have ended it, there is none.
        if !self.connection.is_autocommit()
            && let Err(error) = run(self.connection, "ROLLBACK")
        {
            log::debug!("rollback: {error}");
        }
    }
}

/// Sets whether a commit returns only after the disk has it. A power failure may undo one that does not, as a whole, unless
/// a later one was synced; that one comes after it in the journal.
///
/// # Errors
/// Within a transaction, or when the file can't be read.
pub(super) fn set_synced(connection: &Connection, is_synced: bool) -> rusqlite::Result<()> {
    let value = if is_synced { "FULL" } else { "NORMAL" };
    connection.pragma_update(None, "synchronous", value)
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        connection
    }

    fn count(connection: &Connection) -> i64 {
        let count = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        count.unwrap()
    }

    fn insert(transaction: &Transaction) {
        transaction.execute("INSERT INTO t VALUES (1)", []).unwrap();
    }

    #[test]
    fn committed_transaction_stays_and_another_can_begin() {
        let mut connection = database();
        for _ in 0..3 {
            let transaction = Transaction::begin(&mut connection).unwrap();
            insert(&transaction);
            transaction.commit().unwrap();
        }
        assert_eq!(count(&connection), 3);
    }

    #[test]
    fn dropped_transaction_is_rolled_back() {
        let mut connection = database();
        insert(&Transaction::begin(&mut connection).unwrap());
        assert!(connection.is_autocommit());
        assert_eq!(count(&connection), 0);
    }

    #[test]
    fn commit_that_fails_is_rolled_back() {
        let mut connection = database();
        let schema = "PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);
                      CREATE TABLE c (p REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)";
        connection.execute_batch(schema).unwrap();
        let transaction = Transaction::begin(&mut connection).unwrap();
        insert(&transaction);
        transaction.execute("INSERT INTO c VALUES (7)", []).unwrap();
        assert!(transaction.commit().is_err());
        assert!(connection.is_autocommit());
        assert_eq!(count(&connection), 0);
        let transaction = Transaction::begin(&mut connection).unwrap();
        transaction.commit().unwrap();
    }

    #[test]
    fn transaction_that_sqlite_has_ended_is_dropped_safely() {
        let mut connection = database();
        let transaction = Transaction::begin(&mut connection).unwrap();
        transaction.execute_batch("ROLLBACK").unwrap();
        drop(transaction);
        insert(&Transaction::begin(&mut connection).unwrap());
    }
}
