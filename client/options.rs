//! The command line: what was asked for, or the sentence that says what was wrong with it.
//!
//! Knows the options; never knows what they lead to.

use crate::app::{bad_name, bad_password, bad_room};
use crate::net::address::{Address, AddressError, DEFAULT_PORT};
use lexopt::{Arg, Parser, ValueExt};
use papo::name::{Name, RoomName};
use papo::protocol::{Credentials, Password};
use std::ffi::OsString;

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    pub address: Address,
    pub name: Option<Name>,
    pub room: RoomName,
    /// What is shown at the door besides the name.
    pub credentials: Credentials,
    /// Plain lines, also on a terminal.
    pub plain: bool,
    /// Go on listening when there is nothing more to say.
    pub keep_listening: bool,
    /// Connect again when the connection is lost.
    pub reconnect: bool,
    /// The wire's own messages on standard output.
    pub json: bool,
}

/// What the command line comes to.
#[derive(Debug)]
pub enum Invocation {
    Chat(Options),
    Help,
    Version,
}

/// One option, as the help shows it.
struct OptionSpec {
    short: Option<char>,
    long: &'static str,
    /// Other spellings.
    aliases: &'static [&'static str],
    /// The value's name and an example, for options that have one.
    value: Option<(&'static str, &'static str)>,
    description: &'static str,
}

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: Some('n'),
        long: "nome",
        aliases: &[],
        value: Some(("NOME", "Ana")),
        description: "Seu nome na conversa [variável: PAPO_NOME]",
    },
    OptionSpec {
        short: None,
        long: "sala",
        aliases: &[],
        value: Some(("SALA", "laboratorio")),
        description: "Sala onde entrar [padrão: geral]",
    },
    OptionSpec {
        short: None,
        long: "senha",
        aliases: &["password"],
        value: Some(("SENHA", "girassol")),
        description: "Senha do servidor, se ele tem uma [variável: PAPO_SENHA]",
    },
    OptionSpec {
        short: None,
        long: "chave",
        aliases: &["key"],
        value: Some(("CHAVE", "k3y...")),
        description: "Para organizar a conversa: a chave que o servidor mostra",
    },
    OptionSpec {
        short: None,
        long: "linhas",
        aliases: &[],
        value: None,
        description: "Linhas simples, como num script, também no terminal",
    },
    OptionSpec {
        short: None,
        long: "ficar",
        aliases: &[],
        value: None,
        description: "Continua ouvindo depois do fim da entrada",
    },
    OptionSpec {
        short: None,
        long: "insistir",
        aliases: &[],
        value: None,
        description: "Tenta conectar de novo, também num script",
    },
    OptionSpec {
        short: None,
        long: "json",
        aliases: &[],
        value: None,
        description: "Mostra as mensagens do servidor em JSON, uma por linha",
    },
    OptionSpec {
        short: Some('h'),
        long: "ajuda",
        aliases: &["help"],
        value: None,
        description: "Mostra esta ajuda            (--help também vale)",
    },
    OptionSpec {
        short: Some('V'),
        long: "versao",
        aliases: &["versão", "version"],
        value: None,
        description: "Mostra a versão",
    },
];

/// Reads the arguments after the program's name. `env_name` is the value of `PAPO_NOME`,
/// `env_password` that of `PAPO_SENHA`.
///
/// # Errors
/// A sentence for people.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    env_name: Option<OsString>,
    env_password: Option<OsString>,
) -> Result<Invocation, String> {
    let (mut address, mut name, mut room) = (None, env_name.filter(|name| !name.is_empty()), None);
    let (mut password, mut moderator_key) =
        (env_password.filter(|password| !password.is_empty()), None);
    let (mut plain, mut keep_listening, mut reconnect, mut json) = (false, false, false, false);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(unexpected_value)? {
        match long_name(&argument) {
            Some("ajuda") => return Ok(Invocation::Help),
            Some("versao") => return Ok(Invocation::Version),
            Some("linhas") => plain = true,
            Some("ficar") => keep_listening = true,
            Some("insistir") => reconnect = true,
            Some("json") => json = true,
            Some(long @ "nome") => name = Some(parser.value().map_err(|_| missing_value(long))?),
            Some(long @ "sala") => room = Some(parser.value().map_err(|_| missing_value(long))?),
            Some(long @ "senha") => {
                password = Some(parser.value().map_err(|_| missing_value(long))?)
            }
            Some(long @ "chave") => {
                moderator_key = Some(parser.value().map_err(|_| missing_value(long))?)
            }
            _ => match argument {
                Arg::Value(value) if address.is_none() => address = Some(value),
                Arg::Value(value) => {
                    let value = value.to_string_lossy().into_owned();
                    return Err(format!(
                        "Só um endereço por vez: “{value}” sobrou. {SEE_ALL}"
                    ));
                }
                other => return Err(unknown_option(&other)),
            },
        }
    }
    let address = match address {
        Some(raw) => Address::parse(&utf8(raw)?).map_err(bad_address)?,
        None => Address::new("127.0.0.1", DEFAULT_PORT),
    };
    let name = name
        .map(utf8)
        .transpose()?
        .map(|raw| Name::new(&raw))
        .transpose()
        .map_err(|error| format!("{} Tente: cliente --nome \"Ana 2\"", bad_name(error)))?;
    let room = match room {
        Some(raw) => RoomName::new(utf8(raw)?.trim_start_matches('#')).map_err(|_| bad_room())?,
        None => RoomName::lobby(),
    };
    let credentials = Credentials {
        password: parse_secret(password)?,
        moderator_key: parse_secret(moderator_key)?,
        room_password: None,
    };
    Ok(Invocation::Chat(Options {
        address,
        name,
        room,
        credentials,
        plain,
        keep_listening,
        reconnect,
        json,
    }))
}

