//! The file: its schema, opening, checking and migrating it, and moving a damaged one aside.

use super::migrations::MIGRATIONS;
use crate::auth::random_epoch;
use crate::history::sqlite::sql_error::describe_sql;
use crate::os_error::describe;
use crate::platform;
use crate::pt::megabytes;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// "PAPO": distinguishes these files from those of other programs.
pub(super) const APPLICATION_ID: u32 = 0x5041_504F;
/// How long to wait for another process that reads or copies the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Files up to this size, in bytes, are checked page by page at each start, which takes less than half a second. Of larger
/// files, a start checks only the pages that it reads.
const FULL_CHECK_LIMIT: u64 = 64 * 1024 * 1024;
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
    /// It is a database of some other program.
    Foreign,
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
            Self::Foreign => f.write_str("o arquivo é de outro programa"),
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

/// An open file, ready to write.
pub(super) struct Opened {
    pub connection: Connection,
    pub epoch: Arc<str>,
    /// Messages in it.
    pub count: u64,
    /// The new path of the damaged file that was here before.
    pub moved_aside: Option<PathBuf>,
    /// The copy of the earlier version, if the file was migrated.
    pub kept_copy: Option<PathBuf>,
    pub lock: File,
}

/// The columns that every new entry has.
pub(super) struct NewRow {
    pub key: i64,
    pub at: u64,
    pub speaker: i64,
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
    let count: i64 = connection.query_row(
        "SELECT coalesce(sum(seq - oldest + 1), 0) FROM rooms",
        [],
        |row| row.get(0),
    )?;
    Ok(count.max(0) as u64)
}

/// Migrates a file to the current version and returns the path of the copy of the earlier one.
pub(super) type Migrate = fn(&mut Connection, &Path) -> Result<Option<PathBuf>, OpenError>;

/// Opens a file to write, exclusively.
pub(super) fn open(path: &Path, migrate: Migrate) -> Result<Opened, OpenError> {
    let mut lock = lock(path)?;
    let mut moved_aside = None;
    let mut connection = match open_and_check(path) {
        Err(OpenError::Sql(error)) if is_corruption(&error) => {
            log::error!(
                "{} está danificado ({}).",
                path.display(),
                describe_sql(&error)
            );
            moved_aside = Some(move_aside(path)?);
            lock = self::lock(path)?;
            Connection::open(path)?
        }
        other => other?,
    };
    configure(&connection)?;
    let kept_copy = migrate(&mut connection, path)?;
    let epoch = load_or_create_epoch(&connection)?;
    let count = count(&connection)?;
    Ok(Opened {
        connection,
        epoch,
        count,
        moved_aside,
        kept_copy,
        lock,
    })
}

/// Opens a file of ours to read.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    shim_old_schema(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    check_version(&connection)?;
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

/// Locks the file for this process. SQLite's own locks are held only during transactions.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    // Conversations are private to the account; SQLite gives its journal files the same mode.
    let file = platform::owner_only(&mut options).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Opens the file and checks that it is ours and undamaged, without changing it.
fn open_and_check(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    check_version(&connection)?;
    if path.metadata()?.len() <= FULL_CHECK_LIMIT {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            log::debug!("quick_check: {verdict}");
            return Err(corruption(verdict).into());
        }
    }
    Ok(connection)
}

fn check_version(connection: &Connection) -> Result<(), OpenError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign);
    }
    if number("user_version")? as usize > MIGRATIONS.len() {
        return Err(OpenError::Newer);
    }
    Ok(())
}

fn configure(connection: &Connection) -> Result<(), OpenError> {
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
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// The log's epoch. A restored copy gets a new one, like a new file: clients may hold entries that it lacks.
fn load_or_create_epoch(connection: &Connection) -> Result<Arc<str>, OpenError> {
    let meta = |name: &str| -> Result<Option<String>, rusqlite::Error> {
        connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()
    };
    if let (Some(epoch), None) = (meta("epoch")?, meta("copy")?) {
        return Ok(epoch.into());
    }
    let epoch = random_epoch().map_err(|error| OpenError::Io(io::Error::other(error)))?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("DELETE FROM meta WHERE name = 'copy'", [])?;
    transaction.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?1)",
        [&*epoch],
    )?;
    transaction.commit()?;
    Ok(epoch)
}

/// Whether an error means that the file's contents are broken.
pub(super) fn is_corruption(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn corruption(verdict: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(verdict),
    )
}

/// Renames a damaged file and its journal, so that nothing is lost.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let path_with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = (0..)
        .map(|n| path_with(&format!(".danificado-{}", seconds + n)))
        .find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| path_with(".danificado"));
    for suffix in ["-wal", "-shm"] {
        let mut target = aside.as_os_str().to_owned();
        target.push(suffix);
        match std::fs::rename(path_with(suffix), target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, &aside)?;
    Ok(aside)
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
