//! SQLite errors in Portuguese.

use rusqlite::{Error, ErrorCode};
use std::borrow::Cow;

/// The reason, as the middle of a sentence. SQLite's own message is logged at debug level.
pub(super) fn describe_sql(error: &Error) -> Cow<'static, str> {
    log::debug!("SQLite: {error}");
    let text = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "o arquivo está danificado",
        Some(ErrorCode::DiskFull) => "o disco está cheio",
        Some(ErrorCode::SystemIoFailure) => "o disco não respondeu como devia",
        Some(ErrorCode::ReadOnly) => "o arquivo só se deixa ler",
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            "sem permissão"
        }
        Some(ErrorCode::CannotOpen) => "o arquivo não abre",
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => "outro programa está usando o arquivo",
        Some(ErrorCode::OutOfMemory) => "acabou a memória",
        Some(ErrorCode::TooBig) => "é grande demais",
        _ => {
            return error
                .sqlite_error()
                .map_or("erro inesperado".into(), |error| {
                    unknown_code(error.extended_code)
                });
        }
    };
    text.into()
}

fn unknown_code(code: i32) -> Cow<'static, str> {
    format!("erro {code} do SQLite").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_errors_are_described_in_portuguese() {
        let described = |code| {
            describe_sql(&Error::SqliteFailure(
                rusqlite::ffi::Error::new(code),
                Some("no luck".into()),
            ))
        };
        assert_eq!(described(rusqlite::ffi::SQLITE_FULL), "o disco está cheio");
        assert_eq!(
            described(rusqlite::ffi::SQLITE_NOTADB),
            "o arquivo está danificado"
        );
        assert_eq!(described(rusqlite::ffi::SQLITE_RANGE), "erro 25 do SQLite");
        assert_eq!(describe_sql(&Error::InvalidQuery), "erro inesperado");
    }
}
