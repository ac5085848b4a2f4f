//! The file: its schema, versions, keys and settings.

use super::file_format::{APPLICATION_ID, FileKind, WAL, has_content};
use super::file_names::with_suffix;
use super::migrations::MIGRATIONS;
use super::{main_file, meta};
use crate::auth::random_epoch;
use crate::history::amend::Fingerprint;
use crate::history::sqlite::sql_error::describe_sql;
use crate::os_error::describe;
use crate::pt::megabytes;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for another process that reads or copies the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// An entry's key is the room's id, then 40 bits of seq: the entries of a room are neighbours.
const SEQ_BITS: u32 = 40;

/// Marks an edited entry.
pub(super) const EDITED: i64 = 1;
/// Marks an erased entry, which is empty and not in the search index.
pub(super) const ERASED: i64 = 2;

/// The first version in which a message can change an earlier one.
const AMENDMENTS_VERSION: u32 = 3;

/// Why a file can't be used. It was not changed.
#[derive(Debug)]
pub enum OpenError {
    /// Another server uses it.
    InUse,
    /// It was written by a later version of this program.
    Newer,
    /// It was written by some other program.
    Foreign,
    /// There is no history in it to read.
    Empty,
    /// So many bytes are missing on the disk to migrate it.
    NoSpace(u64),
    /// An error of the operating system.
    Io(io::Error),
    /// An error of SQLite other than damage.
    Sql(rusqlite::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse => f.write_str("outro servidor está usando o arquivo"),
            Self::Newer => f.write_str("o arquivo é de uma versão mais nova do Papo"),
            Self::Foreign => f.write_str("o arquivo não é um histórico do Papo"),
            Self::Empty => f.write_str("o arquivo está vazio"),
            Self::NoSpace(missing) => {
                write!(
                    f,
                    "faltam {} no disco para atualizar o arquivo",
                    megabytes(*missing)
                )
            }
            Self::Io(error) => f.write_str(&describe(error)),
            Self::Sql(error) => f.write_str(&describe_sql(error)),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The columns that every new entry has.
pub(super) struct NewRow {
    pub key: i64,
    pub at: u64,
    pub speaker: i64,
    pub fingerprint: Fingerprint,
}

/// The key of a room's entry.
pub(super) fn entry_key(room: i64, seq: u64) -> i64 {
    room << SEQ_BITS | seq as i64
}

/// The seq in a key.
pub(super) fn seq_of(key: i64) -> u64 {
    (key & ((1 << SEQ_BITS) - 1)) as u64
}

/// The room in a key.
pub(super) fn room_id_of(key: i64) -> i64 {
    key >> SEQ_BITS
}

/// The last key that a room's entry can have.
pub(super) fn last_entry_key(room: i64) -> i64 {
    entry_key(room + 1, 0) - 1
}

/// Messages in a file.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let select = "SELECT coalesce(sum(seq - oldest + 1), 0) FROM rooms";
    let count: i64 = connection.query_row(select, [], |row| row.get(0))?;
    Ok(count.max(0) as u64)
}

/// Opens a file of ours to read, for a program that does not serve it: journals of another database are not applied.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    // SQLite puts its journals beside the file that a link leads to.
    let path = std::fs::canonicalize(path)?;
    let kind = path.metadata()?.file_type();
    // Opening a named pipe would wait for its other end.
    if !kind.is_file() && !kind.is_dir() {
        return Err(OpenError::Foreign);
    }
    let own_journals = match FileKind::read(&File::open(&path)?)? {
        FileKind::Empty => return Err(OpenError::Empty),
        FileKind::Other => return Err(OpenError::Foreign),
        FileKind::Database(header) => main_file::may_apply_wal(&path, &header)?,
    };
    if own_journals {
        match open_reader(&path) {
            // Where nothing can be written, SQLite does not even open an empty journal.
            Err(OpenError::Sql(error))
                if error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
                    && !has_content(&with_suffix(&path, WAL)) => {}
            opened => return opened,
        }
    }
    prepare_reader(main_file::open(&path)?)
}

