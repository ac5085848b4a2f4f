//! Failed writes: which fault they mean, which ones may come back after a crash, and trying whether writing works again.

use crate::history::HistoryFault;
use rusqlite::{Connection, Error, ErrorCode, ffi};

/// Writes one page in the caller's transaction and changes nothing: the version is what it was.
///
/// # Errors
/// While the file can't be written.
pub(super) fn rewrite_version(transaction: &Connection) -> rusqlite::Result<()> {
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    transaction.pragma_update(None, "user_version", version)
}

/// Whether another program holds the file.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// What a failed write says about the history.
pub(super) fn fault_of(error: &Error) -> HistoryFault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => HistoryFault::NoSpace,
        _ if is_busy(error) => HistoryFault::Locked,
        _ => HistoryFault::WriteFailed,
    }
}

/// Whether what a failed transaction wrote may be complete in the journal, where a restart would find it. A write that
/// failed never completes it; a failed `fsync` comes after the last write.
pub(super) fn may_come_back(error: &Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
        && code != Some(ffi::SQLITE_IOERR_WRITE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fixtures::HistoryFolder;
    use crate::history::sqlite::opening;

    fn sqlite_error(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn probe_writes_and_changes_nothing() {
        let folder = HistoryFolder::new();
        let opened = opening::open(&folder.log()).unwrap();
        let journal = folder.join("historico.db-wal");
        let version = || -> u32 {
            let version = opened
                .connection
                .pragma_query_value(None, "user_version", |row| row.get(0));
            version.unwrap()
        };
        let before = (journal.metadata().unwrap().len(), version());
        rewrite_version(&opened.connection).unwrap();
        assert_eq!(version(), before.1);
        assert!(journal.metadata().unwrap().len() > before.0);
    }

    #[test]
    fn only_failed_syncs_may_come_back() {
        assert!(may_come_back(&sqlite_error(ffi::SQLITE_IOERR_FSYNC)));
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
            assert!(!may_come_back(&sqlite_error(code)));
        }
        assert_eq!(
            fault_of(&sqlite_error(ffi::SQLITE_FULL)),
            HistoryFault::NoSpace
        );
        assert_eq!(
            fault_of(&sqlite_error(ffi::SQLITE_BUSY)),
            HistoryFault::Locked
        );
        assert_eq!(
            fault_of(&sqlite_error(ffi::SQLITE_IOERR)),
            HistoryFault::WriteFailed
        );
    }
}
