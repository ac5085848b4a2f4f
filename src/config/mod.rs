//! The server's configuration: what can be chosen, its default and its limits.
//!
//! Knows values and sentences; never knows what they are used for.

mod export;
mod options;
mod transfer;

pub use crate::cli::UsageError;
pub use export::Export;
pub use transfer::Transfer;

use crate::cli::{CommandLine, Request, nearest};
use crate::protocol::Password;
use options::OPTIONS;
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryLocation {
    /// In memory only.
    Memory,
    /// In this file.
    File(PathBuf),
}

impl HistoryLocation {
    /// A value of `--historico`. A path is a file, whatever it looks like to SQLite.
    fn parse(value: &OsStr) -> Result<Self, UsageError> {
        let word = value.to_string_lossy().trim().to_lowercase();
        match word.as_str() {
            "nenhum" | "none" => Ok(Self::Memory),
            ":memory:" => Err(UsageError(
                "“:memory:” não é um arquivo. Para não guardar use --historico nenhum".into(),
            )),
            _ => file(value, "--historico historico.db").map(Self::File),
        }
    }

    /// The file, for a command that needs one.
    fn file(self, command: &str) -> Result<PathBuf, UsageError> {
        match self {
            Self::File(path) => Ok(path),
            Self::Memory => Err(UsageError(format!(
                "Um histórico que fica só na memória não tem o que {command}. Indique o arquivo com --historico \
                 historico.db"
            ))),
        }
    }
}

/// The path of a file; `example` is what to write instead of an empty one.
fn file(value: &OsStr, example: &str) -> Result<PathBuf, UsageError> {
    if value.to_string_lossy().trim().is_empty() {
        return Err(UsageError(format!(
            "O nome do arquivo está vazio. Por exemplo: servidor {example}"
        )));
    }
    Ok(value.into())
}

/// What can be chosen when the server is started.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Address to listen on.
    pub address: IpAddr,
    /// Where the history is kept.
    pub history: HistoryLocation,
    /// Days that messages are kept; `None` keeps them for ever.
    pub keep_days: Option<u32>,
    /// Bytes that the history may have; `None` is without limit.
    pub max_history: Option<u64>,
    /// Instead of serving, copy the history to this file.
    pub copy_to: Option<PathBuf>,
    /// Messages per second and person in the long run; 0 is without limit.
    pub rate: f64,
    /// Connections at the same time, at most.
    pub max_connections: usize,
    /// Origins whose pages may connect too.
    pub origins: Vec<String>,
    /// The server's password.
    pub password: Option<Password>,
    /// Names that the server answers to besides the machine's own.
    pub domains: Vec<String>,
    /// Whether the banner may show the address as a QR code.
    pub qr_code: bool,
    /// How much is logged: 0 warnings, 1 what happens, 2 everything.
    pub verbosity: u8,
    /// File for the log lines; stderr if absent.
    pub log_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 9000,
            address: Ipv4Addr::LOCALHOST.into(),
            history: HistoryLocation::File("historico.db".into()),
            keep_days: None,
            max_history: None,
            copy_to: None,
            rate: 5.0,
            max_connections: 10_000,
            origins: Vec::new(),
            password: None,
            domains: Vec::new(),
            qr_code: true,
            verbosity: 0,
            log_file: None,
        }
    }
}

impl Config {
    /// Where to listen.
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Start the server.
    Serve(Config),
    /// Copy the history.
    Copy(Transfer),
    /// Put a copy in the history's place.
    Restore(Transfer),
    /// Write a room's history to stdout.
    Export(Export),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// The commands: the first argument.
const COPY: &str = "copiar";
const RESTORE: &str = "restaurar";
const EXPORT: &str = "exportar";
const HELP: [&str; 2] = ["ajuda", "help"];

const COMMAND_LINE: CommandLine<Config> = CommandLine {
    program: "servidor",
    options: OPTIONS,
};

/// Reads the environment and the command line (without the program's name).
///
/// # Errors
/// A sentence that says what is wrong and what to write instead.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    let mut config = Config::default();
    let invalid = COMMAND_LINE.read_variables(&mut config, variable);
    let mut arguments = arguments.into_iter().peekable();
    let is_command = |first: &OsString| {
        let commands = [COPY, RESTORE, EXPORT].into_iter().chain(HELP);
        commands.into_iter().any(|command| first == command)
    };
    if let Some(command) = arguments.next_if(is_command) {
        let command = command.to_string_lossy();
        return match &*command {
            EXPORT => export::parse(config.history, invalid, arguments),
            COPY | RESTORE => transfer::parse(&command, config.history, invalid, arguments),
            _ => Ok(Command::Help),
        };
    }
    match COMMAND_LINE.read_arguments(&mut config, arguments, invalid)? {
        Request::Help => Ok(Command::Help),
        Request::Version => Ok(Command::Version),
        Request::Run(positional) => {
            reject_positional(&positional)?;
            let Some(copy) = config.copy_to.take() else {
                return Ok(Command::Serve(config));
            };
            let history = config.history.file(COPY)?;
            Ok(Command::Copy(Transfer { history, copy }))
        }
    }
}

/// Refuses what is neither an option nor a command, and says what may have been meant.
fn reject_positional(positional: &[OsString]) -> Result<(), UsageError> {
    let Some(first) = positional.first() else {
        return Ok(());
    };
    let typed = first.to_string_lossy();
    let hint = if typed.parse::<u16>().is_ok() {
        format!("Para escolher a porta: servidor --porta {typed}")
    } else {
        match nearest(&typed, [COPY, RESTORE, EXPORT].into_iter()) {
            Some(command) if command == typed => {
                format!("Esta palavra vem logo depois de servidor: servidor {command} …")
            }
            Some(command) => format!("Você quis dizer: servidor {command}?"),
            None => return COMMAND_LINE.reject_positional(positional),
        }
    };
    Err(UsageError(format!(
        "Não sei o que fazer com “{typed}”. {hint}"
    )))
}

/// The help text.
pub fn help() -> String {
    let options = COMMAND_LINE.option_help();
    format!(
        "Servidor de bate-papo. Serve a página e conversa por WebSocket na mesma porta.\n\n\
         Uso: servidor [OPÇÕES]\n     \
         servidor copiar CÓPIA [--historico ARQUIVO]\n     \
         servidor restaurar CÓPIA [--historico ARQUIVO]\n     \
         servidor exportar [--formato txt|json|html] [--sala SALA] [--historico ARQUIVO]\n\n\
         copiar faz uma cópia do histórico, também com o servidor ligado. restaurar, com ele desligado, põe uma\n\
         cópia no lugar do histórico, que fica guardado com outro nome. exportar escreve na tela o que foi dito em\n\
         uma sala: em txt e na sala geral, se nada for indicado.\n\n\
         Opções:\n{options}\n\
         Cada opção também pode vir de uma variável: --porta de PAPO_PORTA, --max-conexoes de PAPO_MAX_CONEXOES.\n"
    )
}

#[cfg(test)]
mod tests;