/// The text of `--ajuda`.
pub fn help() -> String {
    let mut text = String::from(
        "Cliente de terminal do bate-papo. Fora de um terminal, envia cada linha da entrada e mostra as mensagens.\n\n\
         Uso: cliente [OPÇÕES] [ENDEREÇO]\n\n\
         ENDEREÇO é o do servidor, por exemplo 192.168.0.10:9000 [padrão: 127.0.0.1:9000]\n\n\
         Opções:\n",
    );
    for option in OPTIONS {
        let short = option
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let value = option
            .value
            .map_or(String::new(), |(name, _)| format!(" <{name}>"));
        let form = format!("{short}--{}{value}", option.long);
        text.push_str(&format!("  {form:<25}{}\n", option.description));
    }
    text.push_str(
        "\nO que o programa responde a um script: 0 tudo confirmado · 1 imprevisto · 2 uso errado · 3 servidor não\n\
         encontrado · 4 recusado · 5 a conexão caiu antes da confirmação · 130 Ctrl+C\n",
    );
    text
}

/// What proves something, if it was given.
fn parse_secret(raw: Option<OsString>) -> Result<Option<Password>, String> {
    let Some(raw) = raw else { return Ok(None) };
    Password::new(&utf8(raw)?)
        .map(Some)
        .ok_or_else(bad_password)
}

const SEE_ALL: &str = "Veja todas as opções com: cliente --ajuda";

/// The main name of an option that exists.
fn long_name(argument: &Arg<'_>) -> Option<&'static str> {
    let found = OPTIONS.iter().find(|choice| match argument {
        Arg::Short(short) => choice.short == Some(*short),
        Arg::Long(long) => choice.long == *long || choice.aliases.contains(long),
        Arg::Value(_) => false,
    });
    found.map(|choice| choice.long)
}

fn utf8(raw: OsString) -> Result<String, String> {
    raw.string()
        .map_err(|_| format!("Um dos valores não é um texto válido (UTF-8). {SEE_ALL}"))
}

fn bad_address(error: AddressError) -> String {
    match error {
        AddressError::Malformed => "Este endereço não parece certo. Escreva assim: 192.168.0.10:9000".into(),
        AddressError::Encrypted => {
            "Este cliente ainda não usa conexões cifradas (wss://). Use o endereço que o servidor mostra ao ligar, \
             por exemplo 192.168.0.10:9000"
                .into()
        }
    }
}

fn missing_value(long: &str) -> String {
    let example = OPTIONS
        .iter()
        .find(|choice| choice.long == long)
        .and_then(|choice| choice.value);
    let example = example.map_or("", |(_, example)| example);
    format!("Falta o valor da opção --{long}. Escreva assim: cliente --{long} {example}")
}

fn unexpected_value(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("A opção {option} não leva valor. {SEE_ALL}")
        }
        _ => format!("Não entendi a linha de comando. {SEE_ALL}"),
    }
}

fn unknown_option(argument: &Arg<'_>) -> String {
    /// How alike two words are, from 0 to 1, for one to be taken for the other.
    const MIN_SIMILARITY: f64 = 0.75;
    let (spelled, near) = match argument {
        Arg::Short(short) => (format!("-{short}"), None),
        Arg::Long(long) => {
            let similarity = |choice: &&OptionSpec| strsim::jaro_winkler(choice.long, long);
            let near = OPTIONS
                .iter()
                .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
            (
                format!("--{long}"),
                near.filter(|choice| similarity(choice) >= MIN_SIMILARITY),
            )
        }
        Arg::Value(value) => (value.to_string_lossy().into_owned(), None),
    };
    let near = near.map_or(String::new(), |choice| {
        format!(" Você quis dizer --{}?", choice.long)
    });
    format!("Não conheço a opção “{spelled}”.{near} Veja todas com: cliente --ajuda")
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