/// Opens or creates any database to write. SQLite is compiled to take `file:` for a URI, and `:memory:` for no file; an
/// absolute path is neither.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Opens the file that this process serves for its reader.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepare_reader(Connection::open_with_flags(path, flags)?)
}

fn prepare_reader(connection: Connection) -> Result<Connection, OpenError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if check_version(&connection)? == 0 {
        return Err(OpenError::Empty);
    }
    shim_old_schema(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    Ok(connection)
}

/// Gives a file of an older version, which is not changed, the columns that queries of this version read.
fn shim_old_schema(connection: &Connection) -> rusqlite::Result<()> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < AMENDMENTS_VERSION {
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.execute_batch(
            "CREATE TEMP VIEW entries AS
             SELECT *, NULL AS edits, NULL AS erases, NULL AS mark FROM main.entries",
        )?;
    }
    Ok(())
}

/// Checks that a database is ours and not newer than this program; returns its number of tables.
pub(super) fn check_version(connection: &Connection) -> Result<u32, OpenError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign);
    }
    if number("user_version")? as usize > MIGRATIONS.len() {
        return Err(OpenError::Newer);
    }
    Ok(tables)
}

pub(super) fn configure(connection: &Connection) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // FULL: a commit returns only after the disk has it.
    for (name, value) in [
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, name, value)?;
    }
    // Erased text is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    // 16 MB of pages, however large the file.
    connection.pragma_update(None, "cache_size", -16_000)?;
    Ok(())
}

/// Merges the journal into the file and empties it. False when another connection still uses the journal.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
    let is_blocked: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_blocked)
}

/// The log's epoch; `None` in a new file and in a copy: clients may hold entries that it lacks.
pub(super) fn load_epoch(connection: &Connection) -> rusqlite::Result<Option<Arc<str>>> {
    let is_copy = meta::get(connection, "copy")?.is_some();
    let epoch = meta::get(connection, "epoch")?;
    Ok(epoch.filter(|_| !is_copy).map(Into::into))
}

/// Begins a new epoch.
pub(super) fn start_epoch(connection: &Connection) -> Result<Arc<str>, OpenError> {
    let transaction = connection.unchecked_transaction()?;
    let epoch = store_new_epoch(&transaction)?;
    transaction.commit()?;
    Ok(epoch)
}

/// Makes a new epoch, in the caller's transaction.
pub(super) fn store_new_epoch(transaction: &Connection) -> Result<Arc<str>, OpenError> {
    let epoch = random_epoch().map_err(|error| OpenError::Io(io::Error::other(error)))?;
    meta::remove(transaction, "copy")?;
    meta::set(transaction, "epoch", &epoch)?;
    Ok(epoch)
}

/// The sum of all rooms' seqs, which grows with each message and never shrinks.
pub(super) fn seq_sum(connection: &Connection) -> rusqlite::Result<u64> {
    let mut select = connection.prepare_cached("SELECT coalesce(sum(seq), 0) FROM rooms")?;
    let sum: i64 = select.query_row([], |row| row.get(0))?;
    Ok(sum.max(0) as u64)
}

/// Whether an error means that the file's contents are broken.
pub(super) fn is_corruption(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

#[cfg(test)]
pub(super) mod old {
    //! Files as earlier versions wrote them.

    use super::*;

    /// An empty file of this version: 1 has no search index, 2 no amendments, 3 calls the index `words`.
    pub(crate) fn create(path: &Path, version: u32) -> Connection {
        let connection = Connection::open(path).unwrap();
        for migration in &MIGRATIONS[..version as usize] {
            connection.execute_batch(migration).unwrap();
        }
        for (name, value) in [
            ("application_id", APPLICATION_ID),
            ("user_version", version),
        ] {
            connection.pragma_update(None, name, value).unwrap();
        }
        connection
    }
}
