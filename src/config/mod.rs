//! Every knob of the server: its flag, its environment variable, its default, its limit and its sentence.
//!
//! One table makes the parser, the variables, the help text and the suggestions. A flag beats its variable.
//!
//! Knows values and sentences; never knows what they are used for.

mod export;
mod options;

pub use export::Export;

use crate::protocol::Password;
use lexopt::Arg;
use options::{OPTIONS, OptionSpec};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the log of the conversation is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryLocation {
    /// In memory only.
    Memory,
    /// In this file.
    File(PathBuf),
}

/// Everything that whoever starts the server may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Address to listen on.
    pub address: IpAddr,
    /// Home of the log.
    pub history: HistoryLocation,
    /// Days that messages are kept; `None` keeps them for ever.
    pub keep_days: Option<u32>,
    /// Instead of serving, copy the log to this file.
    pub copy_to: Option<PathBuf>,
    /// Messages per second that one person may say in the long run; 0 is without limit.
    pub rate: f64,
    /// Connections at the same time, at most.
    pub max_connections: usize,
    /// Origins whose pages may connect too.
    pub origins: Vec<String>,
    /// What everybody must show to enter.
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
    /// Write a room's log to stdout.
    Export(Export),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// A command line that makes no sense: the sentence to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(pub String);

/// Reads the environment and the command line (without the program's name).
///
/// # Errors
/// A sentence that says what is wrong and what to write instead.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Command, UsageError> {
    let mut config = Config::default();
    // A variable that makes no sense matters only to who starts the server, and only if no flag beats it.
    let mut invalid_variables = Vec::new();
    for option in OPTIONS {
        if let Some(value) = variable(option.variable).filter(|value| !value.is_empty())
            && let Err(error) = option.set_from_variable(&mut config, &value)
        {
            invalid_variables.push((option.long, error));
        }
    }
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == "exportar").is_some() {
        return export::parse(config.history, lexopt::Parser::from_args(arguments));
    }
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut cleared = Vec::new();
    while let Some(argument) = parser
        .next()
        .map_err(|error| UsageError(parser_error(&error)))?
    {
        let name = match argument {
            Arg::Short('h') | Arg::Long("ajuda" | "help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("versao" | "version") => return Ok(Command::Version),
            Arg::Short(c) => format!("-{c}"),
            Arg::Long(name) => format!("--{name}"),
            Arg::Value(value) => {
                return Err(UsageError(format!(
                    "Não sei o que fazer com “{}”. Veja as opções com: servidor --ajuda",
                    value.to_string_lossy()
                )));
            }
        };
        let knob = OPTIONS
            .iter()
            .find(|knob| knob.matches_flag(&name))
            .ok_or_else(|| unknown_option(&name))?;
        // What the flags list replaces what the variable listed.
        if !cleared.contains(&knob.long) {
            (knob.clear)(&mut config);
            cleared.push(knob.long);
            invalid_variables.retain(|(long, _)| *long != knob.long);
        }
        if knob.value.is_none() {
            (knob.set)(&mut config, "")?;
            continue;
        }
        let value = parser.value().map_err(|_| {
            UsageError(format!(
                "A opção “{name}” precisa de um valor, por exemplo: servidor {}",
                knob.example
            ))
        })?;
        (knob.set)(&mut config, &value.to_string_lossy())?;
    }
    match invalid_variables.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(Command::Serve(config)),
    }
}

/// The help text.
pub fn help() -> String {
    let mut text = String::from(
        "Servidor de bate-papo. Serve a página e conversa por WebSocket na mesma porta.\n\n\
         Uso: servidor [OPÇÕES]\n     \
         servidor exportar [--formato txt|json|html] [--sala SALA] [--historico ARQUIVO]\n\nOpções:\n",
    );
    let lines = OPTIONS.iter().map(OptionSpec::help).chain([
        (
            "  -h, --ajuda".into(),
            "Mostra esta ajuda (--help também vale)".into(),
        ),
        ("  -V, --versao".into(), "Mostra a versão".into()),
    ]);
    for (left, right) in lines {
        text.push_str(&format!("{left:<27} {right}\n"));
    }
    text.push_str(
        "\nCada opção também pode vir de uma variável: --porta de PAPO_PORTA, --max-conexoes de PAPO_MAX_CONEXOES.\n",
    );
    text
}

fn unknown_option(name: &str) -> UsageError {
    unknown_with_suggestion(
        name,
        OPTIONS
            .iter()
            .map(|knob| knob.long)
            .chain(["ajuda", "versao"]),
    )
}

/// An unknown option, with the nearest of those that there are.
fn unknown_with_suggestion(name: &str, options: impl Iterator<Item = &'static str>) -> UsageError {
    let nearest = options
        .map(|long| {
            (
                strsim::damerau_levenshtein(long, name.trim_start_matches('-')),
                long,
            )
        })
        .min()
        .filter(|(distance, _)| *distance <= 3 && name.starts_with("--"));
    let hint = nearest.map_or(String::new(), |(_, long)| {
        format!(" Você quis dizer --{long}?")
    });
    UsageError(format!(
        "Não conheço a opção “{name}”.{hint} Veja todas com: servidor --ajuda"
    ))
}

fn parser_error(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => format!(
            "A opção “{option}” não leva valor, mas veio “{}”. Veja as opções com: servidor --ajuda",
            value.to_string_lossy()
        ),
        _ => "Não entendi as opções. Veja todas com: servidor --ajuda".into(),
    }
}

#[cfg(test)]
mod tests;
