//! `servidor copiar` and `servidor restaurar`: from the history to a copy, and back.

use super::{Command, HistoryLocation, UsageError, file};
use crate::cli::{CommandLine, InvalidVariables, OptionSpec, Request};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A history and a copy of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The history's file.
    pub history: PathBuf,
    /// The copy's file.
    pub copy: PathBuf,
}

/// The variable `PAPO_HISTORICO` has been read already.
const COMMAND_LINE: CommandLine<HistoryLocation> = CommandLine {
    program: "servidor",
    options: &[OptionSpec::path("historico", "ARQUIVO", set_history).example(EXAMPLE)],
};
const EXAMPLE: &str = "copiar copia.db --historico historico.db";

/// Reads the arguments after one of the two commands.
pub(super) fn parse(
    command: &str,
    mut history: HistoryLocation,
    invalid: InvalidVariables,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, UsageError> {
    let positional = match COMMAND_LINE.read_arguments(&mut history, arguments, invalid)? {
        Request::Help => return Ok(Command::Help),
        Request::Version => return Ok(Command::Version),
        Request::Run(positional) => positional,
    };
    let usage = format!("{command} copia.db");
    let Some((copy, rest)) = positional.split_first() else {
        return Err(UsageError(format!(
            "Falta o nome da cópia. Por exemplo: servidor {usage}"
        )));
    };
    COMMAND_LINE.reject_positional(rest)?;
    let copy = file(copy, &usage)?;
    let history = history.file(command)?;
    let transfer = Transfer { history, copy };
    Ok(if command == super::COPY {
        Command::Copy(transfer)
    } else {
        Command::Restore(transfer)
    })
}

fn set_history(history: &mut HistoryLocation, value: &OsStr) -> Result<(), UsageError> {
    *history = HistoryLocation::parse(value)?;
    Ok(())
}
