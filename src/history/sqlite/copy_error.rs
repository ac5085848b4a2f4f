//! Why a history could not be copied.

use super::schema::OpenError;
use super::sql_error::describe_sql;
use crate::os_error::describe;
use std::io;

/// Why there is no copy. Nothing is left of it.
#[derive(Debug)]
pub enum CopyError {
    /// The history can't be read.
    Source(OpenError),
    /// The target exists.
    Exists,
    /// Another process is copying to the same target.
    InProgress,
    /// So many bytes are missing on the target's disk.
    NoSpace(u64),
    /// Cancelled by the progress callback.
    Cancelled,
    /// The target can't be written.
    Io(io::Error),
    /// SQLite's error while copying.
    Sql(rusqlite::Error),
}

impl std::fmt::Display for CopyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Exists => f.write_str("o arquivo já existe"),
            Self::InProgress => f.write_str("outra cópia para este arquivo está em andamento"),
            Self::NoSpace(_) => f.write_str("falta espaço no disco"),
            Self::Cancelled => f.write_str("a cópia foi cancelada"),
            Self::Io(error) => f.write_str(&describe(error)),
            Self::Sql(error) => f.write_str(&describe_sql(error)),
        }
    }
}

impl std::error::Error for CopyError {}

impl From<OpenError> for CopyError {
    fn from(error: OpenError) -> Self {
        Self::Source(error)
    }
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}
