//! Puts a copy back for the command line.

use crate::copy_history::show_progress;
use crate::open_history::open_error;
use papo::config::Transfer;
use papo::history::sqlite::{self, CopyError, OpenError, RestoreError};
use papo::pt::{group_thousands, megabytes};
use std::sync::atomic::AtomicBool;

/// Puts a copy in the history's place and returns the sentences to print. An error is the sentence to print.
pub fn restore(transfer: &Transfer, cancelled: &AtomicBool) -> Result<String, String> {
    let Transfer { history, copy } = transfer;
    let restored = show_progress(cancelled, |on_progress| {
        sqlite::restore(copy, history, on_progress)
    });
    let restored = restored.map_err(|error| describe(transfer, &error))?;
    let log = history.display();
    let mut text = match restored.count {
        1 => format!("1 mensagem restaurada em {log}.\n"),
        count => format!(
            "{} mensagens restauradas em {log}.\n",
            group_thousands(count)
        ),
    };
    if let Some(kept) = restored.kept {
        text.push_str(&format!(
            "O histórico de antes está guardado em {}\n",
            kept.display()
        ));
    }
    Ok(text)
}

/// Why the copy was not put back, and what to do about it.
fn describe(transfer: &Transfer, error: &RestoreError) -> String {
    let copy = transfer.copy.display();
    let log = transfer.history.display();
    match error {
        RestoreError::Same => format!(
            "{copy} já é o próprio histórico. Indique a cópia, por exemplo: servidor restaurar copia.db"
        ),
        RestoreError::Damaged => format!(
            "Não consegui restaurar {copy}: o arquivo está danificado. Use outra cópia, ou o que ainda se lê nele: \
             sqlite3 {copy} .recover | sqlite3 recuperado.db"
        ),
        RestoreError::Copy(CopyError::Source(error)) => {
            format!("Não consegui restaurar {copy}: {error}. Confira o nome da cópia.")
        }
        RestoreError::Copy(CopyError::NoSpace(missing)) => format!(
            "Faltam {} no disco para restaurar {copy}. Libere espaço: o histórico {log} é o de antes.",
            megabytes(*missing)
        ),
        RestoreError::Copy(CopyError::Cancelled) => {
            format!("Restauração cancelada: o histórico {log} é o de antes.")
        }
        RestoreError::Copy(error) => format!(
            "Não consegui restaurar {copy} ({error}). Confira a pasta de {log} e o espaço em disco."
        ),
        RestoreError::Log(OpenError::InUse) => format!(
            "Não consegui restaurar {copy}: um servidor está usando {log}. Encerre-o antes e tente de novo."
        ),
        RestoreError::Log(OpenError::Foreign) => format!(
            "Não consegui restaurar {copy}: {log} não é um histórico do Papo, e nada nele foi mudado. Dê outro nome a esse \
             arquivo, ou indique o histórico com --historico."
        ),
        RestoreError::Log(error) => open_error(&transfer.history, error),
    }
}
