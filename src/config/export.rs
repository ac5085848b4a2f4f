//! `servidor exportar`: which room of which history, in which format.

use super::{Command, HistoryLocation, UsageError};
use crate::cli::{Argument, CommandLine, InvalidVariables, OptionSpec, Request};
use crate::history::sqlite::Format;
use crate::name::RoomName;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The history's file.
    pub history: PathBuf,
    /// The room.
    pub room: RoomName,
    /// The output format.
    pub format: Format,
}

struct ExportOptions {
    history: HistoryLocation,
    room: RoomName,
    format: Format,
}

/// Without variables of their own: `PAPO_SALA` is the client's, and `PAPO_HISTORICO` has been read already.
const COMMAND_LINE: CommandLine<ExportOptions> = CommandLine {
    program: "servidor",
    options: &[
        OptionSpec::new("formato", Argument::Value("FORMATO"), set_format).example(EXAMPLE),
        OptionSpec::new("sala", Argument::Value("SALA"), set_room).example(EXAMPLE),
        OptionSpec::path("historico", "ARQUIVO", set_history).example(EXAMPLE),
    ],
};
const EXAMPLE: &str = "exportar --sala geral";

/// Reads the arguments after `exportar`.
pub(super) fn parse(
    history: HistoryLocation,
    invalid: InvalidVariables,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, UsageError> {
    let mut options = ExportOptions {
        history,
        room: RoomName::lobby(),
        format: Format::Text,
    };
    match COMMAND_LINE.read_arguments(&mut options, arguments, invalid)? {
        Request::Help => return Ok(Command::Help),
        Request::Version => return Ok(Command::Version),
        Request::Run(positional) => COMMAND_LINE.reject_positional(&positional)?,
    }
    let history = options.history.file("exportar")?;
    Ok(Command::Export(Export {
        history,
        room: options.room,
        format: options.format,
    }))
}

fn set_format(options: &mut ExportOptions, value: &str) -> Result<(), UsageError> {
    options.format = match value {
        "txt" => Format::Text,
        "json" => Format::Json,
        "html" => Format::Html,
        _ => {
            return Err(UsageError(format!(
                "Não conheço o formato “{value}”. Use txt, json ou html, por exemplo: servidor exportar --formato html"
            )));
        }
    };
    Ok(())
}

fn set_room(options: &mut ExportOptions, value: &str) -> Result<(), UsageError> {
    let name = value.strip_prefix('#').unwrap_or(value);
    options.room = RoomName::new(name).map_err(|_| {
        UsageError(format!(
            "“{value}” não é o nome de uma sala. Por exemplo: servidor exportar --sala geral"
        ))
    })?;
    Ok(())
}

fn set_history(options: &mut ExportOptions, value: &OsStr) -> Result<(), UsageError> {
    options.history = HistoryLocation::parse(value)?;
    Ok(())
}
