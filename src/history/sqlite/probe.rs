//! Failed writes: which fault they mean, which ones may come back after a crash, and trying whether writing works again.

use crate::history::HistoryFault;
use rusqlite::{Connection, Error, ErrorCode, TransactionBehavior, ffi};

/// Writes one page, and changes nothing: the version is what it was. A commit that failed may have left its frames at
/// the end of the journal; the frame of this one is written over them, so that no crash can bring them back.
///
/// # Errors
/// While the file can't be written.
pub(super) fn probe(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
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
        let mut opened = opening::open(&folder.log()).unwrap();
        let journal = folder.join("historico.db-wal");
        let version = |connection: &Connection| -> u32 {
            let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
            version.unwrap()
        };
        let before = (
            journal.metadata().unwrap().len(),
            version(&opened.connection),
        );
        probe(&mut opened.connection).unwrap();
        assert_eq!(version(&opened.connection), before.1);
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
