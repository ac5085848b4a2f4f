//! The table `meta`: single values by name.

use rusqlite::{Connection, OptionalExtension};

/// The value of this name; `None` if it is not set.
pub(super) fn get(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Sets the value of this name, in the caller's transaction if there is one.
pub(super) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

/// Removes the value of this name, if it is set.
pub(super) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM meta WHERE name = ?1")?
        .execute([name])?;
    Ok(())
}
