//! `servidor exportar`: which room of which log, and as what.

use super::{Command, HistoryLocation, UsageError, parser_error, unknown_with_suggestion};
use crate::history::sqlite::Format;
use crate::name::RoomName;
use lexopt::{Arg, Parser};
use std::path::PathBuf;

/// What is to be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The file of the log.
    pub history: PathBuf,
    /// The room.
    pub room: RoomName,
    /// What it is written as.
    pub format: Format,
}

/// Reads what comes after `exportar`.
pub fn parse(mut history: HistoryLocation, mut parser: Parser) -> Result<Command, UsageError> {
    let (mut room, mut format) = (RoomName::lobby(), Format::Text);
    while let Some(argument) = parser
        .next()
        .map_err(|error| UsageError(parser_error(&error)))?
    {
        let name = match argument {
            Arg::Short('h') | Arg::Long("ajuda" | "help") => return Ok(Command::Help),
            Arg::Long(name) => name.to_owned(),
            Arg::Short(c) => {
                return Err(unknown_with_suggestion(
                    &format!("-{c}"),
                    std::iter::empty(),
                ));
            }
            Arg::Value(value) => {
                let text = format!(
                    "Não sei o que fazer com “{}”. Veja as opções com: servidor --ajuda",
                    value.display()
                );
                return Err(UsageError(text));
            }
        };
        if !matches!(name.as_str(), "formato" | "sala" | "historico") {
            return Err(unknown_with_suggestion(
                &format!("--{name}"),
                ["formato", "sala", "historico", "ajuda"].into_iter(),
            ));
        }
        let value = parser.value().map_err(|_| {
            UsageError(format!("A opção “--{name}” precisa de um valor, por exemplo: servidor exportar --sala geral"))
        })?;
        let value = value.to_string_lossy();
        match name.as_str() {
            "formato" => format = parse_format(&value)?,
            "sala" => room = parse_room(&value)?,
            _ => {
                history = if value == "nenhum" {
                    HistoryLocation::Memory
                } else {
                    HistoryLocation::File(value.as_ref().into())
                }
            }
        }
    }
    match history {
        HistoryLocation::File(history) => Ok(Command::Export(Export { history, room, format })),
        HistoryLocation::Memory => Err(UsageError(
            "Um histórico que fica só na memória não tem o que exportar. Indique o arquivo: servidor exportar \
             --historico historico.db"
                .into(),
        )),
    }
}

fn parse_format(value: &str) -> Result<Format, UsageError> {
    match value {
        "txt" => Ok(Format::Text),
        "json" => Ok(Format::Json),
        "html" => Ok(Format::Html),
        _ => Err(UsageError(format!(
            "Não conheço o formato “{value}”. Use txt, json ou html, por exemplo: servidor exportar --formato html"
        ))),
    }
}

fn parse_room(value: &str) -> Result<RoomName, UsageError> {
    RoomName::new(value.strip_prefix('#').unwrap_or(value)).map_err(|_| {
        UsageError(format!(
            "“{value}” não é o nome de uma sala. Por exemplo: servidor exportar --sala geral"
        ))
    })
}
