//! The server's configuration: what can be chosen, its default and its limits.
//!
//! Knows values and sentences; never knows what they are used for.

mod export;
mod options;

pub use crate::cli::UsageError;
pub use export::Export;

use crate::cli::{CommandLine, Request};
use crate::protocol::Password;
use options::OPTIONS;
use std::ffi::OsString;
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
    fn parse(value: &str) -> Self {
        if value == "nenhum" {
            Self::Memory
        } else {
            Self::File(value.into())
        }
    }
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
    /// Write a room's history to stdout.
    Export(Export),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

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
    if arguments.next_if(|first| first == "exportar").is_some() {
        return export::parse(config.history, arguments);
    }
    match COMMAND_LINE.read_arguments(&mut config, arguments, invalid)? {
        Request::Help => Ok(Command::Help),
        Request::Version => Ok(Command::Version),
        Request::Run(positional) => {
            COMMAND_LINE.reject_positional(&positional)?;
            Ok(Command::Serve(config))
        }
    }
}

/// The help text.
pub fn help() -> String {
    let options = COMMAND_LINE.option_help();
    format!(
        "Servidor de bate-papo. Serve a página e conversa por WebSocket na mesma porta.\n\n\
         Uso: servidor [OPÇÕES]\n     \
         servidor exportar [--formato txt|json|html] [--sala SALA] [--historico ARQUIVO]\n\n\
         Opções:\n{options}\n\
         Cada opção também pode vir de uma variável: --porta de PAPO_PORTA, --max-conexoes de PAPO_MAX_CONEXOES.\n"
    )
}

#[cfg(test)]
mod tests;
