//! `servidor exportar`: which room of which history, in which format.

use super::{Command, HistoryLocation, UsageError};
use crate::cli::{Argument, CommandLine, InvalidVariables, OptionSpec, Request};
use crate::history::sqlite::Format;
use crate::name::RoomName;
use std::ffi::OsString;
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
        OptionSpec::new("historico", Argument::Value("ARQUIVO"), set_history).example(EXAMPLE),
    ],
};
const EXAMPLE: &str = "exportar --sala geral";

/// Reads the arguments after `exportar`.
pub(super) fn parse(
    history: HistoryLocation,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Command, UsageError> {
    let mut options = ExportOptions {
        history,
        room: RoomName::lobby(),
        format: Format::Text,
    };
    let none_invalid = InvalidVariables::default();
    match COMMAND_LINE.read_arguments(&mut options, arguments, none_invalid)? {
        Request::Help => return Ok(Command::Help),
        Request::Version => return Ok(Command::Version),
        Request::Run(positional) => COMMAND_LINE.reject_positional(&positional)?,
    }
    let HistoryLocation::File(history) = options.history else {
        return Err(UsageError(
            "Um histórico que fica só na memória não tem o que exportar. Indique o arquivo: servidor exportar \
             --historico historico.db"
                .into(),
        ));
    };
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

fn set_history(options: &mut ExportOptions, value: &str) -> Result<(), UsageError> {
    options.history = HistoryLocation::parse(value);
    Ok(())
}
