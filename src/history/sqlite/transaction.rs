//! A transaction that writes, begun and committed by statements that were prepared once.
//!
//! rusqlite's own type parses `BEGIN` and `COMMIT` again each time, which is a good part of what a lone message costs.

use rusqlite::Connection;
use std::ops::Deref;

/// A transaction of the writer. Dropped without a commit, it is rolled back.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
    /// Its commit is not synced.
    is_unsynced: bool,
}

impl<'a> Transaction<'a> {
    /// Begins one that holds the write lock from its beginning.
    ///
    /// # Errors
    /// When another connection writes for longer than the busy timeout, or when the file can't be read.
    pub(super) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(Self {
            connection,
            is_unsynced: false,
        })
    }

    /// The same, with a commit that does not wait for the disk. A power failure may undo it as a whole, unless a later
    /// commit was synced; that one comes after it in the journal.
    ///
    /// # Errors
    /// The same.
    pub(super) fn begin_unsynced(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        let transaction = Self {
            connection,
            is_unsynced: true,
        };
        set_synced(transaction.connection, false)?;
        run(transaction.connection, "BEGIN IMMEDIATE").map(|()| transaction)
    }

    /// Begins one that takes the write lock when it first writes.
    ///
    /// # Errors
    /// SQLite's error, for instance when there is a transaction on this connection already.
    pub(super) fn begin_deferred(connection: &'a Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN")?;
        Ok(Self {
            connection,
            is_unsynced: false,
        })
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
        if self.is_unsynced && !std::thread::panicking() {
            // Without it, messages would be shown that the disk does not have.
            set_synced(self.connection, true).expect("no transaction is open");
        }
    }
}

/// Sets whether a commit returns only after the disk has it.
fn set_synced(connection: &Connection, is_synced: bool) -> rusqlite::Result<()> {
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

    #[test]
    fn only_the_transactions_in_between_are_unsynced() {
        let mut connection = database();
        connection
            .pragma_update(None, "synchronous", "FULL")
            .unwrap();
        let level = |connection: &Connection| -> i64 {
            let level = connection.pragma_query_value(None, "synchronous", |row| row.get(0));
            level.unwrap()
        };
        for is_committed in [true, false] {
            let transaction = Transaction::begin_unsynced(&mut connection).unwrap();
            insert(&transaction);
            assert_eq!(level(&transaction), 1);
            if is_committed {
                transaction.commit().unwrap();
            } else {
                drop(transaction);
            }
            assert_eq!((level(&connection), count(&connection)), (2, 1));
        }
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
